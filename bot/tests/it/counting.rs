//! Every event counts exactly once: the database against the simulator's oracle.

use std::{sync::Arc, time::Duration};

use discord_simulator::{LevelRules, PrunedResume, Rate, SimulatorConfig};
use eventide::{
    discord::shards::{ShardState, ShardStatus},
    postgres::embedded::StopMode,
};
use nix::sys::signal::Signal;
use tokio::time::sleep;

use crate::support::{
    PATIENCE, Scene,
    bot::{command_on, compare, config_for, discord, settle_exactly, spawn, start},
    commit_cutter::CommitCutter,
    full_counts,
    session::every_session_is_stored,
    until,
};

fn world(cooldown_ms: u64) -> SimulatorConfig {
    SimulatorConfig {
        shards: 4,
        guilds: 200,
        members: 20_000,
        levels: LevelRules {
            cooldown_ms,
            ..LevelRules::default()
        },
        ..SimulatorConfig::default()
    }
}

/// 200,000 messages over 4 shards; in simulated time they take much longer than the cooldown.
async fn a_large_world(cooldown_ms: u64) {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        generate_gap_ms: 20.0,
        ..world(cooldown_ms)
    })
    .await;
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    discord.control().generate(260_000);
    let store = scene.store();
    until("200,000 messages are sent", async || {
        (discord.oracle().sent() >= 200_000).then_some(())
    })
    .await;
    settle_exactly(&discord, &store).await;
    bot.drain(PATIENCE).await.expect("a clean end");
    assert!(compare(&discord, &store).await.is_exact());
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_world_with_a_cooldown() {
    a_large_world(60_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_world_without_a_cooldown() {
    a_large_world(0).await;
}

/// How often something goes wrong: 20 times, or a few.
fn times() -> u32 {
    if full_counts() { 20 } else { 6 }
}

/// Kill the real binary at random times under load, with sessions that survive. If heartbeats discard events, every second kill follows a
/// heartbeat.
async fn kill_often(config: SimulatorConfig) {
    let prunes = config.gateway.heartbeat_prunes;
    let scene = Scene::new().await;
    let discord = discord(config).await;
    let control = discord.control();
    control.set_rate(Rate::PerSecond(2_000.0));
    let connection = scene.postgres.connection();
    let store = scene.store();
    for kill in 0..times() {
        let mut bot = spawn(&discord, &connection);
        let before = control.stats();
        until("the bot receives", async || {
            (control.stats().delivered > before.delivered + 200).then_some(())
        })
        .await;
        every_session_is_stored(&discord, &store).await;
        if prunes && kill % 2 == 0 {
            until("a heartbeat prunes", async || {
                (control.stats().heartbeats > before.heartbeats).then_some(())
            })
            .await;
        }
        // The moment of the kill is meant to be random; nothing waits for it.
        sleep(Duration::from_millis(fastrand::u64(
            0..if prunes { 3_600 } else { 900 },
        )))
        .await;
        bot.kill().await.expect("SIGKILL");
    }
    let mut bot = spawn(&discord, &connection);
    until("the bot has caught up", async || control.drained().then_some(())).await;
    settle_exactly(&discord, &store).await;
    let stats = control.stats();
    assert_eq!(stats.sessions_started(), 4, "a kill costs no identify");
    assert!(stats.replayed > 0, "nothing was in flight at any kill");
    assert_eq!(stats.pruned_and_lost, 0);
    stop(&mut bot).await;
    scene.stop().await;
}

async fn stop(bot: &mut tokio::process::Child) {
    signal(bot, Signal::SIGTERM);
    let status = bot.wait().await.expect("an end");
    assert_eq!(status.code(), Some(0), "a clean stop");
}

fn signal(bot: &tokio::process::Child, signal: Signal) {
    let pid = i32::try_from(bot.id().expect("a running bot")).expect("a pid");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).expect("a signal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills() {
    kill_often(world(60_000)).await;
}

/// Discord may discard what a heartbeat acknowledged. With 5 times as many heartbeats as Discord's, nothing is lost. (A heartbeat waits for
/// its flush for at most 4 s, as with Discord's interval; shorter intervals would need a machine that is never busy.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_with_sessions_that_forget() {
    let mut config = world(0);
    config.gateway.heartbeat_interval = Duration::from_secs(8);
    config.gateway.heartbeat_prunes = true;
    config.gateway.pruned_resume = PrunedResume::Omit;
    config.gateway.client_events_per_minute = 100_000;
    kill_often(config).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cuts_during_commit() {
    let scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let cutter = CommitCutter::start(scene.postgres.socket_directory());
    let through = cutter.connection(&scene.postgres.connection());
    let bot = start(&config_for(&discord), through).await;
    control.set_rate(Rate::PerSecond(3_000.0));
    for _ in 0..times() {
        cutter.cut_next();
        until("a COMMIT is cut", async || {
            (cutter.outstanding() == 0).then_some(())
        })
        .await;
    }
    let store = scene.store();
    settle_exactly(&discord, &store).await;
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// While the database is unavailable the ledger fills up, the shards close resumably, and they return when there is room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_with_a_small_ledger() {
    let mut scene = Scene::new().await;
    let discord = discord(world(0)).await;
    let control = discord.control();
    let mut config = config_for(&discord);
    config.ledger.max_memory_bytes = 1 << 20;
    let bot = start(&config, scene.postgres.connection()).await;
    control.set_rate(Rate::PerSecond(20_000.0));
    until("messages come", async || {
        (control.stats().delivered > 5_000).then_some(())
    })
    .await;
    crash(&scene);
    until("the ledger is full and every shard closed", async || {
        (control.stats().connections_open == 0 && bot.memory.used() > 0).then_some(())
    })
    .await;
    scene
        .postgres
        .restart(StopMode::Immediate)
        .await
        .expect("a restart");
    assert!(
        bot.memory.used() < 2 << 20,
        "the bound holds: {}",
        bot.memory.used()
    );
    let store = scene.store();
    settle_exactly(&discord, &store).await;
    assert_eq!(control.stats().sessions_started(), 4, "the sessions were resumed");
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// Everything that ends a connection but not its session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_end_in_every_way() {
    let scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let mut config = config_for(&discord);
    // The connections end as soon as they are up, so the pauses would grow up to a minute.
    config.gateway.max_backoff = Duration::from_secs(1);
    let bot = start(&config, scene.postgres.connection()).await;
    // A session whose READY never arrived cannot be resumed.
    until("every shard knows its session", async || {
        let up = |shard: &Arc<ShardStatus>| shard.state() == ShardState::Up;
        (bot.shards.list().iter().filter(|shard| up(shard)).count() == 4).then_some(())
    })
    .await;
    control.set_rate(Rate::PerSecond(3_000.0));
    let actions: [&dyn Fn() -> usize; 8] = [
        &|| control.reset(None),
        &|| control.drop_connections(None),
        &|| control.reconnect(None),
        &|| control.invalidate(None, true),
        &|| control.close(None, 4000),
        &|| control.close(None, 4008),
        &|| control.close(None, 1001),
        &|| control.ask_heartbeat(None),
    ];
    for action in actions {
        let resumes = control.stats().resumes;
        until("all shards are up", async || {
            (control.stats().connections_open == 4).then_some(())
        })
        .await;
        let heartbeats = control.stats().heartbeats;
        assert_eq!(action(), 4);
        until("the shards resumed, or sent the heartbeat", async || {
            let stats = control.stats();
            (stats.resumes >= resumes + 4 || stats.heartbeats >= heartbeats + 4).then_some(())
        })
        .await;
    }
    let store = scene.store();
    settle_exactly(&discord, &store).await;
    assert_eq!(control.stats().sessions_started(), 4);
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// After SIGTERM there is nothing to replay, and no identify is needed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_stop_leaves_nothing_to_replay() {
    let scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let connection = scene.postgres.connection();
    control.set_rate(Rate::PerSecond(2_000.0));
    let mut bot = spawn(&discord, &connection);
    until("messages come to every shard", async || {
        let stats = control.stats();
        (stats.delivered > 2_000 && stats.sessions_started() == 4).then_some(())
    })
    .await;
    control.set_rate(Rate::Paused);
    until("all was sent", async || control.drained().then_some(())).await;
    stop(&mut bot).await;
    let store = scene.store();
    let report = compare(&discord, &store).await;
    assert!(report.is_exact(), "{report}");

    let mut bot = spawn(&discord, &connection);
    until("the shards resumed", async || {
        (control.stats().resumes == 4).then_some(())
    })
    .await;
    // The signal of a closed terminal is a stop as well, unless the tests themselves run under nohup.
    let own = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let mask = own.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    if mask.is_some_and(|mask| mask.trim().ends_with(['0', '2', '4', '6', '8', 'a', 'c', 'e'])) {
        signal(&bot, Signal::SIGHUP);
        let status = bot.wait().await.expect("an end");
        assert_eq!(status.code(), Some(0), "a clean stop");
    } else {
        stop(&mut bot).await;
    }
    let stats = control.stats();
    assert_eq!((stats.replayed, stats.sessions_started()), (0, 4));
    assert!(compare(&discord, &store).await.is_exact());
    scene.stop().await;
}

/// While the database is unavailable the shutdown cannot finish: a second signal, or the timeout, ends it with exit code 1. Uncommitted
/// events are replayed at the next start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_that_cannot_end() {
    let mut scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let connection = scene.postgres.connection();
    let store = scene.store();
    control.set_rate(Rate::PerSecond(1_000.0));
    for forced in [true, false] {
        let mut bot = command_on(&discord, &connection)
            .env("EVENTIDE__PROCESS__SHUTDOWN_TIMEOUT_SECONDS", "3")
            .spawn()
            .expect("the binary starts");
        let before = compare(&discord, &store).await.counted;
        until("rows are written", async || {
            (compare(&discord, &store).await.counted > before).then_some(())
        })
        .await;
        every_session_is_stored(&discord, &store).await;
        crash(&scene);
        until("PostgreSQL has ended", async || {
            (!scene.postgres.is_running().await).then_some(())
        })
        .await;
        let delivered = control.stats().delivered;
        until("more than is committed", async || {
            (control.stats().delivered > delivered + 200).then_some(())
        })
        .await;
        signal(&bot, Signal::SIGTERM);
        until("the shards have closed", async || {
            (control.stats().connections_open == 0).then_some(())
        })
        .await;
        if forced {
            signal(&bot, Signal::SIGINT);
        }
        let status = bot.wait().await.expect("an end");
        assert_eq!(status.code(), Some(1), "forced: {forced}");
        scene
            .postgres
            .restart(StopMode::Immediate)
            .await
            .expect("a restart");
    }
    let mut bot = spawn(&discord, &connection);
    settle_exactly(&discord, &store).await;
    assert_eq!(control.stats().sessions_started(), 4);
    stop(&mut bot).await;
    scene.stop().await;
}

/// End PostgreSQL as a crash would.
fn crash(scene: &Scene) {
    let postmaster = nix::unistd::Pid::from_raw(scene.postgres.pid());
    nix::sys::signal::kill(postmaster, Signal::SIGQUIT).expect("a signal");
}
