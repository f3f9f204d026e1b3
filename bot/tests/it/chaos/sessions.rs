//! Faults after which Discord has discarded undelivered events.

use discord_simulator::Refusal;

use super::{Fault, gateway::gateway};

pub(super) fn faults() -> Vec<Fault> {
    let ends = |fault: Fault| Fault {
        loses_sessions: true,
        ..fault
    };
    vec![
        ends(gateway!("op 9 false", |d| d.control().invalidate(None, false))),
        ends(gateway!("close 4007", |d| d.control().close(None, 4007))),
        ends(gateway!("close 4009", |d| d.control().close(None, 4009))),
        ends(gateway!("sessions expire, op 9 false", |d| {
            d.control().kill_sessions(None);
            d.control().reset(None)
        })),
        ends(Fault {
            world: |world| world.gateway.lost_session = Refusal::Close(4007),
            ..gateway!("sessions expire, 4007", |d| {
                d.control().kill_sessions(None);
                d.control().reset(None)
            })
        }),
        ends(Fault {
            world: |world| world.gateway.lost_session = Refusal::Close(4009),
            ..gateway!("sessions expire, 4009", |d| {
                d.control().kill_sessions(None);
                d.control().reset(None)
            })
        }),
        ends(Fault::new("sessions expire while the bot is dead", |stage, _| {
            Box::pin(async move {
                stage.bot.kill().await.expect("SIGKILL");
                stage.discord.control().kill_sessions(None);
                stage.start_bot();
            })
        })),
    ]
}
