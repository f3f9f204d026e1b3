//! Backfill after lost sessions: each message counts once and in order, and what could not be read is recorded.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, SystemTime},
};

use discord_simulator::{
    LevelRules, LimitScope, Members, Rate, Refusal, Report, RestFault, RestFaultKind, RestRules, Simulator,
    SimulatorConfig,
};
use eventide::{
    app::demo,
    config::{Config, ShardCount},
    discord::shards::{ShardState, ShardStatus},
    pipeline::{
        backfill::rows,
        rows::gap::{self, Recorded},
    },
    postgres::{Statement, Store},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

use crate::support::{
    PATIENCE, Scene,
    bot::{command, command_on, config_for, discord, settle_exactly, start, up, url},
    session::every_session_is_stored,
    until,
};

mod pages;

const MESSAGES: &str = "GET /channels/{id}/messages";

/// Two shards with accelerated time, so that cooldowns end, and a Discord whose limits allow a short test.
fn world(cooldown_ms: u64) -> SimulatorConfig {
    SimulatorConfig {
        shards: 2,
        guilds: 16,
        members: 1_500,
        time_scale: 60.0,
        levels: LevelRules {
            cooldown_ms,
            ..LevelRules::default()
        },
        rest: RestRules {
            global_per_second: 1_000,
            ..RestRules::default()
        },
        ..SimulatorConfig::default()
    }
}

fn config(discord: &Simulator) -> Config {
    let mut config = config_for(discord);
    config.levels.backfill = true;
    config.discord.requests_per_second = 800;
    config
}

/// The real binary.
fn binary(discord: &Simulator, connection: &tokio_postgres::Config) -> Command {
    let mut command = command_on(discord, connection);
    command
        .env("EVENTIDE__LEVELS__BACKFILL", "true")
        .env("EVENTIDE__DISCORD__REQUESTS_PER_SECOND", "800");
    command
}

fn signal(bot: &Child, signal: Signal) {
    let pid = i32::try_from(bot.id().expect("a running bot")).expect("a pid");
    kill(Pid::from_raw(pid), signal).expect("a signal");
}

async fn number(store: &Store, sql: &'static str) -> i64 {
    let statement = Statement {
        name: "number",
        types: &[],
        sql,
    };
    store.query(statement, &[]).await.expect("counted")[0].get(0)
}

/// The number of rows about messages to be read and held messages.
async fn left(store: &Store) -> i64 {
    number(
        store,
        "SELECT (SELECT count(*) FROM backfill_channel) + (SELECT count(*) FROM backfill_message)",
    )
    .await
}

async fn gaps(store: &Store) -> Vec<Recorded> {
    gap::list(store, SystemTime::UNIX_EPOCH, 100).await.expect("gaps")
}

async fn read_back(store: &Store) -> i64 {
    gaps(store).await.iter().map(|gap| gap.read_back).sum()
}

/// Everything that was ever sent, whether or not a session was there for it.
fn everything(discord: &Simulator) -> Members {
    discord
        .oracle()
        .expected_with_missed(&HashMap::new())
        .expect("nothing is forgotten")
}

async fn against(expected: &Members, store: &Store) -> Report {
    Report::new(expected, demo::rows(store).await.expect("rows"))
}

/// Stop the traffic, wait until all is read, and see that the rows are exactly these.
async fn settle(discord: &Simulator, store: &Store, expected: impl Fn(&Simulator) -> Members) {
    discord.control().set_rate(Rate::Paused);
    let deadline = Instant::now() + PATIENCE;
    let report = loop {
        let report = against(&expected(discord), store).await;
        let over = report.counted >= report.sent && left(store).await == 0 && discord.control().drained();
        if over || Instant::now() > deadline {
            break report;
        }
        sleep(Duration::from_millis(50)).await;
    };
    let left = left(store).await;
    assert!(
        report.is_exact() && report.sent > 0 && left == 0,
        "{report}: {:?}; {left} left; {:?}; {:?}",
        report.examples,
        gaps(store).await,
        discord.control().stats()
    );
}

/// Wait until this many more messages were delivered to sessions.
async fn traffic(discord: &Simulator, messages: u64) {
    let sent = discord.oracle().sent();
    until("messages come", async || {
        (discord.oracle().sent() >= sent + messages).then_some(())
    })
    .await;
}

/// Wait until this many more messages were sent without a session to receive them.
async fn missed(discord: &Simulator, messages: u64) {
    let control = discord.control();
    let before = control.stats().missed;
    until("messages are missed", async || {
        (control.stats().missed >= before + messages).then_some(())
    })
    .await;
}

/// Sessions that Discord ends under load, in all its ways.
async fn lost_under_load(cooldown_ms: u64) {
    let scene = Scene::new().await;
    let discord = discord(world(cooldown_ms)).await;
    let control = discord.control();
    let store = scene.store();
    let bot = start(&config(&discord), scene.postgres.connection()).await;
    control.set_rate(Rate::PerSecond(2_000.0));
    let mut sessions = 2;
    let ways: [&dyn Fn(); 3] = [
        &|| {
            control.invalidate(None, false);
        },
        &|| {
            control.change_gateway(|rules| rules.lost_session = Refusal::Close(4009));
            control.kill_sessions(None);
            control.reset(None);
        },
        // Only one shard, while the other continues.
        &|| {
            control.invalidate(Some(1), false);
        },
    ];
    for (way, lost) in ways.iter().zip([2, 2, 1]) {
        up(&discord, sessions).await;
        traffic(&discord, 1_000).await;
        way();
        missed(&discord, 1_000).await;
        sessions += lost;
    }
    up(&discord, sessions).await;
    traffic(&discord, 500).await;
    settle(&discord, &store, everything).await;
    let gaps = gaps(&store).await;
    assert_eq!(gaps.len(), 5);
    // What a gap misses in a channel that is still being read counts for the earlier gap.
    for shard_id in [0, 1] {
        let of_shard = gaps.iter().filter(|gap| gap.shard_id == shard_id);
        assert!(of_shard.map(|gap| gap.read_back).sum::<i64>() > 0, "{gaps:?}");
    }
    assert!(gaps.iter().all(|gap| gap.unread_channels == 0), "{gaps:?}");
    assert_eq!(control.stats().rest_rate_limited, 0);
    assert_eq!(control.stats().sessions_started(), sessions);
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_lost_under_load_with_a_cooldown() {
    lost_under_load(60_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_lost_under_load_without_a_cooldown() {
    lost_under_load(0).await;
}

/// Killed, offline for too long, and killed repeatedly during the backfill.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_reads_back() {
    let scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let store = scene.store();
    let connection = scene.postgres.connection();
    control.set_rate(Rate::PerSecond(1_000.0));
    let mut bot = binary(&discord, &connection).spawn().expect("started");
    up(&discord, 2).await;
    traffic(&discord, 1_000).await;
    every_session_is_stored(&discord, &store).await;
    bot.kill().await.expect("SIGKILL");
    control.kill_sessions(None);
    missed(&discord, 4_000).await;
    // Slow enough to be killed in the middle, four times, on a busy machine as well.
    control.add_fault(RestFault {
        route: MESSAGES.to_owned(),
        count: None,
        delay_ms: 500,
        kind: RestFaultKind::None,
    });
    for kills in 0..4 {
        let before = read_back(&store).await;
        let mut bot = binary(&discord, &connection).spawn().expect("started");
        until("a part is read back", async || {
            (read_back(&store).await > before).then_some(())
        })
        .await;
        assert!(
            left(&store).await > 0,
            "there is nothing left after {kills} kills"
        );
        if kills == 2 {
            // The session is lost meanwhile: another gap over the one that is not read yet.
            control.invalidate(None, false);
            missed(&discord, 500).await;
        }
        bot.kill().await.expect("SIGKILL");
    }
    control.clear_faults();
    let mut bot = binary(&discord, &connection).spawn().expect("started");
    until("the bot is there", async || {
        (control.stats().connections_open == 2).then_some(())
    })
    .await;
    settle(&discord, &store, everything).await;
    assert!(gaps(&store).await.iter().all(|gap| gap.unread_channels == 0));
    signal(&bot, Signal::SIGTERM);
    assert_eq!(bot.wait().await.expect("an end").code(), Some(0));
    scene.stop().await;
}

/// Every answer that says to try again is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discord_s_rest_is_ill_meanwhile() {
    let scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let store = scene.store();
    let mut config = config(&discord);
    config.discord.request_timeout = Duration::from_secs(1);
    let bot = start(&config, scene.postgres.connection()).await;
    control.set_rate(Rate::PerSecond(1_500.0));
    up(&discord, 2).await;
    traffic(&discord, 500).await;
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
        control.add_fault(RestFault {
            route: MESSAGES.to_owned(),
            count: Some(count),
            delay_ms: 0,
            kind,
        });
    }
    control.invalidate(None, false);
    missed(&discord, 1_000).await;
    up(&discord, 4).await;
    settle(&discord, &store, everything).await;
    let answers: BTreeSet<u16> = control
        .rest_calls(MESSAGES)
        .iter()
        .map(|call| call.status)
        .collect();
    for status in [200, 429, 500, 503] {
        assert!(answers.contains(&status), "{answers:?}");
    }
    assert!(gaps(&store).await.iter().all(|gap| gap.unread_channels == 0));
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// A world in which everything sent so far is counted, after which this many messages are missed.
async fn after_a_quiet_loss(discord: &Simulator, store: &Store, events: u64) {
    let control = discord.control();
    up(discord, 2).await;
    control.generate(3_000);
    until("the first messages are sent", async || {
        (discord.oracle().sent() > 1_000).then_some(())
    })
    .await;
    settle_exactly(discord, store).await;
    control.kill_sessions(None);
    let before = control.stats().missed;
    control.generate(events);
    until("all of it is missed", async || {
        (control.stats().missed >= before + events).then_some(())
    })
    .await;
}

/// A channel that the bot may not read, and one that was deleted: exactly their messages are missing, and the gap lists these channels.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_that_cannot_be_read() {
    let scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let store = scene.store();
    let bot = start(&config(&discord), scene.postgres.connection()).await;
    after_a_quiet_loss(&discord, &store, 6_000).await;
    for status in [403, 404] {
        control.add_fault(RestFault {
            route: MESSAGES.to_owned(),
            count: Some(1),
            delay_ms: 0,
            kind: RestFaultKind::Status(status),
        });
    }
    control.reset(None);
    up(&discord, 4).await;
    until("nothing is left to be read", async || {
        let over = gaps(&store).await;
        let read = over.iter().all(|gap| gap.read_back > 0) && over.len() == 2;
        (read && left(&store).await == 0).then_some(())
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
    settle(&discord, &store, |discord| {
        discord
            .oracle()
            .expected_with_missed_in(&HashMap::new(), |channel| {
                refused.iter().all(|(id, _)| *id != channel)
            })
            .expect("nothing is forgotten")
    })
    .await;
    let report = against(&everything(&discord), &store).await;
    assert!(report.lost > 0, "nothing was sent in those channels");

    let gaps = gaps(&store).await;
    assert_eq!(gaps.iter().map(|gap| gap.unread_channels).sum::<i64>(), 2);
    let ids: Vec<i64> = gaps.iter().map(|gap| gap.gap_id).collect();
    let mut unread = rows::unread(&store, &ids).await.expect("read");
    unread.sort_by(|a, b| b.reason.cmp(&a.reason));
    for ((channel, status), unread) in refused.iter().zip(&unread) {
        let reason = if *status == 403 { "no_access" } else { "gone" };
        assert_eq!(
            (unread.channel_id.cast_unsigned(), &*unread.reason),
            (*channel, reason)
        );
    }

    let shown = async |arguments: &[&str]| {
        let output = command(arguments)
            .env("DATABASE_URL", url(&scene.postgres.connection()))
            .output()
            .await
            .expect("ran");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("text")
    };
    let table = shown(&["gaps"]).await;
    assert!(
        table.contains("2 channels were not read back: 1 gone, 1 no_access"),
        "{table}"
    );
    let json = shown(&["gaps", "--json"]).await;
    for (channel, _) in &refused {
        assert!(json.contains(&format!("\"channel_id\":\"{channel}\"")), "{json}");
    }
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

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

/// Held messages fill the memory, and nothing can be read: the backfill is abandoned, but not the session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_fills_the_memory() {
    let scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let store = scene.store();
    let mut config = config(&discord);
    config.ledger.max_memory_bytes = 1 << 18;
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
    control.set_rate(Rate::PerSecond(3_000.0));
    until("the shards have closed", async || {
        (control.stats().connections_open == 0).then_some(())
    })
    .await;
    // What one shard abandons makes room for the other, which then continues until the memory is full again.
    control.set_rate(Rate::PerSecond(500.0));
    until("each shard has given up what it reads", async || {
        let gaps = gaps(&store).await;
        (gaps.len() == 2 && gaps.iter().all(|gap| gap.unread_channels > 0)).then_some(())
    })
    .await;
    control.set_rate(Rate::Paused);
    settle(&discord, &store, |discord| discord.oracle().expected()).await;
    let others = number(&store, "SELECT count(*) FROM gap_unread WHERE reason <> 'memory'").await;
    assert!(others == 0 && gaps(&store).await.iter().all(|gap| gap.unread_channels > 0));
    assert_eq!(control.stats().sessions_started(), 4, "the sessions were resumed");
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

/// PostgreSQL becomes unavailable, and there is little memory for held messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_with_a_small_ledger_while_it_reads_back() {
    let mut scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let store = scene.store();
    let mut config = config(&discord);
    config.ledger.max_memory_bytes = 1 << 19;
    let bot = start(&config, scene.postgres.connection()).await;
    after_a_quiet_loss(&discord, &store, 6_000).await;
    control.add_fault(RestFault {
        route: MESSAGES.to_owned(),
        count: None,
        delay_ms: 100,
        kind: RestFaultKind::None,
    });
    control.reset(None);
    control.set_rate(Rate::PerSecond(5_000.0));
    // A shard that waits for its turn to identify would miss all of the outage.
    until(
        "a part is read back, and both shards have new sessions",
        async || {
            let is_begun = read_back(&store).await > 0;
            (is_begun && control.stats().sessions_started() == 4).then_some(())
        },
    )
    .await;
    kill(Pid::from_raw(scene.postgres.pid()), Signal::SIGQUIT).expect("a signal");
    until("the ledger is full", async || {
        (bot.memory.is_full() && control.stats().connections_open == 0).then_some(())
    })
    .await;
    scene
        .postgres
        .restart(eventide::postgres::embedded::StopMode::Immediate)
        .await
        .expect("a restart");
    control.clear_faults();
    assert!(
        bot.memory.used() < 2 << 19,
        "the bound holds: {}",
        bot.memory.used()
    );
    settle(&discord, &store, everything).await;
    assert_eq!(control.stats().sessions_started(), 4);
    until("the memory is given back", async || {
        (bot.memory.used() == 0).then_some(())
    })
    .await;
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// The number of shards changes back and forth while the bot is stopped, each time with the old sessions, which have died meanwhile, and
/// what they missed in addition to the new ones. A shard does not read back from what it saw before other shards had its guilds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_number_of_shards_and_back() {
    let scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let store = scene.store();
    let mut config = config(&discord);
    control.set_rate(Rate::PerSecond(1_000.0));
    for (before, count) in [(2, 2), (2, 1), (1, 2)] {
        // Nobody has a session, and nothing happens, while the number changes.
        control.set_rate(Rate::Paused);
        control.kill_sessions(None);
        config.gateway.shard_count = ShardCount::Fixed(count);
        let bot = start(&config, scene.postgres.connection()).await;
        until("there are sessions again, of each number", async || {
            let shards = bot.shards.list();
            let up = |shard: &Arc<ShardStatus>| shard.state() == ShardState::Up;
            (shards.iter().any(|shard| shard.key().count == count) && shards.iter().all(up)).then_some(())
        })
        .await;
        control.set_rate(Rate::PerSecond(1_000.0));
        until("there are as many shards, and each is up", async || {
            let shards = bot.shards.list();
            let up = |shard: &Arc<ShardStatus>| shard.key().count == count && shard.state() == ShardState::Up;
            (bot.shards.are_counted(count) && shards.len() == count as usize && shards.iter().all(up))
                .then_some(())
        })
        .await;
        if before != count {
            // Messages that the old sessions did not receive are not delivered to any.
            control.kill_unconnected_sessions(before);
        }
        traffic(&discord, 700).await;
        settle(&discord, &store, everything).await;
        bot.drain(PATIENCE).await.expect("a clean end");
    }
    assert_eq!(read_back(&store).await, 0);
    scene.stop().await;
}

/// A backup is older than what was counted later: after a restore, that is a gap like any other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_after_a_backup_is_read_back_after_its_restore() {
    let scene = Scene::new().await;
    let directory = tempfile::TempDir::new().expect("a directory");
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let store = scene.store();
    let config = config(&discord);
    let run = async |arguments: &[&str]| {
        let output = command(arguments)
            .env("DATABASE_URL", url(&scene.postgres.connection()))
            .output()
            .await
            .expect("ran");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
    };
    control.set_rate(Rate::PerSecond(1_000.0));
    let bot = start(&config, scene.postgres.connection()).await;
    up(&discord, 2).await;
    traffic(&discord, 1_000).await;
    let file = directory.path().join("a.dump");
    let file = file.to_str().expect("text");
    run(&["backup", "--out", file]).await;
    traffic(&discord, 1_500).await;
    bot.drain(PATIENCE).await.expect("a clean end");
    control.kill_sessions(None);
    run(&["restore", file, "--replace", "--yes"]).await;
    let bot = start(&config, scene.postgres.connection()).await;
    up(&discord, 4).await;
    traffic(&discord, 500).await;
    settle(&discord, &store, everything).await;
    for gap in gaps(&store).await {
        assert!(gap.reason == "restore" && gap.read_back > 0, "{gap:?}");
    }
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}
