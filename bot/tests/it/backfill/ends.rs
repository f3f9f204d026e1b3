//! Reading back that ends early: the bot stops, the time is over, or it is switched off.

use std::time::Duration;

use discord_simulator::{Rate, RestFaultKind};

use super::stage::{MESSAGES, Stage, delivered, everything, terminate, world};
use crate::support::{
    bot::{config_for, spawn},
    until,
};

/// Stopped during the backfill: it ends immediately, and the rest is left as rows for the next process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_while_it_reads_back() {
    let stage = Stage::new(world(0)).await;
    let control = stage.control();
    let mut bot = stage.spawn();
    stage.lose_sessions(6_000).await;
    stage.interrupt_backfill(400).await;
    terminate(&mut bot).await;
    assert!(stage.left().await > 0);
    let resumes = control.stats().resumes;
    control.clear_faults();
    let mut bot = stage.spawn();
    stage.resumed(resumes).await;
    stage.settle(everything).await;
    assert_eq!(control.stats().sessions_started(), 4);
    terminate(&mut bot).await;
    stage.end().await;
}

/// At the time limit, messages from the gateway count, and the gap lists the channels that were not read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_is_over() {
    let mut stage = Stage::new(world(60_000)).await;
    stage.config.levels.backfill_limit = Duration::from_secs(2);
    let control = stage.control();
    let bot = stage.start().await;
    stage.lose_sessions(2_000).await;
    stage.fail_pages(None, RestFaultKind::Status(500));
    control.reset(None);
    stage.up(4).await;
    control.set_rate(Rate::PerSecond(1_000.0));
    until("messages wait", async || {
        (stage.number("SELECT count(*) FROM backfill_message").await > 100).then_some(())
    })
    .await;
    until("nothing waits any more", async || {
        (stage.left().await == 0).then_some(())
    })
    .await;
    stage.settle(delivered).await;
    let gaps = stage.gaps().await;
    assert!(
        gaps.iter()
            .all(|gap| gap.read_back == 0 && gap.unread_channels > 0),
        "{gaps:?}"
    );
    let others = stage
        .number("SELECT count(*) FROM gap_unread WHERE reason <> 'time'")
        .await;
    assert_eq!(others, 0);
    stage.end_with(bot).await;
}

/// Without `levels.backfill` nothing is requested and nothing waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn off_nothing_is_read_back() {
    let mut stage = Stage::new(world(60_000)).await;
    stage.config = config_for(&stage.discord);
    let control = stage.control();
    let bot = stage.start().await;
    stage.lose_sessions(1_000).await;
    control.reset(None);
    stage.up(4).await;
    control.set_rate(Rate::PerSecond(1_000.0));
    stage.traffic(500).await;
    stage.settle(delivered).await;
    assert!(control.rest_calls(MESSAGES).is_empty());
    assert_eq!(stage.gaps().await.len(), 2);
    assert_eq!(stage.read_back().await, 0);
    stage.end_with(bot).await;
}

/// Switched off during the backfill: held messages count, nothing counts twice, and the rest is recorded as unread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switched_off_while_it_reads_back() {
    let stage = Stage::new(world(0)).await;
    let control = stage.control();
    let mut bot = stage.spawn();
    stage.lose_sessions(6_000).await;
    stage.interrupt_backfill(400).await;
    bot.kill().await.expect("SIGKILL");
    let resumes = control.stats().resumes;
    let mut bot = spawn(&stage.discord, &stage.scene.postgres.connection());
    stage.resumed(resumes).await;
    control.set_rate(Rate::Paused);
    until("everything that came counts", async || {
        let report = stage.against(&delivered(&stage.discord)).await;
        (report.lost == 0 && stage.left().await == 0 && control.drained()).then_some(())
    })
    .await;
    let report = stage.against(&everything(&stage.discord)).await;
    assert!(report.doubled == 0 && report.lost > 0, "{report}");
    let off = stage
        .number("SELECT count(*) FROM gap_unread WHERE reason = 'off'")
        .await;
    assert!(off > 0);
    terminate(&mut bot).await;
    stage.end().await;
}
