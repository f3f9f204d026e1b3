//! The effects of a level on Discord: each once and in order, whatever breaks.

use std::time::Duration;

use discord_simulator::{
    Guild, LevelRules, Limit, LimitScope, Rate, RestFault, RestFaultKind, RestRules, Simulator,
    SimulatorConfig,
};
use eventide::{
    config::{Announce, Config},
    features::levels::effects::announcement::LevelUp,
    outbox::queue::{self, NewEffect},
    postgres::{Statement, Store},
    settings::Template,
};
use tokio::process::Child;
use twilight_model::id::Id;

use crate::support::{
    PATIENCE, Scene,
    bot::{command, command_on, config_for, discord, quiet, settle_exactly, start, up, url},
    commit_cutter::CommitCutter,
    effects::{Courier, TEMPLATE, announced, delivered, effects},
    session::every_session_is_stored,
    until,
};

const MESSAGES: &str = "POST /channels/{id}/messages";

/// A Discord without limits in the way, so that the test is fast.
fn world() -> SimulatorConfig {
    SimulatorConfig {
        shards: 2,
        guilds: 6,
        members: 120,
        levels: LevelRules {
            cooldown_ms: 0,
            ..LevelRules::default()
        },
        rest: RestRules {
            messages: Limit {
                requests: 1_000,
                per: Duration::from_secs(1),
            },
            global_per_second: 1_000,
            ..RestRules::default()
        },
        ..SimulatorConfig::default()
    }
}

fn announcing(discord: &Simulator) -> Config {
    let mut config = config_for(discord);
    config.levels.announce = Announce::SameChannel;
    config.levels.announce_template = Template::parse(TEMPLATE).expect("a template");
    config.discord.requests_per_second = 1_000;
    config.discord.request_timeout = Duration::from_secs(1);
    config.effects.lease = Duration::from_secs(5);
    config
}

/// The real binary with the same settings.
fn spawn(discord: &Simulator, scene: &Scene) -> Child {
    command_on(discord, &scene.postgres.connection())
        .env("EVENTIDE__LEVELS__ANNOUNCE", "same_channel")
        .env("EVENTIDE__LEVELS__ANNOUNCE_TEMPLATE", TEMPLATE)
        .env("EVENTIDE__DISCORD__REQUESTS_PER_SECOND", "1000")
        .env("EVENTIDE__DISCORD__REQUEST_TIMEOUT_SECONDS", "1")
        .env("EVENTIDE__EFFECTS__LEASE_SECONDS", "5")
        .spawn()
        .expect("the binary starts")
}

fn fault(kind: RestFaultKind, count: Option<u64>) -> RestFault {
    RestFault {
        route: MESSAGES.to_owned(),
        count,
        delay_ms: 0,
        kind,
    }
}

fn level_up(guild: &Guild, channel: u64, user: u64, level: u32) -> NewEffect {
    let body = LevelUp {
        level,
        before: level - 1,
        xp: u64::from(level),
    };
    NewEffect {
        user_id: Some(Id::new(user)),
        ..NewEffect::for_channel(Id::new(guild.id()), Id::new(channel), &body)
    }
}

async fn add(store: &Store, effects: Vec<NewEffect>) {
    let added = store.transaction("test", |tx| {
        Box::pin(async move { queue::add(tx, &effects).await })
    });
    added.await.expect("added");
}

async fn run_sql(store: &Store, sql: &'static str) {
    let statement = Statement {
        name: "test",
        types: &[],
        sql,
    };
    store.query(statement, &[]).await.expect("done");
}

async fn count(store: &Store, sql: &'static str) -> i64 {
    let statement = Statement {
        name: "test",
        types: &[],
        sql,
    };
    store.query(statement, &[]).await.expect("read")[0].get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_level_is_announced_once_where_it_was_reached() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let store = scene.store();
    let bot = start(&announcing(&discord), scene.postgres.connection()).await;
    up(&discord, 2).await;
    discord.control().generate(3_000);
    settle_exactly(&discord, &store).await;
    delivered(&store).await;
    let report = effects(&discord);
    assert!(report.is_exact(), "{report}");
    assert!(report.announced > 100, "{report}");
    assert!(
        announced(&discord).iter().all(|it| it.guild_id != 0),
        "in a guild"
    );
    let calls = discord.control().rest_calls(MESSAGES);
    for call in &calls {
        assert_eq!(call.body["enforce_nonce"], true);
        assert!(call.body["nonce"].as_str().is_some_and(|nonce| nonce.len() <= 25));
        assert_eq!(call.body["allowed_mentions"]["parse"], serde_json::json!([]));
        assert_eq!(call.body["allowed_mentions"]["users"], serde_json::Value::Null);
    }
    until("nothing is left behind", async || {
        (count(&store, "SELECT count(*) FROM outbox_lane").await == 0).then_some(())
    })
    .await;
    bot.drain(PATIENCE).await.expect("a clean end");
    store.close();
    scene.stop().await;
}

