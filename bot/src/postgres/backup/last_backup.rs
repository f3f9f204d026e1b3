//! `last_backup`: the start of the newest backup. `eventide backup` writes it, and the bot reads it.

use crate::postgres::{Statement, Store, StoreError, statement::statement};

/// Record a complete backup. `started_at` comes from a manifest: RFC 3339, in UTC. A backup older than the recorded one changes nothing.
pub async fn note(store: &Store, started_at: &str) -> Result<(), StoreError> {
    const NOTE: Statement = statement!(
        "last_backup_note",
        [TEXT],
        "INSERT INTO last_backup AS b (started_at) VALUES ($1::text::timestamptz)
         ON CONFLICT (one) DO UPDATE SET started_at = greatest(b.started_at, excluded.started_at)"
    );
    store.query(NOTE, &[&started_at]).await.map(drop)
}

/// The start of the last backup, or else the creation of the schema, in seconds since 1970. `None` if neither is known.
pub async fn nothing_since(store: &Store) -> Result<Option<f64>, StoreError> {
    const NOTHING_SINCE: Statement = statement!(
        "last_backup_nothing_since",
        [],
        "SELECT extract(epoch FROM coalesce(
             (SELECT started_at FROM last_backup),
             (SELECT min(applied_on::timestamptz) FROM refinery_schema_history
              WHERE applied_on ~ '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$')
         ))::float8"
    );
    let rows = store.query(NOTHING_SINCE, &[]).await?;
    Ok(rows.first().and_then(|row| row.get(0)))
}
