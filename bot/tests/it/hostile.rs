//! A gateway that breaks the protocol, does not answer, or delivers out of order: no panic, and every event counts once.

use std::time::Duration;

use discord_simulator::{Rate, Simulator, SimulatorConfig};
use eventide::{app::bot::Bot, config::Config, discord::shards::ShardState, postgres::Statement};
use serde_json::{Value, json};

use crate::support::{
    PATIENCE, Scene,
    bot::{config_for, discord, page, settle_exactly, start, up},
    until,
};

const RATE: f64 = 500.0;

/// A member who is not in the simulator's world.
const STRANGER: u64 = 5;

fn world() -> SimulatorConfig {
    SimulatorConfig {
        shards: 2,
        rate: Rate::PerSecond(RATE),
        ..SimulatorConfig::default()
    }
}

/// A bot that reads the content of messages, with short timeouts.
fn config(discord: &Simulator) -> Config {
    let mut config = config_for(discord);
    config.discord.message_content = true;
    config.gateway.ready_timeout = Duration::from_secs(1);
    config.gateway.max_backoff = Duration::from_secs(1);
    config
}

async fn count(bot: &Bot, name: &str) -> f64 {
    let page = page(bot, "/metrics").await;
    let values = page.lines().filter(|line| line.starts_with(name));
    values
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// Wait until this many sessions have started in total, and the bot knows the current ones: an unknown one cannot be resumed.
async fn ready(discord: &Simulator, bot: &Bot, sessions: usize) {
    up(discord, sessions).await;
    until("every shard is up", async || {
        let shards = bot.shards.list();
        shards
            .iter()
            .all(|shard| shard.state() == ShardState::Up)
            .then_some(())
    })
    .await;
}

/// Wait until this many more messages were delivered to sessions.
async fn traffic(discord: &Simulator, messages: u64) {
    let sent = discord.oracle().sent();
    until("messages come", async || {
        (discord.oracle().sent() >= sent + messages).then_some(())
    })
    .await;
}

/// Invalid events within a session: they are skipped, or the session ends, and the next one counts everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_a_session_ends_it_and_nothing_else() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let control = discord.control();
    let bot = start(&config(&discord), scene.postgres.connection()).await;
    ready(&discord, &bot, 2).await;
    // A panic here would happen again with each replay.
    let member = |member: Value| {
        json!({
            "id": "1300000000000000001", "channel_id": "400000000000000000", "content": "!rank", "member": member,
            "author": {"id": "200000000000000000", "username": "n", "bot": true},
        })
    };
    for value in [json!(7), json!("text"), json!([1]), json!(null), json!({})] {
        control.dispatch(None, "MESSAGE_CREATE", &member(value).to_string());
    }
    // A message by a user is parsed further. It counts for a member whom the oracle does not know.
    let guild = discord.world().guilds()[0].id();
    let mut person = member(json!(7));
    person["guild_id"] = json!(guild.to_string());
    person["author"] = json!({"id": STRANGER.to_string(), "username": "n"});
    control.dispatch(Some(guild), "MESSAGE_CREATE", &person.to_string());
    let store = scene.store();
    until("it is counted", async || {
        let statement = Statement::new(
            "remove_stranger",
            &[],
            "DELETE FROM member_xp WHERE user_id = 5 RETURNING 1",
        );
        let removed = store.query(statement, &[]).await.expect("deleted");
        (!removed.is_empty()).then_some(())
    })
    .await;
    traffic(&discord, 200).await;
    assert_eq!(control.stats().sessions_started(), 2);

    let mut sessions = 2;
    for text in [
        r#"{"t":"TYPING_START","s":4611686018427387904,"op":0,"d":{}}"#,
        r#"{"t":"READY","s":1,"op":0,"d":{"session_id":"other","resume_gateway_url":"ws://192.0.2.1"}}"#,
        r#"{"t":"READY","s":18446744073709551615,"op":0,"d":null}"#,
    ] {
        control.pause();
        until("all is read", async || control.drained().then_some(())).await;
        control.send_text(Some(0), text);
        sessions += 1;
        ready(&discord, &bot, sessions).await;
        control.set_rate(Rate::PerSecond(RATE));
        traffic(&discord, 200).await;
    }
    // A connection that cannot be read on is resumed.
    let resumes = control.stats().resumes;
    control.send_binary(Some(0), b"no zstd, and no UTF-8: \xff\xfe");
    until("the session is resumed", async || {
        (control.stats().resumes > resumes).then_some(())
    })
    .await;
    traffic(&discord, 200).await;
    control.pause();
    settle_exactly(&discord, &store).await;
    assert_eq!(control.stats().sessions_started(), sessions);
    assert!(count(&bot, "eventide_gateway_violations_total").await >= 3.0);
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// Invalid events at the start of a connection: the bot tries again, and is up as soon as Discord works properly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_beginning_is_tried_again() {
    let scene = Scene::new().await;
    let mut world = world();
    world.gateway.hello = Some(r#"{"heartbeat_interval":0}"#.to_owned());
    let discord = discord(world).await;
    let control = discord.control();
    let bot = start(&config(&discord), scene.postgres.connection()).await;
    let hellos = [
        r#"{"heartbeat_interval":1}"#,
        r#"{"heartbeat_interval":9223372036854775808}"#,
        "{}",
        "null",
    ];
    let mut opened = 0;
    for hello in hellos.map(Some).into_iter().chain([None]) {
        until("both shards have tried", async || {
            (control.stats().connections_opened >= opened + 2).then_some(())
        })
        .await;
        opened = control.stats().connections_opened;
        control.change_gateway(|rules| rules.hello = hello.map(str::to_owned));
    }
    ready(&discord, &bot, 2).await;

    // The same for READY. The last session ID is valid again. Events of a session whose READY cannot be parsed are lost, so none are sent
    // meanwhile.
    control.pause();
    until("all is read", async || control.drained().then_some(())).await;
    control.invalidate(Some(0), false);
    for (field, value) in [
        ("session_id", None),
        ("session_id", Some(json!("a\0b"))),
        ("session_id", Some(json!("x".repeat(10 << 20)))),
        ("resume_gateway_url", Some(json!(null))),
    ] {
        let sessions = control.stats().sessions_started();
        control.change_gateway(|rules| rules.ready_fields = vec![(field.to_owned(), value)]);
        until("the shard has tried", async || {
            (control.stats().sessions_started() > sessions).then_some(())
        })
        .await;
    }
    control.change_gateway(|rules| rules.ready_fields.clear());
    let sessions = control.stats().sessions_started();
    ready(&discord, &bot, sessions + 1).await;
    let unreadable = count(&bot, "eventide_gateway_events_malformed_total{event=\"READY\"}").await;
    assert!(unreadable >= 2.0, "{unreadable}");
    // A URL that would send the token elsewhere in plain text is not followed.
    for url in ["ws://192.0.2.1:1", "ws://a b"] {
        control.change_gateway(|rules| {
            rules.ready_fields = vec![("resume_gateway_url".to_owned(), Some(json!(url)))];
        });
        let stats = control.stats();
        control.invalidate(Some(1), false);
        ready(&discord, &bot, stats.sessions_started() + 1).await;
        control.reset(Some(1));
        until("the session is resumed at the usual address", async || {
            (control.stats().resumes > stats.resumes).then_some(())
        })
        .await;
    }
    control.set_rate(Rate::PerSecond(RATE));
    traffic(&discord, 200).await;
    control.pause();
    settle_exactly(&discord, &scene.store()).await;
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// IDENTIFY and RESUME that are not answered are tried again; the session survives some of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_gateway_is_left() {
    let scene = Scene::new().await;
    let mut world = world();
    world.gateway.silent = true;
    // The second shard waits for its turn longer than Discord's time limit, which is not an error.
    world.gateway.max_concurrency = 1;
    world.gateway.identify_window = Duration::ZERO;
    let discord = discord(world).await;
    let control = discord.control();
    let bot = start(&config(&discord), scene.postgres.connection()).await;
    until("the first shard has tried again", async || {
        (control.stats().connections_opened >= 3).then_some(())
    })
    .await;
    control.change_gateway(|rules| rules.silent = false);
    ready(&discord, &bot, 2).await;
    assert!(count(&bot, "eventide_gateway_unanswered_total").await >= 1.0);

    control.change_gateway(|rules| rules.silent = true);
    let before = control.stats().connections_opened;
    control.reset(None);
    until("both shards have tried again", async || {
        (control.stats().connections_opened >= before + 4).then_some(())
    })
    .await;
    control.change_gateway(|rules| rules.silent = false);
    ready(&discord, &bot, 2).await;
    traffic(&discord, 200).await;
    control.pause();
    settle_exactly(&discord, &scene.store()).await;
    assert_eq!(control.stats().sessions_started(), 2, "the sessions were resumed");
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// An event that never comes is a gap after a second, and the shard goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_never_comes_is_a_gap() {
    const SKIPPED: i64 = 40;
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let control = discord.control();
    let bot = start(&config(&discord), scene.postgres.connection()).await;
    ready(&discord, &bot, 2).await;
    traffic(&discord, 200).await;
    control.pause();
    let store = scene.store();
    settle_exactly(&discord, &store).await;
    let stored = Statement::new(
        "stored_sequence",
        &[],
        "SELECT sequence FROM shard_checkpoint WHERE shard_id = 0",
    );
    let stored: i64 = store.query(stored, &[]).await.expect("read")[0].get(0);
    let early = json!({"t": "TYPING_START", "s": stored + SKIPPED, "op": 0, "d": {}});
    control.send_text(Some(0), &early.to_string());
    until("the gap is noticed", async || {
        (count(&bot, "eventide_gateway_gaps_total{reason=\"sequence\"}").await >= 1.0).then_some(())
    })
    .await;
    // The simulator has not skipped these numbers.
    let guilds = discord.world().guilds();
    let of_shard_0 = guilds.iter().find(|guild| (guild.id() >> 22).is_multiple_of(2));
    for _ in 0..2 * SKIPPED {
        control.dispatch(of_shard_0.map(discord_simulator::Guild::id), "TYPING_START", "{}");
    }
    control.set_rate(Rate::PerSecond(RATE));
    traffic(&discord, 200).await;
    control.pause();
    settle_exactly(&discord, &store).await;
    assert_eq!(control.stats().sessions_started(), 2);
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// Events out of order, with dropped connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_out_of_order_count_once_and_are_no_gap() {
    let scene = Scene::new().await;
    let mut world = world();
    world.gateway.swaps_events = true;
    let discord = discord(world).await;
    let control = discord.control();
    let bot = start(&config(&discord), scene.postgres.connection()).await;
    ready(&discord, &bot, 2).await;
    for round in 1..=5 {
        traffic(&discord, 500).await;
        control.reset(None);
        // A connection that is reset before it has resumed counts as a failed one, after which the pauses grow.
        until("both have resumed", async || {
            (control.stats().resumes >= 2 * round).then_some(())
        })
        .await;
        ready(&discord, &bot, 2).await;
    }
    control.pause();
    settle_exactly(&discord, &scene.store()).await;
    assert!(count(&bot, "eventide_gateway_events_reordered_total").await > 100.0);
    assert!(count(&bot, "eventide_gateway_gaps_total").await < 1.0);
    assert_eq!(control.stats().sessions_started(), 2);
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}
