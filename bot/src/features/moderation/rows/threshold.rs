//! `warning_threshold`: actions taken when a member's points reach a number.

use tokio_postgres::Row;
use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// A stored threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The points at which it applies, unique within the guild.
    pub points: i64,
    /// `timeout`, `kick` or `ban`.
    pub action: String,
    /// The duration of a timeout; `None` for other actions.
    pub duration_seconds: Option<i64>,
    /// Only warnings of the last `window_days` days count; `None` for all that have not expired.
    pub window_days: Option<i64>,
}

// Shared by reads inside and outside of transactions.
const LIST: Statement = statement!(
    "warning_threshold_list",
    [INT8],
    "SELECT points, action, duration_seconds, window_days FROM warning_threshold WHERE guild_id = $1 ORDER BY points"
);

fn stored_of(row: &Row) -> Stored {
    Stored {
        points: row.get(0),
        action: row.get(1),
        duration_seconds: row.get(2),
        window_days: row.get(3),
    }
}

/// The guild's thresholds, in ascending order of points.
pub async fn list(store: &Store, guild_id: Id<GuildMarker>) -> Result<Vec<Stored>, StoreError> {
    let rows = store.query(LIST, &[&ids::to_db(guild_id)]).await?;
    Ok(rows.iter().map(stored_of).collect())
}

/// Like [`list`], within a transaction.
pub async fn list_in(tx: &Tx<'_>, guild_id: Id<GuildMarker>) -> Result<Vec<Stored>, StoreError> {
    let rows = tx.query(LIST, &[&ids::to_db(guild_id)]).await?;
    Ok(rows.iter().map(stored_of).collect())
}

/// Insert a threshold, or replace the one with the same points.
pub async fn put(tx: &Tx<'_>, guild_id: Id<GuildMarker>, new: &Stored) -> Result<(), StoreError> {
    const PUT: Statement = statement!(
        "warning_threshold_put",
        [INT8, INT8, TEXT, INT8, INT8],
        "INSERT INTO warning_threshold (guild_id, points, action, duration_seconds, window_days) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (guild_id, points) DO UPDATE
         SET action = excluded.action, duration_seconds = excluded.duration_seconds, window_days = excluded.window_days"
    );
    tx.execute(
        PUT,
        &[
            &ids::to_db(guild_id),
            &new.points,
            &new.action,
            &new.duration_seconds,
            &new.window_days,
        ],
    )
    .await
    .map(drop)
}

/// Delete a threshold. False if none has these points.
pub async fn remove(tx: &Tx<'_>, guild_id: Id<GuildMarker>, points: i64) -> Result<bool, StoreError> {
    const REMOVE: Statement = statement!(
        "warning_threshold_remove",
        [INT8, INT8],
        "DELETE FROM warning_threshold WHERE guild_id = $1 AND points = $2"
    );
    let removed = tx.execute(REMOVE, &[&ids::to_db(guild_id), &points]).await?;
    Ok(removed == 1)
}
