//! A minute without PostgreSQL at the highest load that the machine can produce: the cost in memory.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use discord_simulator::{Rate, SimulatorConfig};
use eventide::{pipeline::rows::gap, postgres::embedded::StopMode};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::{Instant, sleep};

use super::{SHARDS, database::restarted, stage::Stage, table::say};

pub(super) const NAME: &str = "60 s without PostgreSQL at full load";

const AWAY: Duration = Duration::from_mins(1);

/// How long the machine's rate is measured.
const MEASURED: Duration = Duration::from_secs(5);

/// The share of that rate, since PostgreSQL needs a part of the machine to recover.
const SHARE: f64 = 0.7;

pub(super) async fn sixty_seconds_without_the_database() {
    let mut world = SimulatorConfig {
        shards: u32::try_from(SHARDS).expect("few"),
        guilds: 1_000,
        members: 500_000,
        ..SimulatorConfig::default()
    };
    // A minute at the machine's rate is more than is kept by default.
    world.gateway.history_limit = 40_000_000;
    world.gateway.replay_limit = 10_000_000;
    let mut stage = Stage::in_world(world, |_| Vec::new(), &[]).await;
    let control = stage.discord.control();
    control.set_rate(Rate::Full);
    stage.receives().await;
    let (began, before) = (Instant::now(), control.stats().delivered);
    sleep(MEASURED).await;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let full = (control.stats().delivered - before) as f64 / began.elapsed().as_secs_f64();
    let rate = (full * SHARE).floor();
    control.set_rate(Rate::PerSecond(rate));
    sleep(MEASURED).await;

    let peak_before = peak_kib(&stage);
    let sent_before = stage.discord.oracle().sent();
    kill(Pid::from_raw(stage.scene.postgres.pid()), Signal::SIGKILL).expect("a signal");
    sleep(AWAY).await;
    let peak_away = peak_kib(&stage);
    restarted(&mut stage, StopMode::Immediate).await;
    let back = Instant::now();
    let sent = stage.discord.oracle().sent() - sent_before;
    stage.caught_up().await;
    let caught_up = back.elapsed();
    let peak = peak_kib(&stage);
    let full_ledgers = stage.metric("eventide_ledger_full_total").await;
    let gaps = gap::list(&stage.store, SystemTime::UNIX_EPOCH, 100)
        .await
        .expect("gaps");
    let end = stage.end().await;

    say(&format!(
        "\n{NAME}: {rate:.0} events/s of {full:.0}, 500,000 members, {sent} messages meanwhile; \
         lost {}, doubled {}, sessions lost {}, ledger full {full_ledgers} times; caught up {:.1} s after PostgreSQL was back; \
         resident at most {} MiB before, {} MiB without it, {} MiB after",
        end.report.lost,
        end.report.doubled,
        end.identifies - SHARDS,
        caught_up.as_secs_f64(),
        peak_before / 1024,
        peak_away / 1024,
        peak / 1024,
    ));
    assert!(end.report.is_exact(), "{}: {:?}", end.report, end.report.examples);
    assert!(end.wrong.is_empty(), "{:?}", end.wrong);
    assert_eq!((gaps.len(), end.identifies), (0, SHARDS), "no session is lost");
    // The ledger's default budget is 64 MiB, which each shard can exceed by one event; a full ledger is written in complete batches.
    assert!(peak < 400 * 1024, "{peak} KiB at the peak");
}

/// The most that the bot has held resident so far, in KiB: <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>.
fn peak_kib(stage: &Stage) -> u64 {
    let pid = stage.bot.id().expect("a running bot");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process's status");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("VmHWM");
    let number = line.trim().trim_end_matches(" kB").trim();
    number.parse().expect("a number")
}
