//! Commands while a bot runs the private PostgreSQL, with the real binary.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Stdio};

use discord_simulator::{Rate, Simulator, SimulatorConfig};
use eventide::{
    postgres::{
        Store,
        connect::Target,
        embedded::{Options, PrivatePostgres, StopMode, Visit},
    },
    telemetry::task,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::support::{
    self,
    bot::{command, compare, config_for, discord, settle_exactly},
    until,
};

/// A directory that the server's account can enter.
fn directory() -> TempDir {
    tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o711))
        .tempdir()
        .expect("a directory")
}

/// The binary in a directory with a private PostgreSQL.
fn at(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.current_dir(directory);
    command
}

fn run(directory: &Path, discord: &Simulator) -> Child {
    at(directory, &["run"])
        .env("DISCORD_TOKEN", &discord.config().token)
        .env("EVENTIDE__DISCORD__API_URL", discord.rest_url())
        .env("EVENTIDE__HTTP__LISTEN", "127.0.0.1:0")
        // With the failed test's output.
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the binary starts")
}

async fn status(directory: &Path) -> String {
    let output = at(directory, &["migrate", "status"])
        .output()
        .await
        .expect("the binary runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn options(directory: &Path) -> Options {
    support::options(&directory.join("data"))
}

async fn visit(directory: &Path) -> Visit {
    PrivatePostgres::visit(&options(directory))
        .await
        .expect("a visit")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_beside_a_bot_that_starts_runs_and_has_stopped() {
    let directory = directory();
    let directory = directory.path();
    let discord = discord(SimulatorConfig::default()).await;
    // This is the first use, so a cluster has to be created meanwhile. Whichever process comes first, the other waits.
    let mut bot = run(directory, &discord);
    let told = status(directory).await;
    assert!(told.contains("V1__"), "{told}");

    let control = discord.control();
    control.set_rate(Rate::PerSecond(500.0));
    until("the bot receives", async || {
        (control.stats().delivered > 500).then_some(())
    })
    .await;
    let Visit::Guest(guest) = visit(directory).await else {
        unreachable!("the bot runs the server")
    };
    let pidfile = directory.join("data/postgres/cluster/postmaster.pid");
    let server = fs::read_to_string(&pidfile).expect("a server");
    for _ in 0..3 {
        let statuses = tokio::join!(status(directory), status(directory));
        assert!(!statuses.0.contains("pending"), "{statuses:?}");
        assert_eq!(statuses.0, statuses.1);
    }
    let store = Store::new(Target::from(guest.connection()), &config_for(&discord).database).expect("a pool");
    settle_exactly(&discord, &store).await;
    assert_eq!(fs::read_to_string(&pidfile).expect("a server"), server);
    assert!(compare(&discord, &store).await.is_exact());
    drop(store);

    // The guest does not keep the bot from stopping its server.
    kill(
        Pid::from_raw(bot.id().expect("a bot").cast_signed()),
        Signal::SIGTERM,
    )
    .expect("a signal");
    assert_eq!(bot.wait().await.expect("an end").code(), Some(0));
    assert!(!pidfile.exists());
    drop(guest);
    assert!(!status(directory).await.contains("pending"));
    assert!(!pidfile.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_command_stops_the_server_and_a_bot_waits_for_it() {
    let directory = directory();
    let directory = directory.path();
    let Visit::Host(host) = visit(directory).await else {
        unreachable!("nobody else is here")
    };
    let server = host.pid();
    let guest = visit(directory).await;
    assert!(matches!(guest, Visit::Guest(_)));
    let stopping = task::spawn("host", host.stop(StopMode::Fast));
    let starting = {
        let options = options(directory);
        task::spawn("bot", async move { PrivatePostgres::start(&options).await })
    };
    assert!(status(directory).await.contains("pending"));
    assert!(!stopping.is_finished() && !starting.is_finished());
    assert!(Path::new(&format!("/proc/{server}")).exists());

    drop(guest);
    stopping.join().await.expect("joined").expect("stopped");
    let bot = starting.join().await.expect("joined").expect("started");
    assert_ne!(bot.pid(), server);
    bot.stop(StopMode::Immediate).await.expect("stopped");
}
