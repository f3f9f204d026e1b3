//! The demo and the private PostgreSQL with the real binary.

use std::path::Path;

use discord_simulator::{Rate, SimulatorConfig};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::support::{
    bot::{command, discord},
    until,
};

/// The demo with all its faults ends with everything counted, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_is_exact_whatever_breaks() {
    let directory = TempDir::new().expect("a directory");
    let demo = ["demo", "--seconds", "24", "--rate", "2000", "--chaos"];
    let output = command(&demo)
        .current_dir(directory.path())
        .env("EVENTIDE__HTTP__LISTEN", "127.0.0.1:0")
        .output()
        .await
        .expect("the binary runs");
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{shown}\n{told}");
    for words in [
        "PostgreSQL crashes",
        "lost 0, doubled 0",
        "every message counted exactly once",
        "Leaderboard of",
    ] {
        assert!(shown.contains(words), "{words:?} is not in {shown}");
    }
}

fn postmaster(data: &Path) -> Option<i32> {
    let text = std::fs::read_to_string(data.join("postgres/cluster/postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// A private server that was killed is restarted, and the bot recovers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_server_that_was_killed_comes_back() {
    let directory = TempDir::new().expect("a directory");
    let discord = discord(SimulatorConfig {
        rate: Rate::PerSecond(500.0),
        ..SimulatorConfig::default()
    })
    .await;
    let log = std::fs::File::create(directory.path().join("log")).expect("a file");
    let mut bot = command(&["run"])
        .current_dir(directory.path())
        .env("DISCORD_TOKEN", &discord.config().token)
        .env("EVENTIDE__DISCORD__API_URL", discord.rest_url())
        .env("EVENTIDE__HTTP__LISTEN", "127.0.0.1:0")
        .stderr(log)
        .spawn()
        .expect("the binary starts");
    let control = discord.control();
    until("messages come", async || {
        (control.stats().delivered > 500).then_some(())
    })
    .await;
    let data = directory.path().join("data");
    let first = postmaster(&data).expect("a running server");
    kill(Pid::from_raw(first), Signal::SIGQUIT).expect("a signal");
    until("another server runs", async || {
        postmaster(&data).filter(|pid| *pid != first)
    })
    .await;
    let pid = i32::try_from(bot.id().expect("a running bot")).expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("a signal");
    let status = bot.wait().await.expect("an end");
    let log = std::fs::read_to_string(directory.path().join("log")).expect("a log");
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("everything received is committed"), "{log}");
}