/// An ambiguous request is sent again with the same nonce, and appears once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_timeouts_and_limits_neither_lose_nor_double() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let store = scene.store();
    let bot = start(&announcing(&discord), scene.postgres.connection()).await;
    up(&discord, 2).await;
    for kind in [
        RestFaultKind::Status(500),
        RestFaultKind::StatusAfter(502),
        RestFaultKind::HalfBody,
        RestFaultKind::Silence,
        RestFaultKind::RateLimit {
            scope: LimitScope::User,
            retry_after: 0.2,
        },
        RestFaultKind::RateLimit {
            scope: LimitScope::Global,
            retry_after: 0.2,
        },
        RestFaultKind::RateLimit {
            scope: LimitScope::Shared,
            retry_after: 20.0,
        },
    ] {
        discord.control().add_fault(fault(kind, Some(4)));
    }
    discord.control().generate(1_500);
    settle_exactly(&discord, &store).await;
    delivered(&store).await;
    let report = effects(&discord);
    assert!(report.is_exact(), "{report}");
    bot.drain(PATIENCE).await.expect("a clean end");
    store.close();
    scene.stop().await;
}

/// Kills fall between sending and marking, since Discord takes its time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let store = scene.store();
    let control = discord.control();
    control.add_fault(RestFault {
        delay_ms: 100,
        ..fault(RestFaultKind::None, None)
    });
    let mut bot = spawn(&discord, &scene);
    for kill in 1..=4 {
        up(&discord, 2).await;
        control.set_rate(Rate::PerSecond(500.0));
        until("it is in the middle of delivering", async || {
            (control.bot_messages().len() > 40 * kill).then_some(())
        })
        .await;
        every_session_is_stored(&discord, &store).await;
        bot.kill().await.expect("SIGKILL");
        bot = spawn(&discord, &scene);
    }
    up(&discord, 2).await;
    quiet(&discord).await;
    settle_exactly(&discord, &store).await;
    delivered(&store).await;
    let report = effects(&discord);
    assert!(report.is_exact(), "{report}");
    bot.kill().await.expect("SIGKILL");
    store.close();
    scene.stop().await;
}

/// Two processes share the work: each effect once, those of a channel in their order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_deliverers_and_writers_at_once() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let (store, second) = (scene.store(), scene.store());
    let config = announcing(&discord);
    let couriers = [Courier::start(&config, &store), Courier::start(&config, &second)];
    let guild = &discord.world().guilds()[0];
    let channels: Vec<u64> = guild.channels().iter().map(|channel| channel.id).collect();
    for level in 1..=60_u32 {
        let effects = channels
            .iter()
            .map(|channel| level_up(guild, *channel, *channel, level));
        add(&store, effects.collect()).await;
    }
    delivered(&store).await;
    let announced = announced(&discord);
    for channel in &channels {
        let levels: Vec<u32> = announced
            .iter()
            .filter(|it| it.channel_id == *channel)
            .map(|it| it.level)
            .collect();
        assert_eq!(levels, (1..=60).collect::<Vec<_>>(), "in their order, each once");
    }
    until("the lanes are gone", async || {
        (count(&store, "SELECT count(*) FROM outbox_lane").await == 0).then_some(())
    })
    .await;
    for courier in couriers {
        courier.stop().await;
    }
    store.close();
    second.close();
    scene.stop().await;
}

