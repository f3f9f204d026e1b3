//! Problems at startup are reported on one line, with the right exit code.

use std::{net::TcpListener, path::Path};

use discord_simulator::SimulatorConfig;
use eventide::postgres::{embedded::StopMode, migrations};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    time::timeout,
};

use crate::support::{
    PATIENCE, Scene,
    bot::{command, discord, url},
    session::Session,
    start_postgres, until,
};

/// Run until it ends; returns the exit code and the lines that are meant for the operator.
async fn failure(mut command: Command) -> (i32, Vec<String>) {
    let output = command.output().await.expect("the binary runs");
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!text.contains("panicked"), "{text}");
    let lines = text
        .lines()
        .filter(|line| line.starts_with("eventide: "))
        .map(str::to_owned)
        .collect();
    (output.status.code().expect("an exit code"), lines)
}

async fn assert_one_line(command: Command, code: i32, words: &[&str]) {
    let (found, lines) = failure(command).await;
    assert_eq!(found, code, "{lines:?}");
    let [line] = lines.as_slice() else {
        unreachable!("one line, not {lines:?}")
    };
    for word in words {
        assert!(line.contains(word), "{word:?} is not in {line:?}");
    }
}

/// `eventide run` in an empty directory, with its own port.
fn run(directory: &Path) -> Command {
    let mut command = command(&["run"]);
    command
        .current_dir(directory)
        .env("DISCORD_TOKEN", "no-secret")
        .env("EVENTIDE__HTTP__LISTEN", "127.0.0.1:0");
    command
}

