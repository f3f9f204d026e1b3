//! `eventide fleet`: who shares the shards, and what an operator can ask of them.

use std::io::Write as _;

use clap::Subcommand;

use super::CliError;
use crate::{
    config::Config,
    database::{Database, DatabaseError},
    logging,
    store::{
        Store, StoreError,
        fleet::{self, Overview, Told},
    },
};

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Fleet {
    /// Show the processes, and each one's shards
    Status {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Let a process give its shards to the others; it stays, without any, until it is stopped
    Drain {
        /// Its id, as `fleet status` shows it
        process: String,
        /// Let it have shards again
        #[arg(long)]
        undo: bool,
    },
    /// Put a shard on a process, whatever the balance says, for as long as that lives
    Move {
        /// The shard's number
        shard: u32,
        /// The process's id; without it the balance decides again
        process: Option<String>,
    },
}

/// Do it.
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
        Done::Told(Told::Done) => Ok(()),
        Done::Told(Told::NoSuchProcess) => Err(CliError::Usage(
            "there is no such process: `eventide fleet status` shows them".to_owned(),
        )),
        Done::Told(Told::NoSuchShard) => Err(CliError::Usage(
            "there is no such shard: `eventide fleet status` shows them".to_owned(),
        )),
    }
}

enum Done {
    Shown(Overview),
    Told(Told),
}

async fn act(database: &Database, what: &Fleet, config: &Config) -> Result<Done, DatabaseError> {
    let store = database.store(&config.database)?;
    let done = ask(&store, what).await;
    store.close();
    Ok(done?)
}

async fn ask(store: &Store, what: &Fleet) -> Result<Done, StoreError> {
    Ok(match what.clone() {
        Fleet::Status { .. } => Done::Shown(fleet::overview(store).await?),
        Fleet::Drain { process, undo } => Done::Told(fleet::set_draining(store, process, !undo).await?),
        Fleet::Move { shard, process } => Done::Told(fleet::want(store, shard, process).await?),
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
        "{} processes, {shard_count} shards, {} of them nobody's; {} of {} identifies left today",
        overview.processes.len(),
        overview.free.len(),
        overview.identify_remaining,
        overview.identify_total
    )?;
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
            "  {:>5}  {:<10} {:>12} {:>9} {:>8} {:>8}",
            "SHARD", "STATE", "EVENTS", "LAG", "HELD", "SESSION"
        )?;
        for shard in &process.shards {
            let shown = |name: &str| process.shown[shard.id.to_string()][name].clone();
            writeln!(
                out,
                "  {:>5}  {:<10} {:>12} {:>6} ms {:>6} s {:>6} s{}",
                shard.id,
                shown("state").as_str().unwrap_or("starting"),
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
