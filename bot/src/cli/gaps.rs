//! `eventide gaps`: what was missed.

use std::{
    io::Write as _,
    time::{Duration, SystemTime},
};

use clap::Args;

use super::CliError;
use crate::{
    config::Config,
    database::{Database, DatabaseError},
    logging,
    store::gap::{self, Recorded},
};

/// What to show.
#[derive(Clone, Copy, Debug, Args)]
pub struct Gaps {
    /// Gaps of so many days
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub days: u32,
    /// At most so many, the newest first
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u32,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Show them.
///
/// # Errors
///
/// The database cannot be reached, or has no such table yet.
pub async fn gaps(what: Gaps, config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let found = read(&database, what, config).await;
    database.close().await?;
    let found = found?;
    let mut out = std::io::stdout();
    if what.json {
        for gap in &found {
            writeln!(out, "{}", as_json(gap))?;
        }
        return Ok(());
    }
    if found.is_empty() {
        writeln!(out, "no gaps in the last {} days", what.days)?;
        return Ok(());
    }
    writeln!(
        out,
        "{:<10} {:<20} {:<20} {:>9}  {:<18} MISSED",
        "SHARD", "FROM", "TO", "SECONDS", "REASON"
    )?;
    for gap in &found {
        writeln!(
            out,
            "{:<10} {:<20} {:<20} {:>9.1}  {:<18} {}",
            format!("{}/{}", gap.shard_id, gap.shard_count),
            gap.began_at,
            gap.ended_at.as_deref().unwrap_or("still open"),
            gap.seconds,
            gap.reason,
            gap.missing
                .map_or_else(|| "unknown".to_owned(), |missing| missing.to_string()),
        )?;
    }
    Ok(())
}

async fn read(database: &Database, what: Gaps, config: &Config) -> Result<Vec<Recorded>, DatabaseError> {
    let store = database.store(&config.database)?;
    let days = Duration::from_secs(u64::from(what.days) * 86_400);
    let since = SystemTime::now()
        .checked_sub(days)
        .unwrap_or(SystemTime::UNIX_EPOCH);
    let found = gap::list(&store, since, what.limit).await;
    store.close();
    Ok(found?)
}

fn as_json(gap: &Recorded) -> serde_json::Value {
    serde_json::json!({
        "shard_id": gap.shard_id,
        "shard_count": gap.shard_count,
        "began_at": gap.began_at,
        "ended_at": gap.ended_at,
        "seconds": gap.seconds,
        "reason": gap.reason,
        "last_sequence": gap.last_sequence,
        "missing": gap.missing,
    })
}
