//! `make bench ARGS=--scale`: one process with many shards and servers.

use std::time::Duration;

use discord_simulator::{GatewayRules, GuildSize, RestRules, Simulator, SimulatorConfig};
use tokio::time::{Instant, sleep};

use crate::{Failure, cpu, server::Server, subject::Subject, trial};

const SHARDS: u32 = 128;
const SIZE: GuildSize = GuildSize {
    channels: 50,
    roles: 20,
};
/// How long the bot is left alone before its memory is read.
const CALM: Duration = Duration::from_secs(5);

struct Measured {
    seconds: f64,
    cpu_seconds: f64,
    memory: u64,
    peak_memory: u64,
}

/// Measure with a server a shard and with all of them, and say in words what the difference is.
pub(crate) async fn run(server: &Server, subject: &Subject, guilds: u32) -> Result<String, Failure> {
    let mut told = Vec::new();
    let few = start(server, subject, SHARDS).await?;
    let many = start(server, subject, guilds).await?;
    for (count, measured) in [(SHARDS, &few), (guilds, &many)] {
        told.push(format!(
            "{SHARDS} shards, {count} servers of {} channels and {} roles: up after {:.1} s with {:.1} s of CPU time; {:.1} MiB, {:.1} MiB at most",
            SIZE.channels,
            SIZE.roles,
            measured.seconds,
            measured.cpu_seconds,
            mebibytes(measured.memory),
            mebibytes(measured.peak_memory),
        ));
    }
    let each = |few: u64, many: u64| many.saturating_sub(few) / u64::from(guilds - SHARDS);
    told.push(format!(
        "a server more: {} bytes, {} at most",
        each(few.memory, many.memory),
        each(few.peak_memory, many.peak_memory)
    ));
    Ok(told.join("\n") + "\n")
}

/// A Discord that neither has shards wait for each other nor limits requests.
pub(crate) fn unlimited(shards: u32) -> SimulatorConfig {
    SimulatorConfig {
        shards,
        gateway: GatewayRules {
            max_concurrency: shards,
            ..GatewayRules::default()
        },
        rest: RestRules {
            enforce: false,
            ..RestRules::default()
        },
        ..SimulatorConfig::default()
    }
}

async fn start(server: &Server, subject: &Subject, guilds: u32) -> Result<Measured, Failure> {
    let database = server.fresh_database().await?;
    let discord = Simulator::start_on_own_thread(SimulatorConfig {
        guilds,
        guild_size: Some(SIZE),
        members: guilds * 10,
        ..unlimited(SHARDS)
    })
    .await?;
    let began = Instant::now();
    let mut bot = subject.start(&discord, &database, server.directory())?;
    trial::connected(&discord, &mut bot, SHARDS).await?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu_seconds = cpu::of_process(bot.pid)?.as_secs_f64();
    sleep(CALM).await;
    let measured = Measured {
        seconds,
        cpu_seconds,
        memory: cpu::memory_bytes(bot.pid)?,
        peak_memory: cpu::peak_memory_bytes(bot.pid)?,
    };
    bot.stop().await?;
    discord.stop().await;
    Ok(measured)
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}