/// A soft limit of 100 is raised to the hard one, which is too little and is said to be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_few_file_descriptors() {
    let directory = TempDir::new().expect("a directory");
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "ulimit -Sn 100 && ulimit -Hn 200 && exec \"$0\" run"])
        .arg(env!("CARGO_BIN_EXE_eventide"))
        .current_dir(directory.path())
        .env_clear()
        .env("PATH", directory.path())
        .env("DISCORD_TOKEN", "no-secret")
        .env("EVENTIDE__DATABASE__BINARIES_DIRECTORY", directory.path())
        .env("EVENTIDE__HTTP__LISTEN", "127.0.0.1:0");
    let output = command.output().await.expect("the binary runs");
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    for words in ["too few file descriptors", "\"process.max_fds\":200"] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_postgresql() {
    let directory = TempDir::new().expect("a directory");
    let mut command = run(directory.path());
    command.env("EVENTIDE__DATABASE__BINARIES_DIRECTORY", directory.path());
    assert_one_line(command, 1, &["postgres"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_data_directory_that_cannot_be_written() {
    let directory = TempDir::new().expect("a directory");
    // Permissions do not apply to root, but not even root can create a directory below a file.
    std::fs::write(directory.path().join("data"), "").expect("a file");
    assert_one_line(run(directory.path()), 1, &["data"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_port_in_use() {
    let directory = TempDir::new().expect("a directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut command = run(directory.path());
    command.env("EVENTIDE__HTTP__LISTEN", &address);
    assert_one_line(command, 1, &["http.listen", &address, "in use"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_bad_configuration() {
    let directory = TempDir::new().expect("a directory");
    std::fs::write(
        directory.path().join("config.toml"),
        "[levels]\ncooldown_second = 60\n",
    )
    .expect("a file");
    assert_one_line(
        run(directory.path()),
        64,
        &["config.toml:2", "cooldown_second", "cooldown_seconds"],
    )
    .await;
    let mut without_a_token = run(directory.path());
    std::fs::remove_file(directory.path().join("config.toml")).expect("removed");
    without_a_token.env_remove("DISCORD_TOKEN");
    assert_one_line(without_a_token, 64, &["discord.token"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_wrong_token_or_address() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig::default()).await;
    let directory = TempDir::new().expect("a directory");
    let connection = url(&scene.postgres.connection());
    let run = || {
        let mut command = run(directory.path());
        command.env("DATABASE_URL", &connection);
        command
    };

    let mut wrong_token = run();
    wrong_token.env("EVENTIDE__DISCORD__API_URL", discord.rest_url());
    assert_one_line(wrong_token, 1, &["refused the token", "discord.token"]).await;

    let mut wrong_api = run();
    wrong_api.env("EVENTIDE__DISCORD__API_URL", "http://127.0.0.1:1");
    assert_one_line(wrong_api, 1, &["cannot reach Discord at http://127.0.0.1:1"]).await;

    let mut wrong_database = run();
    wrong_database.env(
        "DATABASE_URL",
        connection
            .rsplit_once('/')
            .map(|(server, _)| format!("{server}/elsewhere"))
            .expect("a URL"),
    );
    assert_one_line(wrong_database, 1, &["database", "elsewhere", "does not exist"]).await;

    let mut no_url = run();
    no_url.env("DATABASE_URL", "mysql://root:hunter2@localhost/db");
    let (code, lines) = failure(no_url).await;
    assert_eq!((code, lines.len()), (64, 1), "{lines:?}");
    assert!(!lines[0].contains("hunter2"), "{lines:?}");
    scene.stop().await;
}

/// A fatal close code ends the process with a message about what the operator has to change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_by_the_gateway() {
    let scene = Scene::new().await;
    let mut config = SimulatorConfig::default();
    config.gateway.guilds_per_shard = 3;
    let discord = discord(config).await;
    let directory = TempDir::new().expect("a directory");
    let mut command = run(directory.path());
    command
        .env("DATABASE_URL", url(&scene.postgres.connection()))
        .env("DISCORD_TOKEN", &discord.config().token)
        .env("EVENTIDE__DISCORD__API_URL", discord.rest_url())
        .env("EVENTIDE__GATEWAY__SHARD_COUNT", "1");
    assert_one_line(command, 1, &["4011", "shard_count"]).await;
    scene.stop().await;
}

/// The bot waits for a server that is not available yet, with a log line, even if its host has no name yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_database_is_there() {
    let directory = TempDir::new().expect("a directory");
    let postgres = start_postgres(directory.path()).await;
    let there = url(&postgres.connection());
    postgres.stop(StopMode::Fast).await.expect("stopped");

    let mut waiting = command(&["migrate", "up"])
        .env("DATABASE_URL", &there)
        .env("EVENTIDE__LOG__FORMAT", "human")
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(waiting.stderr.take().expect("piped")).lines();
    let line = lines
        .next_line()
        .await
        .expect("read")
        .expect("a line before it ends");
    assert!(line.contains("not ready"), "{line}");
    let postgres = start_postgres(directory.path()).await;
    let ended = timeout(PATIENCE, waiting.wait())
        .await
        .expect("it ends")
        .expect("a status");
    assert!(ended.success());

    // A command does not wait, since an operator is waiting for it.
    let mut nowhere = command(&["migrate", "status"]);
    nowhere.env("DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/d");
    assert_one_line(nowhere, 1, &["127.0.0.1:1/d", "refused"]).await;
    postgres.stop(StopMode::Immediate).await.expect("stopped");
}

/// What does not end a bot that runs does not end one that starts: an administrator, or a limit for idle transactions, ends its session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_its_connections_are_lost() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig::default()).await;
    let directory = TempDir::new().expect("a directory");
    let connection = scene.postgres.connection();
    let looking = Session::open(&connection.clone().into()).await;
    let holding = Session::open(&connection.clone().into()).await;
    holding.execute("BEGIN; SELECT FROM fleet FOR UPDATE").await;
    let mut command = run(directory.path());
    command
        .env("DATABASE_URL", url(&connection))
        .env("DISCORD_TOKEN", &discord.config().token)
        .env("EVENTIDE__DISCORD__API_URL", discord.rest_url());
    let mut bot = command.kill_on_drop(true).spawn().expect("the binary starts");
    // Every step of the start waits for that row: to claim the tables, and later to join the fleet.
    for _ in 0..3 {
        until("its session waits for the row, and is ended", async || {
            let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
            let row = looking.client.query_one(end, &[]).await.expect("ended");
            (row.get::<_, i64>(0) > 0).then_some(())
        })
        .await;
    }
    holding.execute("COMMIT").await;
    until("it has started", async || {
        let ended = bot.try_wait().expect("a status");
        assert_eq!(ended, None, "it has ended");
        (discord.control().stats().connections_open > 0).then_some(())
    })
    .await;
    bot.kill().await.expect("SIGKILL");
    holding.close().await;
    looking.close().await;
    scene.stop().await;
}

/// Otherwise some message would fail a flush one day. The printed statement creates a suitable database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_database_that_is_not_utf8() {
    let directory = TempDir::new().expect("a directory");
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let name = format!("in {encoding}");
        session
            .execute(&format!(
                "CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
            ))
            .await;
        let mut connection = scene.postgres.connection();
        connection.dbname(&name);
        let mut command = run(directory.path());
        command.env("DATABASE_URL", url(&connection).replace(' ', "%20"));
        let (code, lines) = failure(command).await;
        let [line] = lines.as_slice() else {
            unreachable!("one line, not {lines:?}")
        };
        assert_eq!(code, 1, "{line}");
        assert!(
            line.contains(&format!("is {encoding} and must be UTF8")),
            "{line}"
        );
        let (_, statement) = line.split_once("DATABASE_URL: ").expect("a statement");
        session.execute(statement).await;
        connection.dbname(format!("{name}_utf8"));
        migrations::up(&connection).await.expect("migrations");
    }
    session.close().await;
    scene.stop().await;
}

/// A machine that is starting may have no DNS yet. The bot keeps trying to reach PostgreSQL and Discord.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_dns() {
    let scene = Scene::new().await;
    let directory = TempDir::new().expect("a directory");
    let postgres = url(&scene.postgres.connection());
    for (database, api, says) in [
        (
            "postgresql://bot@nowhere.invalid/bot",
            "https://nowhere.invalid",
            "the database is not ready; retrying",
        ),
        (
            postgres.as_str(),
            "https://nowhere.invalid",
            "the application of the token could not be read from Discord; retrying",
        ),
    ] {
        let mut command = run(directory.path());
        command
            .env("DATABASE_URL", database)
            .env("DATABASE_SSL", "off")
            .env("EVENTIDE__DISCORD__API_URL", api);
        let mut bot = command.spawn().expect("the binary runs");
        let mut lines = BufReader::new(bot.stderr.take().expect("a log")).lines();
        let mut tries = 0;
        while tries < 2 {
            let line = timeout(PATIENCE, lines.next_line())
                .await
                .expect("in time")
                .expect("text");
            let line = line.unwrap_or_else(|| unreachable!("it has ended before {says:?} came twice"));
            tries += u32::from(line.contains(says));
        }
        bot.kill().await.expect("SIGKILL");
    }
    scene.stop().await;
}
