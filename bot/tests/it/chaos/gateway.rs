//! Faults of connections to the gateway whose sessions survive.

use std::time::Duration;

use discord_simulator::{HeartbeatAcks, Rate};

use super::{Fault, RATE, SHARDS};
use crate::support::until;

/// An action on the gateway as a row.
macro_rules! gateway {
    ($name:literal, $action:expr) => {
        Fault::new($name, |stage, _| {
            Box::pin(stage.on_gateway(|discord| {
                let action: fn(&discord_simulator::Simulator) -> usize = $action;
                action(discord);
            }))
        })
    };
}
pub(super) use gateway;

pub(super) fn faults() -> Vec<Fault> {
    vec![
        gateway!("gateway drops without close frame", |d| d
            .control()
            .drop_connections(None)),
        gateway!("gateway resets", |d| d.control().reset(None)),
        Fault {
            world: |world| world.gateway.heartbeat_interval = Duration::from_millis(500),
            ..gateway!("gateway swallows everything", |d| d.control().freeze(None, true))
        },
        Fault::new("gateway refuses connections for 3 s", |stage, _| {
            Box::pin(async move {
                stage.steady().await;
                let control = stage.discord.control();
                control.refuse_connections(true);
                control.reset(None);
                tokio::time::sleep(Duration::from_secs(3)).await;
                control.refuse_connections(false);
            })
        }),
        gateway!("op 1, a heartbeat asked for, then reset", |d| {
            d.control().ask_heartbeat(None);
            d.control().reset(None)
        }),
        gateway!("op 7", |d| d.control().reconnect(None)),
        gateway!("op 9 true", |d| d.control().invalidate(None, true)),
        gateway!("close 1000", |d| d.control().close(None, 1000)),
        gateway!("close 4000", |d| d.control().close(None, 4000)),
        gateway!("close 4001", |d| d.control().close(None, 4001)),
        gateway!("close 4002", |d| d.control().close(None, 4002)),
        gateway!("close 4003", |d| d.control().close(None, 4003)),
        gateway!("close 4005", |d| d.control().close(None, 4005)),
        gateway!("close 4006", |d| d.control().close(None, 4006)),
        gateway!("close 4008", |d| d.control().close(None, 4008)),
        Fault {
            world: |world| world.gateway.heartbeat_interval = Duration::from_millis(500),
            ..Fault::new("a zombie: no event and no heartbeat's answer", |stage, _| {
                Box::pin(async move {
                    stage.steady().await;
                    let control = stage.discord.control();
                    // As long as events arrive the connection is alive, whatever happens to its heartbeats.
                    control.pause();
                    control.set_heartbeat_acks(HeartbeatAcks::Never);
                    let before = control.stats().resumes;
                    until("every shard gave up", async || {
                        (control.stats().resumes >= before + SHARDS as u64).then_some(())
                    })
                    .await;
                    control.set_heartbeat_acks(HeartbeatAcks::Prompt);
                    control.set_rate(Rate::PerSecond(RATE));
                })
            })
        },
        Fault {
            world: |world| world.gateway.heartbeat_interval = Duration::from_millis(500),
            ..Fault::new("events come, but no heartbeat's answer", |stage, _| {
                Box::pin(async move {
                    let control = stage.discord.control();
                    control.set_heartbeat_acks(HeartbeatAcks::Never);
                    let before = control.stats().heartbeats;
                    until("heartbeats are not answered", async || {
                        (control.stats().heartbeats >= before + 4 * SHARDS as u64).then_some(())
                    })
                    .await;
                    control.set_heartbeat_acks(HeartbeatAcks::Prompt);
                })
            })
        },
    ]
}
