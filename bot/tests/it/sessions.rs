//! Sessions that die, shards that are taken over, schemas that do not match, and what is reported.

use std::{io::Write as _, sync::Arc, time::Duration};

use discord_simulator::{HeartbeatAcks, Rate, Refusal, RestFault, RestFaultKind, SimulatorConfig};
use eventide::{
    discord::rest::{Priority, RestError},
    postgres::migrations::{self, MigrateError},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{net::TcpListener, time::timeout};

use crate::support::{
    PATIENCE, Scene,
    bot::{command_on, compare, config_for, discord, page, page_at, quiet, settle_exactly, start, up},
    session::Session,
    start_postgres, until,
};

fn two_shards() -> SimulatorConfig {
    SimulatorConfig {
        shards: 2,
        rate: Rate::PerSecond(1_000.0),
        ..SimulatorConfig::default()
    }
}

/// Op 9 `false`: a new session starts, the lost one's events are counted up to its end, and the gap is recorded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_session_is_a_gap_and_not_the_end() {
    let scene = Scene::new().await;
    let discord = discord(two_shards()).await;
    let control = discord.control();
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    up(&discord, 2).await;
    quiet(&discord).await;
    until("all is read", async || control.drained().then_some(())).await;
    // Everything of the old sessions was delivered, so nothing may be missing although they die.
    assert_eq!(control.invalidate(None, false), 2);
    up(&discord, 4).await;
    control.set_rate(Rate::PerSecond(1_000.0));
    let sent = discord.oracle().sent();
    until("the new sessions deliver", async || {
        (discord.oracle().sent() > sent + 500).then_some(())
    })
    .await;
    let store = scene.store();
    settle_exactly(&discord, &store).await;
    let metrics = page(&bot, "/metrics").await;
    assert!(
        metrics.contains("eventide_gateway_gaps_total{reason=\"invalid_session\"} 2"),
        "{metrics}"
    );
    assert_eq!(control.stats().identify_violations(), 0);
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// 4007 and 4009 in answer to a RESUME mean that the session is dead. Stock twilight would resume it for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_resumes_are_no_hot_loop() {
    for code in [4007, 4009] {
        let scene = Scene::new().await;
        let mut config = two_shards();
        config.gateway.lost_session = Refusal::Close(code);
        let discord = discord(config).await;
        let control = discord.control();
        let bot = start(&config_for(&discord), scene.postgres.connection()).await;
        up(&discord, 2).await;
        control.kill_sessions(None);
        control.reset(None);
        up(&discord, 4).await;
        let stats = control.stats();
        assert!(
            stats.connections_opened <= 8,
            "{code}: {} connections",
            stats.connections_opened
        );
        bot.drain(PATIENCE).await.expect("a clean end");
        scene.stop().await;
    }
}

