//! `eventide fleet`: shows and controls the processes that share the shards.

use std::io::Write as _;

use clap::Subcommand;

use super::CliError;
use crate::{
    config::Config,
    pipeline::fleet::registry::{
        self, OrderResult, Overview,
        reshard::{self, Begun, Cancelled},
    },
    postgres::{
        Store, StoreError,
        database::{Database, DatabaseError},
    },
    telemetry::logging,
};

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Fleet {
    /// Show the processes and their shards
    ///
    /// Each shard with its state, lag, age of its session and guilds with counted members; also the identifies left today.
    Status {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Move all shards of a process to the others; it keeps running without shards
    Drain {
        /// The process's ID, from `eventide fleet status`
        process: String,
        /// Let the process have shards again
        #[arg(long)]
        undo: bool,
    },
    /// Change the number of shards while the bot runs
    ///
    /// New sessions start beside the old ones and take over without losing a message. It uses one identify per new shard.
    Reshard {
        /// The new number of shards
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=65_535), required_unless_present = "cancel")]
        total: Option<u32>,
        /// Cancel the change, as long as no shard has switched
        #[arg(long, conflicts_with = "total")]
        cancel: bool,
    },
    /// Pin a shard to a process for as long as the process lives
    Move {
        /// The shard to move
        shard: u32,
        /// The process's ID; without it the shard is balanced automatically again
        process: Option<String>,
    },
}

/// Run the subcommand.
///
/// # Errors
///
/// The database cannot be reached, or there is no such process or shard.
pub async fn fleet(what: Fleet, config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let done = act(&database, &what, config).await;
    database.close().await?;
    match done? {
        Done::Shown(overview) => show(&overview, matches!(what, Fleet::Status { json: true })),
        Done::Begun(begun) => print_begun(begun),
        Done::Cancelled(Cancelled::Nothing) => Err(CliError::Usage(
            "the number of shards is not being changed: there is nothing to cancel".to_owned(),
        )),
        Done::Cancelled(Cancelled::TooLate) => Err(CliError::Usage(
            "shards have started to switch: wait until `eventide fleet status` shows the new number, then change it back".to_owned(),
        )),
        Done::Cancelled(Cancelled::Yes) | Done::Ordered(OrderResult::Done) => Ok(()),
        Done::Ordered(result) => Err(CliError::Usage(refusal(&what, result))),
    }
}

/// The error message for a rejected request.
fn refusal(what: &Fleet, result: OrderResult) -> String {
    let (shard, process) = match what {
        Fleet::Status { .. } | Fleet::Reshard { .. } => (0, ""),
        Fleet::Drain { process, .. } => (0, process.as_str()),
        Fleet::Move { shard, process } => (*shard, process.as_deref().unwrap_or_default()),
    };
    match result {
        OrderResult::NoSuchShard(Some(count)) => {
            format!(
                "there is no shard {shard}: shards are numbered 0 to {}",
                count - 1
            )
        }
        OrderResult::Drains => format!(
            "the process {process:?} is draining and takes no shard; to stop draining, run `eventide fleet drain {process} --undo`"
        ),
        OrderResult::NoSuchShard(None) => {
            "there are no shards yet: no process has run on this database".to_owned()
        }
        OrderResult::NoSuchProcess | OrderResult::Done => {
            format!("there is no process {process:?}: see `eventide fleet status`")
        }
    }
}

/// Print the result of a reshard request.
fn print_begun(begun: Begun) -> Result<(), CliError> {
    let problem = match begun {
        Begun::Yes => {
            writeln!(
                std::io::stdout(),
                "started; `eventide fleet status` shows the progress, `eventide fleet reshard --cancel` cancels it"
            )?;
            return Ok(());
        }
        Begun::NoFleet => {
            "no process has run on this database yet: set gateway.shard_count before the first one".to_owned()
        }
        Begun::AsItIs => "the fleet already has this number of shards".to_owned(),
        Begun::UnderWay(reshard) => format!(
            "the number of shards is already being changed to {}: wait for it, or run `eventide fleet reshard --cancel`",
            reshard.to
        ),
        Begun::Identifies(left) => format!(
            "each new shard takes one of the day's identifies, and {left} are left: there are more within 24 hours (`eventide fleet status`)"
        ),
    };
    Err(CliError::Usage(problem))
}

enum Done {
    Shown(Overview),
    Begun(Begun),
    Cancelled(Cancelled),
    Ordered(OrderResult),
}

async fn act(database: &Database, what: &Fleet, config: &Config) -> Result<Done, DatabaseError> {
    let store = database.own_store(&config.database).await?;
    let done = ask(&store, what).await;
    store.close();
    Ok(done?)
}

async fn ask(store: &Store, what: &Fleet) -> Result<Done, StoreError> {
    Ok(match what.clone() {
        Fleet::Status { .. } => Done::Shown(registry::overview(store).await?),
        Fleet::Drain { process, undo } => Done::Ordered(registry::set_draining(store, process, !undo).await?),
        Fleet::Reshard {
            total: Some(total), ..
        } => Done::Begun(reshard::ask_for(store, total).await?),
        Fleet::Reshard { .. } => Done::Cancelled(reshard::cancel(store).await?),
        Fleet::Move { shard, process } => Done::Ordered(registry::want(store, shard, process).await?),
    })
}

fn show(overview: &Overview, json: bool) -> Result<(), CliError> {
    let mut out = std::io::stdout();
    if json {
        writeln!(out, "{}", overview.as_json())?;
        return Ok(());
    }
    let Some(shard_count) = overview.shard_count else {
        writeln!(out, "no process has run on this database yet")?;
        return Ok(());
    };
    writeln!(
        out,
        "{} processes, {shard_count} shards, {} of them without a process; {} of {} identifies left today",
        overview.processes.len(),
        overview.free.len(),
        overview.identify_remaining,
        overview.identify_total
    )?;
    if let Some(reshard) = overview.reshard {
        writeln!(
            out,
            "the number of shards is being changed to {}: {}",
            reshard.to,
            overview.reshard_stage()
        )?;
    }
    for process in &overview.processes {
        writeln!(
            out,
            "\n{} on {}, version {}, capacity {}, up {} s, seen {:.1} s ago{}",
            process.id,
            process.host,
            process.version,
            process.capacity,
            process.up_s,
            process.silent_s,
            if process.draining { ", draining" } else { "" }
        )?;
        if process.shards.is_empty() {
            writeln!(out, "  no shards")?;
            continue;
        }
        writeln!(
            out,
            "  {:>7}  {:<10} {:>7} {:>12} {:>9} {:>8} {:>8}",
            "SHARD", "STATE", "GUILDS", "EVENTS", "LAG", "HELD", "SESSION"
        )?;
        for shard in &process.shards {
            let shown = |name: &str| process.shown[shard.key.to_string()][name].clone();
            writeln!(
                out,
                "  {:>7}  {:<10} {:>7} {:>12} {:>6} ms {:>6} s {:>6} s{}",
                shard.key.to_string(),
                shown("state").as_str().unwrap_or("starting"),
                shard.guilds,
                shown("events").as_u64().unwrap_or(0),
                shown("lag_ms").as_u64().unwrap_or(0),
                shard.held_s,
                shown("session_s").as_u64().unwrap_or(0),
                if shard.wanted { "  put here" } else { "" }
            )?;
        }
    }
    Ok(())
}
