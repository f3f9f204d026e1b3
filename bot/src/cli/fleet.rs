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
        fleet::{
            self, Overview, Told,
            reshard::{self, Begun, Cancelled},
        },
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
    /// Change the number of shards while they run: new sessions begin beside the old ones, and take over without a message lost
    Reshard {
        /// How many there shall be
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=65_535), required_unless_present = "cancel")]
        total: Option<u32>,
        /// Leave the number as it is, as long as no shard has changed over
        #[arg(long, conflicts_with = "total")]
        cancel: bool,
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
        Done::Begun(begun) => tell_begun(begun),
        Done::Cancelled(Cancelled::Nothing) => Err(CliError::Usage(
            "the number of shards is not being changed: there is nothing to cancel".to_owned(),
        )),
        Done::Cancelled(Cancelled::TooLate) => Err(CliError::Usage(
            "shards change over already: wait until `eventide fleet status` shows the new number, then change it back".to_owned(),
        )),
        Done::Cancelled(Cancelled::Yes) | Done::Told(Told::Done) => Ok(()),
        Done::Told(told) => Err(CliError::Usage(refusal(&what, told))),
    }
}

/// Why nothing was done.
fn refusal(what: &Fleet, told: Told) -> String {
    let (shard, process) = match what {
        Fleet::Status { .. } | Fleet::Reshard { .. } => (0, ""),
        Fleet::Drain { process, .. } => (0, process.as_str()),
        Fleet::Move { shard, process } => (*shard, process.as_deref().unwrap_or_default()),
    };
    match told {
        Told::NoSuchShard(Some(count)) => {
            format!(
                "there is no shard {shard}: they have the numbers 0 to {}",
                count - 1
            )
        }
        Told::Drains => format!(
            "the process {process:?} is draining and takes no shard; `eventide fleet drain {process} --undo` ends that"
        ),
        Told::NoSuchShard(None) => "there are no shards yet: no process has run on this database".to_owned(),
        Told::NoSuchProcess | Told::Done => {
            format!("there is no process {process:?}: `eventide fleet status` shows who there is")
        }
    }
}

/// Say what became of a wish for another number of shards.
fn tell_begun(begun: Begun) -> Result<(), CliError> {
    let problem = match begun {
        Begun::Yes => {
            writeln!(
                std::io::stdout(),
                "under way; `eventide fleet status` shows how far it is, `eventide fleet reshard --cancel` leaves it"
            )?;
            return Ok(());
        }
        Begun::NoFleet => {
            "no process has run on this database yet: set gateway.shard_count before the first one".to_owned()
        }
        Begun::AsItIs => "the fleet has this number of shards already".to_owned(),
        Begun::UnderWay(reshard) => format!(
            "the number of shards is being changed to {} already: wait for it, or `eventide fleet reshard --cancel`",
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
        Fleet::Reshard {
            total: Some(total), ..
        } => Done::Begun(reshard::ask_for(store, total).await?),
        Fleet::Reshard { .. } => Done::Cancelled(reshard::cancel(store).await?),
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
