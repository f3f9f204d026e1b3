//! `eventide demo`: runs the bot without a Discord account.

use std::time::Duration;

use clap::Args;

use super::CliError;
use crate::{app::demo, config::Config, telemetry::logging};

/// The options of the demo.
#[derive(Clone, Copy, Debug, Args)]
pub struct Demo {
    /// Duration of the traffic in seconds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Events per second over all shards; 0 for as many as the bot can process
    #[arg(long, default_value_t = 5_000)]
    rate: u32,
    /// Number of simulated guilds
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    guilds: u32,
    /// Number of simulated members
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    members: u32,
    /// Number of shards
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    shards: u32,
    /// Drop connections and restart the database during the run
    #[arg(long)]
    chaos: bool,
}

/// Run the demo.
///
/// # Errors
///
/// Something could not be started, or a message was lost or counted twice.
pub async fn demo(demo: Demo, config: &Config) -> Result<(), CliError> {
    let mut log = config.log.clone();
    if log == Config::defaults().log {
        // The faults injected by the demo would fill the screen; the table shows them.
        "error".clone_into(&mut log.level);
    }
    logging::install(&log);
    let options = demo::Options {
        duration: Duration::from_secs(demo.seconds),
        rate: demo.rate.into(),
        guilds: demo.guilds,
        members: demo.members,
        shards: demo.shards,
        chaos: demo.chaos,
    };
    let report = Box::pin(demo::run(options, config)).await?;
    if report.is_exact() {
        Ok(())
    } else {
        Err(CliError::NotExact)
    }
}
