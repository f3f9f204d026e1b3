//! Reading back that ends early: the bot stops, the time is over, or it is switched off.

use std::time::Duration;

use discord_simulator::{Rate, RestFault, RestFaultKind};
use nix::sys::signal::Signal;

use super::{
    MESSAGES, after_a_quiet_loss, against, binary, config, everything, gaps, left, number, read_back, settle,
    signal, traffic, world,
};
use crate::support::{
    PATIENCE, Scene,
    bot::{command_on, config_for, discord, start, up},
    session::every_session_is_stored,
    until,
};

/// Stopped during the backfill: it ends immediately, and the rest is left as rows for the next process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_while_it_reads_back() {
    let scene = Scene::new().await;
    let discord = discord(world(0)).await;
    let control = discord.control();
    let store = scene.store();
    let connection = scene.postgres.connection();
    let mut bot = binary(&discord, &connection).spawn().expect("started");
    after_a_quiet_loss(&discord, &store, 6_000).await;
    control.add_fault(RestFault {
        route: MESSAGES.to_owned(),
        count: None,
        delay_ms: 400,
        kind: RestFaultKind::None,
    });
    control.reset(None);
    control.set_rate(Rate::PerSecond(500.0));
    until("a part is read back, and something waits", async || {
        let waits = number(&store, "SELECT count(*) FROM backfill_message").await;
        (read_back(&store).await > 0 && waits > 0).then_some(())
    })
    .await;
    every_session_is_stored(&discord, &store).await;
    signal(&bot, Signal::SIGTERM);
    assert_eq!(bot.wait().await.expect("an end").code(), Some(0));
    assert!(left(&store).await > 0);
    let resumes = control.stats().resumes;
    control.clear_faults();
    let mut bot = binary(&discord, &connection).spawn().expect("started");
    until("both sessions are resumed", async || {
        (control.stats().resumes >= resumes + 2).then_some(())
    })
    .await;
    settle(&discord, &store, everything).await;
    assert_eq!(control.stats().sessions_started(), 4);
    signal(&bot, Signal::SIGTERM);
    assert_eq!(bot.wait().await.expect("an end").code(), Some(0));
    scene.stop().await;
}

/// At the time limit, messages from the gateway count, and the gap lists the channels that were not read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_is_over() {
    let scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let store = scene.store();
    let mut config = config(&discord);
    config.levels.backfill_limit = Duration::from_secs(2);
    let bot = start(&config, scene.postgres.connection()).await;
    after_a_quiet_loss(&discord, &store, 2_000).await;
    control.add_fault(RestFault {
        route: MESSAGES.to_owned(),
        count: None,
        delay_ms: 0,
        kind: RestFaultKind::Status(500),
    });
    control.reset(None);
    up(&discord, 4).await;
    control.set_rate(Rate::PerSecond(1_000.0));
    until("messages wait", async || {
        (number(&store, "SELECT count(*) FROM backfill_message").await > 100).then_some(())
    })
    .await;
    until("nothing waits any more", async || {
        (left(&store).await == 0).then_some(())
    })
    .await;
    settle(&discord, &store, |discord| discord.oracle().expected()).await;
    let gaps = gaps(&store).await;
    assert!(
        gaps.iter()
            .all(|gap| gap.read_back == 0 && gap.unread_channels > 0),
        "{gaps:?}"
    );
    let others = number(&store, "SELECT count(*) FROM gap_unread WHERE reason <> 'time'").await;
    assert_eq!(others, 0);
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// Without `levels.backfill` nothing is asked for and nothing waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn off_nothing_is_read_back() {
    let scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let store = scene.store();
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    after_a_quiet_loss(&discord, &store, 1_000).await;
    control.reset(None);
    up(&discord, 4).await;
    control.set_rate(Rate::PerSecond(1_000.0));
    traffic(&discord, 500).await;
    settle(&discord, &store, |discord| discord.oracle().expected()).await;
    assert!(control.rest_calls(MESSAGES).is_empty());
    assert_eq!(gaps(&store).await.len(), 2);
    assert_eq!(read_back(&store).await, 0);
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// Switched off during the backfill: held messages count, nothing counts twice, and the rest is recorded as unread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switched_off_while_it_reads_back() {
    let scene = Scene::new().await;
    let discord = discord(world(0)).await;
    let control = discord.control();
    let store = scene.store();
    let connection = scene.postgres.connection();
    let mut bot = binary(&discord, &connection).spawn().expect("started");
    after_a_quiet_loss(&discord, &store, 6_000).await;
    control.add_fault(RestFault {
        route: MESSAGES.to_owned(),
        count: None,
        delay_ms: 400,
        kind: RestFaultKind::None,
    });
    control.reset(None);
    control.set_rate(Rate::PerSecond(500.0));
    until("a part is read back, and something waits", async || {
        let waits = number(&store, "SELECT count(*) FROM backfill_message").await;
        (read_back(&store).await > 0 && waits > 0).then_some(())
    })
    .await;
    every_session_is_stored(&discord, &store).await;
    bot.kill().await.expect("SIGKILL");
    let resumes = control.stats().resumes;
    let mut bot = command_on(&discord, &connection).spawn().expect("started");
    until("both sessions are resumed", async || {
        (control.stats().resumes >= resumes + 2).then_some(())
    })
    .await;
    control.set_rate(Rate::Paused);
    until("everything that came counts", async || {
        let report = against(&discord.oracle().expected(), &store).await;
        (report.lost == 0 && left(&store).await == 0 && control.drained()).then_some(())
    })
    .await;
    let report = against(&everything(&discord), &store).await;
    assert!(report.doubled == 0 && report.lost > 0, "{report}");
    let off = number(&store, "SELECT count(*) FROM gap_unread WHERE reason = 'off'").await;
    assert!(off > 0);
    signal(&bot, Signal::SIGTERM);
    assert_eq!(bot.wait().await.expect("an end").code(), Some(0));
    scene.stop().await;
}
