//! `eventide effects`: lists pending and failed effects.

use std::{
    io::Write as _,
    time::{Duration, SystemTime},
};

use clap::Args;

use super::CliError;
use crate::{
    config::Config,
    outbox::queue::{self, Shown},
    postgres::database::{Database, DatabaseError},
    support::clock::host_time,
    telemetry::logging,
};

/// What to show.
#[derive(Clone, Copy, Debug, Args)]
pub struct Effects {
    /// Show failed deliveries instead of pending ones
    #[arg(long)]
    pub failed: bool,
    /// Show failures of the last N days
    #[arg(long, value_name = "N", default_value_t = 7, requires = "failed")]
    pub days: u32,
    /// Show at most N, newest first
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u32,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

/// List the effects.
///
/// # Errors
///
/// The database cannot be reached, or has no such table yet.
pub async fn effects(what: Effects, config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let found = read(&database, what, config).await;
    database.close().await?;
    let found = found?;
    let mut out = std::io::stdout();
    if what.json {
        for effect in &found {
            writeln!(out, "{}", as_json(effect))?;
        }
        return Ok(());
    }
    if found.is_empty() {
        let nothing = if what.failed {
            format!("no failed deliveries in the last {} days", what.days)
        } else {
            "no pending deliveries".to_owned()
        };
        writeln!(out, "{nothing}")?;
        return Ok(());
    }
    writeln!(
        out,
        "{:<20} {:<20} {:<9} {:<20} {:>5}  LAST FAILURE",
        if what.failed { "GIVEN UP" } else { "SINCE" },
        "GUILD",
        "KIND",
        "CHANNEL OR MEMBER",
        "TRIES"
    )?;
    for effect in &found {
        writeln!(
            out,
            "{:<20} {:<20} {:<9} {:<20} {:>5}  {}",
            effect.failed_at.as_deref().unwrap_or(&effect.created_at),
            effect.guild_id,
            effect.kind,
            effect
                .target_id
                .map_or_else(|| "none".to_owned(), |target| target.to_string()),
            effect.attempts,
            effect.failure.as_deref().unwrap_or("none"),
        )?;
    }
    Ok(())
}

async fn read(database: &Database, what: Effects, config: &Config) -> Result<Vec<Shown>, DatabaseError> {
    let store = database.own_store(&config.database).await?;
    let days = Duration::from_secs(u64::from(what.days) * 86_400);
    let since = host_time().checked_sub(days).unwrap_or(SystemTime::UNIX_EPOCH);
    let found = queue::list(&store, what.failed.then_some(since), what.limit).await;
    store.close();
    Ok(found?)
}

fn as_json(effect: &Shown) -> serde_json::Value {
    serde_json::json!({
        "guild_id": effect.guild_id.to_string(),
        "effect_id": effect.effect_id,
        "kind": effect.kind,
        "target_id": effect.target_id.map(|target| target.to_string()),
        "attempts": effect.attempts,
        "created_at": effect.created_at,
        "failed_at": effect.failed_at,
        "failure": effect.failure,
    })
}