/// Without acknowledgements of heartbeats the connection is dead, whatever TCP says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zombie_connection_is_given_up() {
    let scene = Scene::new().await;
    let mut config = two_shards();
    config.gateway.heartbeat_interval = Duration::from_millis(400);
    config.rate = Rate::Paused;
    let discord = discord(config).await;
    let control = discord.control();
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    up(&discord, 2).await;
    control.set_heartbeat_acks(HeartbeatAcks::Never);
    until("the shards gave up", async || {
        (control.stats().resumes >= 2).then_some(())
    })
    .await;
    control.set_heartbeat_acks(HeartbeatAcks::Prompt);
    up(&discord, 2).await;
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// Invalid and unknown events are skipped and counted; the ones around them count.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_and_unknown_payloads() {
    let scene = Scene::new().await;
    let discord = discord(two_shards()).await;
    let control = discord.control();
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    up(&discord, 2).await;
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{\"op\":0}",
        "{\"t\":\"X\",\"s\":null,\"op\":0,\"d\":{}}",
        "{\"op\":77}",
    ] {
        control.send_text(None, text);
    }
    control.dispatch(None, "SOMETHING_NEW", "{\"a\":1}");
    control.dispatch(None, "MESSAGE_CREATE", "{\"id\":\"not a snowflake\"}");
    let sent = discord.oracle().sent();
    until("more is sent", async || {
        (discord.oracle().sent() > sent + 500).then_some(())
    })
    .await;
    let store = scene.store();
    settle_exactly(&discord, &store).await;
    let metrics = page(&bot, "/metrics").await;
    assert!(
        metrics.contains("eventide_gateway_events_malformed_total{event=\"MESSAGE_CREATE\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("eventide_gateway_events_total{event=\"unknown\"} 1"),
        "{metrics}"
    );
    assert_eq!(
        control.stats().sessions_started(),
        2,
        "no session was lost over it"
    );
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_metrics() {
    let scene = Scene::new().await;
    let discord = discord(two_shards()).await;
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    up(&discord, 2).await;
    until("ready", async || {
        page(&bot, "/readyz")
            .await
            .starts_with("HTTP/1.1 200")
            .then_some(())
    })
    .await;
    assert!(page(&bot, "/livez").await.starts_with("HTTP/1.1 200"));
    until("a flush", async || {
        let metrics = page(&bot, "/metrics").await;
        let shown = [
            "eventide_gateway_events_total{event=\"MESSAGE_CREATE\"}",
            "eventide_shard_up{shard=\"0\"} 1",
            "eventide_flush_rows_total",
            "eventide_pool_size",
            "eventide_query_seconds_bucket{query=\"member_xp_add\"",
            "eventide_ledger_limit_bytes 67108864",
        ];
        shown.iter().all(|text| metrics.contains(text)).then_some(())
    })
    .await;
    discord.control().add_fault(RestFault {
        route: "*".to_owned(),
        count: None,
        delay_ms: 0,
        kind: RestFaultKind::Status(401),
    });
    let me = bot.rest.builders().current_user();
    let refused = bot.rest.send(Priority::Background, me).await;
    assert_eq!(refused.expect_err("401"), RestError::TokenRefused);
    let page_then = page(&bot, "/readyz").await;
    assert!(
        page_then.starts_with("HTTP/1.1 503") && page_then.contains("token: refused"),
        "{page_then}"
    );
    discord.control().clear_faults();
    until("the token is accepted again", async || {
        page(&bot, "/readyz")
            .await
            .starts_with("HTTP/1.1 200")
            .then_some(())
    })
    .await;
    discord.control().refuse_connections(true);
    discord.control().reset(None);
    until("not ready", async || {
        page(&bot, "/readyz")
            .await
            .starts_with("HTTP/1.1 503")
            .then_some(())
    })
    .await;
    discord.control().refuse_connections(false);
    until("ready again", async || {
        page(&bot, "/readyz")
            .await
            .starts_with("HTTP/1.1 200")
            .then_some(())
    })
    .await;
    bot.drain(PATIENCE).await.expect("a clean end");
    assert!(compare(&discord, &scene.store()).await.doubled == 0);
    scene.stop().await;
}

/// Receiving events is not enough: they have to reach the tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_that_commits_nothing_is_not_ready() {
    let scene = Scene::new().await;
    let discord = discord(two_shards()).await;
    let mut config = config_for(&discord);
    config.ledger.checkpoint_interval = config.ledger.flush_interval;
    let bot = start(&config, scene.postgres.connection()).await;
    up(&discord, 2).await;
    let says = async |words: &str| {
        until(words, async || {
            page(&bot, "/readyz").await.contains(words).then_some(())
        })
        .await;
    };
    says("HTTP/1.1 200").await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    session.execute("BEGIN; LOCK TABLE member_xp IN SHARE MODE").await;
    says("commits: the oldest event has not been committed for").await;
    assert!(page(&bot, "/readyz").await.starts_with("HTTP/1.1 503"));
    session.execute("ROLLBACK").await;
    says("HTTP/1.1 200").await;
    session.execute("ALTER SCHEMA public RENAME TO elsewhere").await;
    says("database: relation \"fleet\" does not exist").await;
    assert!(page(&bot, "/readyz").await.starts_with("HTTP/1.1 503"));
    session.execute("ALTER SCHEMA elsewhere RENAME TO public").await;
    says("HTTP/1.1 200").await;
    bot.drain(PATIENCE).await.expect("a clean end");
    session.close().await;
    scene.stop().await;
}