/// A row that cannot be delivered or parsed, or that fails forever, does not block others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poisoned_row_blocks_nobody() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let store = scene.store();
    let guild = &discord.world().guilds()[0];
    let channel = guild.channels()[0].id;
    let of_a_later_version = NewEffect {
        kind: "confetti",
        ..level_up(guild, channel, 1, 1)
    };
    let unreadable = NewEffect {
        body: "[]".to_owned(),
        ..level_up(guild, channel, 2, 1)
    };
    let unknown_channel = NewEffect {
        channel_id: Some(Id::new(4)),
        ..level_up(guild, channel, 3, 1)
    };
    add(
        &store,
        vec![
            of_a_later_version,
            unreadable,
            unknown_channel,
            level_up(guild, channel, 9, 1),
        ],
    )
    .await;
    let courier = Courier::start(&announcing(&discord), &store);
    until("the last is delivered", async || {
        (!announced(&discord).is_empty()).then_some(())
    })
    .await;
    assert_eq!(announced(&discord)[0].user_id, 9);
    let shown = async |arguments: &[&str]| {
        let output = command(arguments)
            .env("DATABASE_URL", url(&scene.postgres.connection()))
            .output()
            .await
            .expect("ran");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("text")
    };
    until(
        "both failures are written, and what was delivered is deleted",
        async || {
            let failed = count(&store, "SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL").await;
            (failed == 2 && count(&store, "SELECT count(*) FROM outbox").await == 3).then_some(())
        },
    )
    .await;
    let waiting = shown(&["effects", "--json"]).await;
    assert!(
        waiting.contains("confetti") && waiting.lines().count() == 1,
        "{waiting}"
    );
    let failed = shown(&["effects", "--failed"]).await;
    assert!(
        failed.contains("code 10003") && failed.contains("outbox.body"),
        "{failed}"
    );
    courier.stop().await;
    // A version that knows the word gets it: it is due in its own lane.
    run_sql(
        &store,
        "UPDATE outbox SET kind = 'level_up' WHERE kind = 'confetti'",
    )
    .await;
    run_sql(&store, "UPDATE outbox_lane SET due_at = now()").await;
    let courier = Courier::start(&announcing(&discord), &store);
    delivered(&store).await;
    assert_eq!(announced(&discord).last().map(|it| it.user_id), Some(1));
    courier.stop().await;
    store.close();
    scene.stop().await;
}

/// There is no server at the other end of its connections: a claim is abandoned after a third of the lease, whatever the limit of a
/// statement is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_on_connections_that_swallow_everything() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let store = scene.store();
    let mut database = Config::defaults().database;
    database.statement_timeout = Duration::from_hours(1);
    let proxy = CommitCutter::start(scene.postgres.socket_directory());
    let swallowed = Store::new(proxy.connection(&scene.postgres.connection()), &database).expect("a pool");
    let courier = Courier::start(&announcing(&discord), &swallowed);
    let guild = &discord.world().guilds()[0];
    let channel = guild.channels()[0].id;
    for user in [1, 2] {
        add(&store, vec![level_up(guild, channel, user, 1)]).await;
        delivered(&store).await;
        let before = proxy.swallowed();
        proxy.swallow(false);
        until("the connections are swallowed", async || {
            (proxy.swallowed() > before).then_some(())
        })
        .await;
    }
    add(&store, vec![level_up(guild, channel, 3, 1)]).await;
    delivered(&store).await;
    let users: Vec<u64> = announced(&discord).iter().map(|it| it.user_id).collect();
    assert_eq!(users, [1, 2, 3]);
    courier.stop().await;
    swallowed.close();
    store.close();
    scene.stop().await;
}

/// After several consecutive failures the setting is off, and there is one notice in the log channel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_forbidden_is_switched_off_and_told_once() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let store = scene.store();
    let guild = &discord.world().guilds()[0];
    let (channel, log) = (guild.channels()[0].id, guild.channels()[1].id);
    let choose = Statement {
        name: "test",
        types: &[
            tokio_postgres::types::Type::INT8,
            tokio_postgres::types::Type::INT8,
            tokio_postgres::types::Type::INT8,
        ],
        sql: "INSERT INTO guild_settings (guild_id, announce, announce_channel_id, log_channel_id) VALUES ($1, 'channel', $2, $3)",
    };
    let ids = [guild.id().cast_signed(), channel.cast_signed(), log.cast_signed()];
    store
        .query(choose, &[&ids[0], &ids[1], &ids[2]])
        .await
        .expect("chosen");
    let mut config = announcing(&discord);
    config.effects.failures_until_off = 3;
    // The channel is not used for some minutes, and skipped attempts do not count: each process is refused once.
    for level in [1, 5, 9] {
        discord
            .control()
            .add_fault(fault(RestFaultKind::Status(403), Some(1)));
        for level in level..level + 4 {
            add(&store, vec![level_up(guild, channel, 7, level)]).await;
        }
        let courier = Courier::start(&config, &store);
        delivered(&store).await;
        courier.stop().await;
    }
    let courier = Courier::start(&config, &store);
    delivered(&store).await;
    let messages = discord.control().bot_messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0]["channel_id"], log.to_string());
    let text = messages[0]["content"].as_str().expect("a text");
    assert!(
        text.contains("stopped announcing level-ups") && text.contains("403"),
        "{text}"
    );
    assert_eq!(
        discord.control().rest_calls(MESSAGES).len(),
        4,
        "three refusals, one notice"
    );
    assert_eq!(
        count(&store, "SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL").await,
        9,
        "the others were cancelled"
    );
    assert_eq!(
        count(
            &store,
            "SELECT count(*) FROM guild_settings WHERE announce = 'off' AND announce_off_reason IS NOT NULL"
        )
        .await,
        1
    );
    assert_eq!(
        count(&store, "SELECT count(*) FROM effect_failure").await,
        0,
        "counted anew from now on"
    );
    courier.stop().await;
    store.close();
    scene.stop().await;
}

