//! Faults that need more than the bot and its database: a second process, a log that is not read, a replica.

use std::{process::Stdio, time::Duration};

use futures_util::future::LocalBoxFuture;
use tokio::{
    io::AsyncReadExt as _,
    time::{Instant, sleep},
};

use super::{Extent, Fault, SELDOM, stage::Stage};
use crate::support::{bot::url, standby::Standby, until};

/// The capacity of a pipe: <https://man7.org/linux/man-pages/man7/pipe.7.html>.
const PIPE_BYTES: usize = 65_536;

/// Far more than a line of the log has.
const LONGEST_LINE: usize = 8_192;

pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault {
            tries: SELDOM,
            ..Fault::new(
                "PostgreSQL's connections swallow everything, a second process beside",
                swallowed_beside_another,
            )
        },
        Fault {
            tries: SELDOM,
            ..Fault::new("nobody reads the bot's log", log_that_nobody_reads)
        },
        Fault {
            tries: SELDOM,
            ..Fault::new("a replica that stops replaying, and goes on", lagging_replica)
        },
    ]
}

/// The other process has its own way to PostgreSQL. It takes the shards over, or the first one keeps them over new connections.
fn swallowed_beside_another(stage: &mut Stage, extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        let mut other = stage.start_another();
        until("both processes have shards", async || {
            (stage.processes_with_shards().await == 2).then_some(())
        })
        .await;
        stage.receives().await;
        let before = stage.proxy.swallowed();
        stage.proxy.swallow(true);
        sleep(extent.while_.min(Duration::from_secs(20))).await;
        assert!(stage.proxy.swallowed() > before, "a connection is swallowed");
        until(
            "every shard receives although one process is cut off",
            async || (stage.commits_of_all_shards_within(Duration::from_secs(5)).await).then_some(()),
        )
        .await;
        stage.proxy.let_new_ones_pass();
        stage.over = Some(Instant::now());
        until("both processes have shards again", async || {
            (stage.processes_with_shards().await == 2).then_some(())
        })
        .await;
        stage.receives().await;
        Stage::stop_gently(&mut other).await;
    })
}

fn log_that_nobody_reads(stage: &mut Stage, extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        stage.stop_bot().await;
        let mut bot = stage.spawn_with(&[("EVENTIDE__LOG__LEVEL", "trace")], Stdio::piped());
        let mut log = bot.stderr.take().expect("it is piped");
        stage.bot = bot;
        stage.receives().await;
        sleep(extent.while_.min(Duration::from_secs(10))).await;
        // It continues to run, answers probes and counts, which the runner compares with the oracle, and it can be stopped.
        stage.receives().await;
        stage.stop_bot().await;
        let mut said = Vec::new();
        log.read_to_end(&mut said).await.expect("read");
        // Up to the first line that did not fit.
        assert!(
            said.len() > PIPE_BYTES - LONGEST_LINE,
            "the pipe was full, not {} bytes",
            said.len()
        );
        stage.start_bot();
    })
}

fn lagging_replica(stage: &mut Stage, extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        let connection = stage.scene.postgres.connection();
        let standby = Standby::of(&stage.scene.postgres).await;
        let there = url(&standby.connection_as(&connection));
        let replica = standby.session_as(&connection).await;
        stage.stop_bot().await;
        stage.bot = stage.spawn_with(
            &[
                ("DATABASE_READ_URL", there.as_str()),
                ("EVENTIDE__DATABASE__READ_MAX_LAG_SECONDS", "1"),
            ],
            stage.log_file(),
        );
        let usable = async |stage: &Stage| stage.metric("eventide_replica_usable").await > 0.5;
        stage.receives().await;
        until("the replica is used", async || usable(stage).await.then_some(())).await;
        replica.execute("SELECT pg_wal_replay_pause()").await;
        until("the replica is not used any more", async || {
            (!usable(stage).await).then_some(())
        })
        .await;
        sleep(extent.while_.min(Duration::from_secs(5))).await;
        assert!(!usable(stage).await, "it is old");
        assert!(stage.metric("eventide_replica_lag_seconds").await > 1.0);
        replica.execute("SELECT pg_wal_replay_resume()").await;
        until("the replica is used again", async || {
            usable(stage).await.then_some(())
        })
        .await;
        // It ends before the bot does, as hosts do.
        replica.close().await;
        standby.stop().await;
        until("the replica is gone", async || {
            (!usable(stage).await).then_some(())
        })
        .await;
    })
}