/// A terminal that was stopped with Ctrl-S, or a log driver that hangs: the pipe is full from the first line on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unread_log_stops_nothing() {
    let scene = Scene::new().await;
    let discord = discord(two_shards()).await;
    let (_reader, full) = full_pipe();
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let mut bot = command_on(&discord, &scene.postgres.connection())
        .env("EVENTIDE__HTTP__LISTEN", address.to_string())
        .env("EVENTIDE__LOG__LEVEL", "debug")
        .stderr(full)
        .spawn()
        .expect("the binary starts");
    up(&discord, 2).await;
    quiet(&discord).await;
    settle_exactly(&discord, &scene.store()).await;
    let alive = page_at(address, "/livez").await;
    assert!(alive.starts_with("HTTP/1.1 200"), "{alive}");
    let pid = bot.id().and_then(|pid| pid.try_into().ok()).expect("it runs");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("sent");
    let ended = timeout(PATIENCE, bot.wait()).await.expect("it drains");
    assert!(ended.expect("it ended").success());
    scene.stop().await;
}

/// A pipe that is full until it is read.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    // Without a reader a write of more than the pipe holds waits forever; the thread's end is not waited for.
    let mut filler = writer.try_clone().expect("a handle");
    std::thread::spawn(move || drop(filler.write_all(&vec![b'\n'; 1 << 20])));
    (reader, writer)
}

/// Several processes may start at the same time on an empty database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_at_the_same_time_and_histories_that_do_not_fit() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let postgres = start_postgres(directory.path()).await;
    let connection = Arc::new(postgres.connection());
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let connection = Arc::clone(&connection);
        starts.spawn(async move { migrations::up(&*connection).await });
    }
    let applied: Vec<usize> = starts
        .join_all()
        .await
        .into_iter()
        .map(|names| names.expect("no start fails").len())
        .collect();
    let all = migrations::status(&*connection).await.expect("a status").len();
    assert_eq!(applied.iter().sum::<usize>(), all, "{applied:?}");

    let (client, driver) = connection
        .connect(tokio_postgres::NoTls)
        .await
        .expect("a connection");
    let driver = eventide::telemetry::task::spawn("driver", driver);
    let history = |sql: &'static str| client.batch_execute(sql);
    history("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1")
        .await
        .expect("updated");
    let divergent = migrations::up(&*connection)
        .await
        .expect_err("a divergent history");
    assert!(
        matches!(&divergent, MigrateError::Divergent { name } if name.starts_with("V1__")),
        "{divergent}"
    );
    history("UPDATE refinery_schema_history SET version = 4000, name = 'newer' WHERE version = 1")
        .await
        .expect("updated");
    let skipped = migrations::up(&*connection)
        .await
        .expect_err("a history that lacks the first");
    assert!(
        matches!(&skipped, MigrateError::OutOfOrder { name } if name.starts_with("V1__")),
        "{skipped}"
    );
    history("DELETE FROM schema_minimum").await.expect("deleted");
    let missing = migrations::up(&*connection)
        .await
        .expect_err("a history from the future");
    assert!(
        matches!(&missing, MigrateError::Missing { name } if name == "V4000__newer"),
        "{missing}"
    );
    drop(client);
    driver.join().await.expect("joined").expect("a clean end");
    postgres
        .stop(eventide::postgres::embedded::StopMode::Immediate)
        .await
        .expect("stopped");
}
