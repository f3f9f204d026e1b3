//! Faults of Discord and of the database while missed messages are read back.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use discord_simulator::{LimitScope, Rate, RestFaultKind};
use eventide::{pipeline::backfill::rows, postgres::embedded::StopMode};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::stage::{MESSAGES, Stage, everything, world};
use crate::support::{PATIENCE, bot::printed, until};

/// Every answer that asks for another attempt gets one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discords_rest_api_fails_meanwhile() {
    let mut stage = Stage::new(world(60_000)).await;
    stage.config.discord.request_timeout = Duration::from_secs(1);
    let control = stage.control();
    let bot = stage.start().await;
    control.set_rate(Rate::PerSecond(1_500.0));
    stage.up(2).await;
    stage.traffic(500).await;
    let limited = |scope| RestFaultKind::RateLimit {
        scope,
        retry_after: 0.2,
    };
    for (count, kind) in [
        (20, RestFaultKind::Status(500)),
        (20, RestFaultKind::HalfBody),
        (6, limited(LimitScope::User)),
        (6, limited(LimitScope::Global)),
        (4, RestFaultKind::Silence),
        (10, RestFaultKind::Status(503)),
    ] {
        stage.fail_pages(Some(count), kind);
    }
    control.invalidate(None, false);
    stage.missed(1_000).await;
    stage.up(4).await;
    stage.settle(everything).await;
    let answers: BTreeSet<u16> = control
        .rest_calls(MESSAGES)
        .iter()
        .map(|call| call.status)
        .collect();
    for status in [200, 429, 500, 503] {
        assert!(answers.contains(&status), "{answers:?}");
    }
    assert!(stage.every_channel_was_read().await);
    stage.end_with(bot).await;
}

/// A channel that the bot may not read, and one that was deleted: exactly their messages are missing, and the gap lists these channels.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_that_cannot_be_read() {
    let stage = Stage::new(world(60_000)).await;
    let control = stage.control();
    let bot = stage.start().await;
    stage.lose_sessions(6_000).await;
    for status in [403, 404] {
        stage.fail_pages(Some(1), RestFaultKind::Status(status));
    }
    control.reset(None);
    stage.up(4).await;
    until("nothing is left to be read", async || {
        let over = stage.gaps().await;
        let read = over.iter().all(|gap| gap.read_back > 0) && over.len() == 2;
        (read && stage.left().await == 0).then_some(())
    })
    .await;
    let refused: Vec<(u64, u16)> = control
        .rest_calls(MESSAGES)
        .iter()
        .filter(|call| call.status != 200)
        .map(|call| {
            let id = call.path.split('/').nth(4).expect("a channel");
            (id.parse().expect("a number"), call.status)
        })
        .collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    stage
        .settle(|discord| {
            discord
                .oracle()
                .expected_with_missed_in(&HashMap::new(), |channel| {
                    refused.iter().all(|(id, _)| *id != channel)
                })
                .expect("nothing is forgotten")
        })
        .await;
    let report = stage.against(&everything(&stage.discord)).await;
    assert!(report.lost > 0, "nothing was sent in those channels");

    let gaps = stage.gaps().await;
    assert_eq!(gaps.iter().map(|gap| gap.unread_channels).sum::<i64>(), 2);
    let ids: Vec<i64> = gaps.iter().map(|gap| gap.gap_id).collect();
    let mut unread = rows::unread(&stage.store, &ids).await.expect("read");
    unread.sort_by(|a, b| b.reason.cmp(&a.reason));
    for ((channel, status), unread) in refused.iter().zip(&unread) {
        let reason = if *status == 403 { "no_access" } else { "gone" };
        assert_eq!(
            (unread.channel_id.cast_unsigned(), &*unread.reason),
            (*channel, reason)
        );
    }

    let table = printed(&stage.scene, &["gaps"]).await;
    assert!(
        table.contains("2 channels were not read back: 1 gone, 1 no_access"),
        "{table}"
    );
    let json = printed(&stage.scene, &["gaps", "--json"]).await;
    for (channel, _) in &refused {
        assert!(json.contains(&format!("\"channel_id\":\"{channel}\"")), "{json}");
    }
    stage.end_with(bot).await;
}

/// PostgreSQL becomes unavailable, and there is little memory for held messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_with_a_small_ledger_while_it_reads_back() {
    let mut stage = Stage::new(world(60_000)).await;
    stage.config.ledger.max_memory_bytes = 1 << 19;
    let control = stage.control();
    let bot = stage.start().await;
    stage.lose_sessions(6_000).await;
    stage.delay_pages(100);
    control.reset(None);
    control.set_rate(Rate::PerSecond(5_000.0));
    // A shard that waits for its turn to identify would miss all of the outage.
    until(
        "a part is read back, and both shards have new sessions",
        async || {
            let is_begun = stage.read_back().await > 0;
            (is_begun && control.stats().sessions_started() == 4).then_some(())
        },
    )
    .await;
    kill(Pid::from_raw(stage.scene.postgres.pid()), Signal::SIGQUIT).expect("a signal");
    until("the ledger is full", async || {
        (bot.memory.is_full() && control.stats().connections_open == 0).then_some(())
    })
    .await;
    // All that is sent is read back: at this rate, a busy machine would have more to do with each second that it takes.
    control.set_rate(Rate::PerSecond(500.0));
    let postgres = &mut stage.scene.postgres;
    postgres.restart(StopMode::Immediate).await.expect("a restart");
    control.clear_faults();
    assert!(
        bot.memory.used() < 2 << 19,
        "the bound holds: {}",
        bot.memory.used()
    );
    stage.settle(everything).await;
    assert_eq!(control.stats().sessions_started(), 4);
    until("the memory is given back", async || {
        (bot.memory.used() == 0).then_some(())
    })
    .await;
    stage.end_with(bot).await;
}

/// A backup is older than what was counted later: after a restore, that is a gap like any other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_after_a_backup_is_read_back_after_its_restore() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let stage = Stage::new(world(60_000)).await;
    let control = stage.control();
    control.set_rate(Rate::PerSecond(1_000.0));
    let bot = stage.start().await;
    stage.up(2).await;
    stage.traffic(1_000).await;
    let file = directory.path().join("a.dump");
    let file = file.to_str().expect("text");
    printed(&stage.scene, &["backup", "--out", file]).await;
    stage.traffic(1_500).await;
    bot.drain(PATIENCE).await.expect("a clean end");
    control.kill_sessions(None);
    printed(&stage.scene, &["restore", file, "--replace", "--yes"]).await;
    let bot = stage.start().await;
    stage.up(4).await;
    stage.traffic(500).await;
    stage.settle(everything).await;
    for gap in stage.gaps().await {
        assert!(gap.reason == "restore" && gap.read_back > 0, "{gap:?}");
    }
    stage.end_with(bot).await;
}
