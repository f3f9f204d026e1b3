//! Faults of the bot's process.

use std::time::Duration;

use discord_simulator::{PrunedResume, Rate, SimulatorConfig};
use eventide::postgres::embedded::StopMode;
use futures_util::future::LocalBoxFuture;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::sleep;

use super::{Extent, Fault, OFTEN, RATE, SHARDS, stage::Stage};
use crate::support::until;

pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault {
            tries: OFTEN,
            ..Fault::new("SIGKILL of the bot", killed)
        },
        Fault {
            tries: OFTEN,
            world: forgetful,
            ..Fault::new(
                "SIGKILL, and Discord forgets what heartbeats acknowledged",
                killed,
            )
        },
        Fault::new("SIGTERM of the bot", |stage, _| {
            Box::pin(async move {
                stage.stop_bot().await;
                stage.start_bot();
            })
        }),
        Fault::new("SIGTERM when all is delivered: nothing to replay", |stage, _| {
            Box::pin(async move {
                let control = stage.discord.control();
                control.pause();
                until("all is delivered", async || control.drained().then_some(())).await;
                stage.stop_bot().await;
                let before = control.stats();
                stage.start_bot();
                until("every shard has resumed", async || {
                    (control.stats().resumes == before.resumes + SHARDS as u64).then_some(())
                })
                .await;
                assert_eq!(control.stats().replayed, before.replayed);
                control.set_rate(Rate::PerSecond(RATE));
            })
        }),
        Fault {
            world: |world| {
                quick_heartbeats(world);
                world.gateway.zombie_close = None;
            },
            ..Fault::new("SIGSTOP of the bot past its heartbeats, then SIGCONT", stopped)
        },
        Fault {
            world: quick_heartbeats,
            loses_sessions: true,
            ..Fault::new("SIGSTOP of the bot until Discord closes with 4009", stopped)
        },
        Fault::new("SIGKILL of the bot while PostgreSQL is away", |stage, _| {
            Box::pin(async move {
                let postgres = Pid::from_raw(stage.scene.postgres.pid());
                kill(postgres, Signal::SIGKILL).expect("a signal");
                stage.bot.kill().await.expect("SIGKILL");
                stage.start_bot();
                sleep(Duration::from_millis(500)).await;
                stage
                    .scene
                    .postgres
                    .restart(StopMode::Immediate)
                    .await
                    .expect("restarted");
            })
        }),
    ]
}

/// More frequent heartbeats than Discord's, and a Discord that discards acknowledged events.
fn forgetful(world: &mut SimulatorConfig) {
    world.gateway.heartbeat_interval = Duration::from_secs(2);
    world.gateway.heartbeat_prunes = true;
    world.gateway.pruned_resume = PrunedResume::Omit;
}

pub(super) fn quick_heartbeats(world: &mut SimulatorConfig) {
    world.gateway.heartbeat_interval = Duration::from_millis(500);
}

fn killed(stage: &mut Stage, _extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        sleep(Duration::from_millis(fastrand::u64(0..700))).await;
        stage.bot.kill().await.expect("SIGKILL");
        stage.start_bot();
    })
}

/// The process does not run, as on a machine that swaps or is moved; Discord loses patience with it.
fn stopped(stage: &mut Stage, _extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        stage.steady().await;
        stage.signal_bot(Signal::SIGSTOP);
        let control = stage.discord.control();
        until("Discord has given up every connection", async || {
            (control.stats().connections_open == 0).then_some(())
        })
        .await;
        stage.signal_bot(Signal::SIGCONT);
    })
}
