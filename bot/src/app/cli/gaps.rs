//! `eventide gaps`: lists missed events.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    time::{Duration, SystemTime},
};

use clap::Args;

use super::CliError;
use crate::{
    config::Config,
    pipeline::{
        backfill::rows::{self, UnreadChannel},
        rows::gap::{self, Recorded},
    },
    postgres::database::{Database, DatabaseError},
    support::clock::host_time,
    telemetry::logging,
};

/// What to show.
#[derive(Clone, Copy, Debug, Args)]
pub struct Gaps {
    /// Show gaps of the last N days
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub days: u32,
    /// Show at most N, newest first
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u32,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

/// List the gaps.
///
/// # Errors
///
/// The database cannot be reached, or has no such table yet.
pub async fn gaps(what: Gaps, config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let found = read(&database, what, config).await;
    database.close().await?;
    let Found {
        gaps,
        unread,
        under_way,
    } = found?;
    let mut out = io::stdout();
    if what.json {
        for gap in &gaps {
            writeln!(out, "{}", as_json(gap, &unread))?;
        }
        return Ok(());
    }
    if gaps.is_empty() {
        writeln!(out, "no gaps in the last {} days", what.days)?;
    } else {
        table(&mut out, &gaps)?;
    }
    if !unread.is_empty() {
        writeln!(
            out,
            "{} channels were not read back: {}; --json lists them",
            unread.len(),
            reasons(&unread)
        )?;
    }
    if under_way > 0 {
        writeln!(
            out,
            "{under_way} channels are being read back, or will be when the bot runs"
        )?;
    }
    Ok(())
}

fn table(out: &mut impl io::Write, gaps: &[Recorded]) -> io::Result<()> {
    writeln!(
        out,
        "{:<10} {:<20} {:<20} {:>9}  {:<18} {:>9} {:>9} {:>15}",
        "SHARD", "FROM", "TO", "SECONDS", "REASON", "MISSED", "READ BACK", "CHANNELS UNREAD"
    )?;
    for gap in gaps {
        writeln!(
            out,
            "{:<10} {:<20} {:<20} {:>9.1}  {:<18} {:>9} {:>9} {:>15}",
            format!("{}/{}", gap.shard_id, gap.shard_count),
            gap.began_at,
            gap.ended_at.as_deref().unwrap_or("still open"),
            gap.seconds,
            gap.reason,
            gap.missing
                .map_or_else(|| "unknown".to_owned(), |missing| missing.to_string()),
            gap.read_back,
            gap.unread_channels,
        )?;
    }
    Ok(())
}

/// The number of channels per reason: `3 no_access, 1 time`.
fn reasons(unread: &[UnreadChannel]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for channel in unread {
        *counts.entry(&channel.reason).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    counts.join(", ")
}

/// The data read from the tables.
struct Found {
    gaps: Vec<Recorded>,
    unread: Vec<UnreadChannel>,
    /// Channels with a backfill in progress.
    under_way: i64,
}

async fn read(database: &Database, what: Gaps, config: &Config) -> Result<Found, DatabaseError> {
    let store = database.own_store(&config.database).await?;
    let days = Duration::from_secs(u64::from(what.days) * 86_400);
    let since = host_time().checked_sub(days).unwrap_or(SystemTime::UNIX_EPOCH);
    let found = async {
        let gaps = gap::list(&store, since, what.limit).await?;
        let ids: Vec<i64> = gaps.iter().map(|gap| gap.gap_id).collect();
        Ok(Found {
            unread: rows::unread(&store, &ids).await?,
            under_way: rows::under_way(&store).await?,
            gaps,
        })
    };
    let found = found.await;
    store.close();
    found
}

fn as_json(gap: &Recorded, unread: &[UnreadChannel]) -> serde_json::Value {
    // Snowflakes as strings: JavaScript's numbers have too few digits for them.
    let unread: Vec<_> = unread
        .iter()
        .filter(|channel| channel.gap_id == gap.gap_id)
        .map(|channel| {
            serde_json::json!({
                "guild_id": channel.guild_id.to_string(),
                "channel_id": (channel.channel_id != 0).then(|| channel.channel_id.to_string()),
                "reason": channel.reason,
            })
        })
        .collect();
    serde_json::json!({
        "shard_id": gap.shard_id,
        "shard_count": gap.shard_count,
        "began_at": gap.began_at,
        "ended_at": gap.ended_at,
        "seconds": gap.seconds,
        "reason": gap.reason,
        "last_sequence": gap.last_sequence,
        "missing": gap.missing,
        "read_back": gap.read_back,
        "unread": unread,
    })
}
