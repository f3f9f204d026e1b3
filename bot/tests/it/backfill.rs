//! Backfill after lost sessions: each message counts once and in order, and what could not be read is recorded.

mod ends;
mod faults;
mod pages;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use discord_simulator::{
    LevelRules, Members, Rate, Refusal, Report, RestFault, RestFaultKind, RestRules, Simulator,
    SimulatorConfig,
};
use eventide::{
    app::demo,
    config::{Config, ShardCount},
    discord::shards::{ShardState, ShardStatus},
    pipeline::rows::gap::{self, Recorded},
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
    bot::{command_on, config_for, discord, settle_exactly, start, up},
    session::every_session_is_stored,
    until,
};

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