/// If levels are announced in the channel of the message, one channel that refuses says nothing about the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_refuses_is_skipped_alone() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let store = scene.store();
    let guild = &discord.world().guilds()[0];
    let (closed, open, log) = (
        guild.channels()[0].id,
        guild.channels()[1].id,
        guild.channels()[2].id,
    );
    let choose = Statement {
        name: "test",
        types: &[
            tokio_postgres::types::Type::INT8,
            tokio_postgres::types::Type::INT8,
        ],
        sql: "INSERT INTO guild_settings (guild_id, announce, log_channel_id) VALUES ($1, 'same_channel', $2)",
    };
    let ids = [guild.id().cast_signed(), log.cast_signed()];
    store.query(choose, &[&ids[0], &ids[1]]).await.expect("chosen");
    let mut config = announcing(&discord);
    config.effects.failures_until_off = 2;
    for level in [1, 5, 9] {
        discord
            .control()
            .add_fault(fault(RestFaultKind::Status(403), Some(1)));
        for level in level..level + 4 {
            add(&store, vec![level_up(guild, closed, 7, level)]).await;
        }
        let courier = Courier::start(&config, &store);
        delivered(&store).await;
        courier.stop().await;
    }
    add(&store, vec![level_up(guild, open, 8, 2)]).await;
    let courier = Courier::start(&config, &store);
    delivered(&store).await;
    let messages = discord.control().bot_messages();
    let channels: Vec<&str> = messages
        .iter()
        .filter_map(|message| message["channel_id"].as_str())
        .collect();
    assert_eq!(channels, [log.to_string(), open.to_string()], "{messages:?}");
    let notice = messages[0]["content"].as_str().expect("a text");
    assert!(
        notice.contains(&format!("<#{closed}>")) && notice.contains("403"),
        "{notice}"
    );
    assert_eq!(
        count(
            &store,
            "SELECT count(*) FROM guild_settings WHERE announce = 'same_channel'"
        )
        .await,
        1,
        "announcements go on"
    );
    courier.stop().await;
    store.close();
    scene.stop().await;
}

/// Old failures are deleted, and effects that are too old are abandoned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_rows_go() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let store = scene.store();
    let guild = &discord.world().guilds()[0];
    let channel = guild.channels()[0].id;
    add(
        &store,
        vec![level_up(guild, channel, 1, 1), level_up(guild, channel, 2, 1)],
    )
    .await;
    run_sql(&store, "UPDATE outbox SET created_at = now() - interval '2 days'").await;
    discord
        .control()
        .add_fault(fault(RestFaultKind::Status(500), Some(1)));
    let courier = Courier::start(&announcing(&discord), &store);
    delivered(&store).await;
    let expired = "SELECT count(*) FROM outbox WHERE failure LIKE 'too old;%'";
    assert_eq!(count(&store, expired).await, 1);
    assert_eq!(
        announced(&discord).len(),
        1,
        "the other was delivered: late is better than never"
    );
    courier.stop().await;
    run_sql(&store, "UPDATE outbox SET failed_at = now() - interval '8 days'").await;
    let keep = announcing(&discord).effects.keep_failed;
    assert_eq!(queue::prune(&store, keep, 1_000).await.expect("pruned"), 1);
    assert_eq!(count(&store, "SELECT count(*) FROM outbox").await, 0);
    store.close();
    scene.stop().await;
}

/// In direct messages: the channel is asked for once a member.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_direct_messages() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let store = scene.store();
    let mut config = announcing(&discord);
    config.levels.announce = Announce::Direct;
    let bot = start(&config, scene.postgres.connection()).await;
    up(&discord, 2).await;
    discord.control().generate(1_000);
    settle_exactly(&discord, &store).await;
    delivered(&store).await;
    let announced = announced(&discord);
    assert!(announced.len() > 20);
    assert!(
        announced.iter().all(|it| it.guild_id == 0),
        "in no guild's channel"
    );
    let mut members: Vec<u64> = announced.iter().map(|it| it.user_id).collect();
    members.sort_unstable();
    members.dedup();
    assert_eq!(
        discord.control().rest_calls("POST /users/@me/channels").len(),
        members.len()
    );
    bot.drain(PATIENCE).await.expect("a clean end");
    store.close();
    scene.stop().await;
}
