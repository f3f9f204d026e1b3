//! The bot between a simulated Discord and a real PostgreSQL, in this process or as the real binary.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use discord_simulator::{Limit, Rate, Report, RestRules, Simulator, SimulatorConfig};
use eventide::{
    app::{bot::Bot, demo::reconcile, ops_http},
    config::{Config, Secret, ShardCount},
    postgres::{Store, connect::Target},
    telemetry::metrics,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, sleep},
};

use super::{PATIENCE, Scene, until};

/// A simulator on its own thread.
pub(crate) async fn discord(config: SimulatorConfig) -> Simulator {
    // Fails when another test of this process was first, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    Simulator::start_on_own_thread(config)
        .await
        .expect("the simulator starts")
}

/// Discord's limits with windows that end quickly, and answers to interactions accepted however late. That the bot keeps to limits and
/// answers in time is the matter of some tests, which set their own rules; others would wait for most of their time, or fail on a busy
/// machine.
pub(crate) fn quick_limits() -> RestRules {
    let limit = |requests| Limit {
        requests,
        per: Duration::from_millis(100),
    };
    RestRules {
        messages: limit(5),
        other: limit(20),
        global_per_second: 1_000,
        first_answer: PATIENCE,
        ..RestRules::default()
    }
}

/// A configuration for a bot on this simulator, with its own port.
pub(crate) fn config_for(discord: &Simulator) -> Config {
    let rules = discord.config().levels;
    let mut config = Config::defaults();
    config.discord.token = Some(Secret::new(discord.config().token.clone()));
    config.discord.api_url = discord.rest_url();
    config.discord.cdn_url = discord.rest_url();
    config.gateway.shard_count = ShardCount::Auto;
    config.http.listen = "127.0.0.1:0".parse().expect("an address");
    config.levels.cooldown = Duration::from_millis(rules.cooldown_ms);
    // What a lost session missed is compared with the oracle, so it stays missed unless a test is about reading it back.
    config.levels.backfill = false;
    config
}

/// A bot in this process.
pub(crate) async fn start(config: &Config, connection: impl Into<Target>) -> Bot {
    let token = config.require_token().expect("a token");
    let listening = ops_http::listen(config.http.listen).await.expect("a free port");
    let http = listening.serve(metrics::install().expect("a recorder"));
    let store = Store::new(connection, &config.database).expect("a pool");
    Box::pin(Bot::start(config, token, store, http))
        .await
        .expect("the bot starts")
}

/// The real binary, whose output is discarded.
pub(crate) fn spawn(discord: &Simulator, connection: &tokio_postgres::Config) -> Child {
    spawn_in(discord, connection, "public")
}

/// The same in its own schema.
pub(crate) fn spawn_in(discord: &Simulator, connection: &tokio_postgres::Config, schema: &str) -> Child {
    command_on(discord, connection)
        .env("DB_SCHEMA", schema)
        .spawn()
        .expect("the binary starts")
}

/// The same before it is started.
pub(crate) fn command_on(discord: &Simulator, connection: &tokio_postgres::Config) -> Command {
    let cooldown_s = discord.config().levels.cooldown_ms / 1_000;
    let mut command = command(&["run"]);
    command
        .env("DISCORD_TOKEN", &discord.config().token)
        .env("DATABASE_URL", url(connection))
        .env("EVENTIDE__DISCORD__API_URL", discord.rest_url())
        .env("EVENTIDE__DISCORD__CDN_URL", discord.rest_url())
        .env("EVENTIDE__LEVELS__COOLDOWN_SECONDS", cooldown_s.to_string())
        // As in `config_for`.
        .env("EVENTIDE__LEVELS__BACKFILL", "false")
        .env("EVENTIDE__HTTP__LISTEN", "127.0.0.1:0")
        .stderr(log());
    command
}

/// The destination of a bot's log: a separate file in the directory `EVENTIDE_TEST_LOGS`, for debugging. Otherwise it is not read while the
/// bot runs, and a full pipe would block the bot.
fn log() -> Stdio {
    std::env::var_os("EVENTIDE_TEST_LOGS").map_or_else(Stdio::null, |directory| {
        let name = format!("bot-{}.log", fastrand::u32(..));
        let file = std::fs::File::create(std::path::Path::new(&directory).join(name));
        file.expect("a log file").into()
    })
}

/// The real binary without any configuration of this machine's.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eventide"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        // On a busy machine any query is slow at times, and tests do not expect its warning on standard error.
        .env("EVENTIDE__DATABASE__SLOW_QUERY_MS", "60000")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// What the real binary prints about the database of a scene. It has to succeed.
pub(crate) async fn printed(scene: &Scene, arguments: &[&str]) -> String {
    let output = command(arguments)
        .env("DATABASE_URL", url(&scene.postgres.connection()))
        .output()
        .await
        .expect("the binary runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// A connection as URL.
pub(crate) fn url(connection: &tokio_postgres::Config) -> String {
    let tokio_postgres::config::Host::Unix(directory) = &connection.get_hosts()[0] else {
        unreachable!("the private server is on a socket")
    };
    format!(
        "postgresql://{}@{}/{}",
        connection.get_user().expect("a user"),
        directory.display().to_string().replace('/', "%2F"),
        connection.get_dbname().expect("a database"),
    )
}

/// Wait until both shards of a small world are connected, after this many sessions in total.
pub(crate) async fn up(discord: &Simulator, sessions: usize) {
    until("every shard has a session", async || {
        let stats = discord.control().stats();
        (stats.sessions_started() >= sessions && stats.connections_open == 2).then_some(())
    })
    .await;
}

/// Stop the traffic. The following is about messages, so make sure there are some: a fast machine is ready before the first one is sent.
pub(crate) async fn quiet(discord: &Simulator) {
    until("something is sent", async || {
        (discord.oracle().sent() > 0).then_some(())
    })
    .await;
    discord.control().set_rate(Rate::Paused);
}

/// Compare the database with the expected state.
pub(crate) async fn compare(discord: &Simulator, store: &Store) -> Report {
    reconcile(discord, store).await.expect("rows")
}

/// Stop the traffic, wait until every message is counted, and check that the rows are correct.
pub(crate) async fn settle_exactly(discord: &Simulator, store: &Store) {
    quiet(discord).await;
    let deadline = Instant::now() + PATIENCE;
    let report = loop {
        let report = compare(discord, store).await;
        let counted = report.counted >= report.sent && discord.control().drained();
        if counted || Instant::now() > deadline {
            break report;
        }
        sleep(Duration::from_millis(50)).await;
    };
    let stats = discord.control().stats();
    assert!(report.is_exact(), "{report}: {:?}; {stats:?}", report.examples);
    assert!(report.sent > 0, "nothing was sent");
}

/// A page of the bot's own port, with its head.
pub(crate) async fn page(bot: &Bot, path: &str) -> String {
    page_at(bot.http_address(), path).await
}

/// The same of a bot in another process.
pub(crate) async fn page_at(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    text
}
