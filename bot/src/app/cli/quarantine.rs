//! `eventide quarantine`: manages changes that PostgreSQL rejected.

use std::io::Write as _;

use clap::{Args, Subcommand};

use super::CliError;
use crate::{
    config::Config,
    pipeline::{
        rows::quarantine::{self, Shown},
        writer::isolate::{self, Retried},
    },
    postgres::{Store, StoreError, database::Database},
    settings::Settings,
    telemetry::logging,
};

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Quarantine {
    /// Show the changes and why each was rejected, oldest first
    List(List),
    /// Apply changes, each once, after the cause was fixed
    Retry(Which),
    /// Delete changes without applying them
    Discard(Which),
}

/// What to show.
#[derive(Clone, Copy, Debug, Args)]
pub struct List {
    /// Show at most N
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u32,
    /// Print one JSON object per line, with the change itself
    #[arg(long)]
    pub json: bool,
}

/// Which changes.
#[derive(Clone, Debug, Args)]
#[group(required = true)]
pub struct Which {
    /// Numbers from `eventide quarantine list`
    #[arg(value_name = "NUMBER")]
    pub numbers: Vec<i64>,
    /// All of them, oldest first
    #[arg(long, conflicts_with = "numbers")]
    pub all: bool,
}

/// Run the subcommand.
///
/// # Errors
///
/// The database cannot be reached, or has no such table yet; or changes could not be applied.
pub async fn quarantine(what: Quarantine, config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let done = async {
        let store = database.own_store(&config.database).await?;
        let done = run(what, &store, config).await;
        store.close();
        done
    };
    let done = done.await;
    database.close().await?;
    done
}

async fn run(what: Quarantine, store: &Store, config: &Config) -> Result<(), CliError> {
    let mut out = std::io::stdout();
    match what {
        Quarantine::List(list) => {
            let found = quarantine::list(store, list.limit).await?;
            if list.json {
                for change in &found {
                    writeln!(out, "{}", as_json(change))?;
                }
            } else if found.is_empty() {
                writeln!(out, "the quarantine is empty")?;
            } else {
                table(&mut out, &found)?;
            }
            Ok(())
        }
        Quarantine::Retry(which) => {
            let settings = Settings::new(&config.levels);
            let mut left = 0;
            for number in numbers(which, store).await? {
                match isolate::retry(store, &settings, number).await {
                    Ok(Retried::Applied) => writeln!(out, "{number}: applied")?,
                    Ok(Retried::Gone) => writeln!(out, "{number}: not in quarantine")?,
                    Ok(Retried::Unknown) => {
                        left += 1;
                        writeln!(
                            out,
                            "{number}: this version of Eventide cannot read it; use a newer one"
                        )?;
                    }
                    Err(error) => {
                        left += 1;
                        writeln!(out, "{number}: {error}")?;
                    }
                }
            }
            if left > 0 {
                return Err(CliError::Quarantined(left));
            }
            Ok(())
        }
        Quarantine::Discard(which) => {
            for number in numbers(which, store).await? {
                let removed = store.transaction("quarantine_discard", move |tx| {
                    Box::pin(async move { quarantine::remove(tx, number).await })
                });
                let said = if removed.await? {
                    "discarded"
                } else {
                    "not in quarantine"
                };
                writeln!(out, "{number}: {said}")?;
            }
            Ok(())
        }
    }
}

async fn numbers(which: Which, store: &Store) -> Result<Vec<i64>, StoreError> {
    if !which.all {
        return Ok(which.numbers);
    }
    quarantine::numbers(store).await
}

fn table(out: &mut impl std::io::Write, found: &[Shown]) -> std::io::Result<()> {
    writeln!(
        out,
        "{:>8}  {:<20} {:<7} {:<20} {:<20} {:<8}  REASON",
        "NUMBER", "SINCE", "KIND", "GUILD", "MEMBER", "SQLSTATE"
    )?;
    for change in found {
        let id = |id: Option<i64>| id.map_or_else(|| "none".to_owned(), |id| id.to_string());
        writeln!(
            out,
            "{:>8}  {:<20} {:<7} {:<20} {:<20} {:<8}  {}",
            change.quarantine_id,
            change.quarantined_at,
            change.kind,
            id((change.guild_id != 0).then_some(change.guild_id)),
            id(change.user_id),
            change.sqlstate,
            change.reason,
        )?;
    }
    Ok(())
}

fn as_json(change: &Shown) -> serde_json::Value {
    // Snowflakes as strings: JavaScript's numbers have too few digits for them.
    serde_json::json!({
        "number": change.quarantine_id,
        "quarantined_at": change.quarantined_at,
        "kind": change.kind,
        "guild_id": change.guild_id.to_string(),
        "user_id": change.user_id.map(|id| id.to_string()),
        "sqlstate": change.sqlstate,
        "reason": change.reason,
        "change": change.body,
    })
}
