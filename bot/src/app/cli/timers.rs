//! `eventide timers`: lists and cancels timers.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use twilight_model::id::{Id, marker::GuildMarker};

use super::{CliError, import::guild};
use crate::{
    config::Config,
    postgres::{
        Store,
        database::Database,
        timer::{self, Filter, Shown},
    },
    telemetry::logging,
};

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Timers {
    /// Show scheduled work, the next first
    List(List),
    /// Cancel a timer of a server
    ///
    /// Prints `cancelled`, or `no such timer` if it has fired. Periodic jobs cannot be cancelled.
    Cancel(Which),
}

/// What to show.
#[derive(Clone, Copy, Debug, Args)]
pub struct List {
    /// Show abandoned timers with the reason, newest first
    #[arg(long)]
    pub failed: bool,
    /// Show only timers of this server
    #[arg(long, value_name = "ID", value_parser = guild)]
    pub guild: Option<Id<GuildMarker>>,
    /// Show at most N
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u32,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

/// Which timer, as `eventide timers list` shows it.
#[derive(Clone, Debug, Args)]
pub struct Which {
    /// The server's ID
    #[arg(value_name = "GUILD", value_parser = guild)]
    pub guild: Id<GuildMarker>,
    /// The timer's kind
    #[arg(value_name = "KIND")]
    pub kind: String,
    /// The timer's ID
    #[arg(value_name = "ID")]
    pub timer: i64,
}

/// Run the subcommand.
///
/// # Errors
///
/// The database cannot be reached, or has no such table yet.
pub async fn timers(what: Timers, config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let done = async {
        let store = database.own_store(&config.database).await?;
        let done = run(what, &store).await;
        store.close();
        done
    };
    let done = done.await;
    database.close().await?;
    done
}

async fn run(what: Timers, store: &Store) -> Result<(), CliError> {
    let mut out = io::stdout();
    match what {
        Timers::List(list) => {
            let filter = Filter {
                guild_id: list.guild,
                failed: list.failed,
            };
            let found = timer::list(store, filter, list.limit).await?;
            if list.json {
                for timer in &found {
                    writeln!(out, "{}", as_json(timer))?;
                }
            } else if found.is_empty() {
                writeln!(out, "no timers")?;
            } else {
                table(&mut out, &found)?;
            }
        }
        Timers::Cancel(which) => {
            let cancelled = store.transaction("timer_cancel", move |tx| {
                Box::pin(async move { timer::cancel(tx, which.guild, &which.kind, which.timer).await })
            });
            let said = if cancelled.await? {
                "cancelled"
            } else {
                "no such timer"
            };
            writeln!(out, "{said}")?;
        }
    }
    Ok(())
}

fn table(out: &mut impl Write, found: &[Shown]) -> io::Result<()> {
    writeln!(
        out,
        "{:<20} {:<20} {:<18} {:<20} {:<20} {:>5}  LAST FAILURE",
        "DUE", "GUILD", "KIND", "ID", "GIVEN UP", "TRIES"
    )?;
    for timer in found {
        let guild = if timer.guild_id == 0 {
            "all".to_owned()
        } else {
            timer.guild_id.to_string()
        };
        writeln!(
            out,
            "{:<20} {guild:<20} {:<18} {:<20} {:<20} {:>5}  {}",
            timer.due_at,
            timer.kind,
            timer.timer_id,
            timer.failed_at.as_deref().unwrap_or("no"),
            timer.attempts,
            timer.failure.as_deref().unwrap_or("none"),
        )?;
    }
    Ok(())
}

fn as_json(timer: &Shown) -> serde_json::Value {
    // IDs as strings: JavaScript's numbers have too few digits for them.
    serde_json::json!({
        "guild_id": timer.guild_id.to_string(),
        "kind": timer.kind,
        "timer_id": timer.timer_id.to_string(),
        "due_at": timer.due_at,
        "attempts": timer.attempts,
        "failed_at": timer.failed_at,
        "failure": timer.failure,
    })
}
