//! `guild_departed`: guilds that removed the bot.

use std::time::Duration;

use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement, table::Table},
    support::ids,
};

/// Rows deleted per statement.
const AT_ONCE: i64 = 5_000;

/// Record guilds that removed the bot, and guilds that have it again.
pub async fn guilds(
    tx: &Tx<'_>,
    gone: &[Id<GuildMarker>],
    there: &[Id<GuildMarker>],
) -> Result<(), StoreError> {
    const GONE: Statement = statement!(
        "guild_departed_add",
        [INT8_ARRAY],
        "INSERT INTO guild_departed (guild_id) SELECT unnest($1::int8[]) ON CONFLICT DO NOTHING"
    );
    const THERE: Statement = statement!(
        "guild_departed_remove",
        [INT8_ARRAY],
        "DELETE FROM guild_departed WHERE guild_id = ANY ($1)"
    );
    let ids = |guilds: &[Id<GuildMarker>]| guilds.iter().copied().map(ids::to_db).collect::<Vec<_>>();
    if !there.is_empty() {
        tx.execute(THERE, &[&ids(there)]).await?;
    }
    if !gone.is_empty() {
        tx.execute(GONE, &[&ids(gone)]).await?;
    }
    Ok(())
}

/// Guilds with stored data whose IDs lie between two IDs (after the first, up to and including the second), that are not in the given list
/// and not marked as departed. At most 1,000.
pub async fn stored_without(
    store: &Store,
    (after, upto): (Option<Id<GuildMarker>>, Option<Id<GuildMarker>>),
    there: &[Id<GuildMarker>],
) -> Result<Vec<Id<GuildMarker>>, StoreError> {
    // Skips from guild to guild by the key instead of scanning their members.
    const STORED: Statement = statement!(
        "guilds_stored_without",
        [INT8, INT8, INT8_ARRAY],
        "WITH RECURSIVE g (guild_id) AS (
             (SELECT guild_id FROM member_xp WHERE guild_id > $1 AND guild_id <= $2 ORDER BY guild_id LIMIT 1)
             UNION ALL
             SELECT (SELECT m.guild_id FROM member_xp AS m
                     WHERE m.guild_id > g.guild_id AND m.guild_id <= $2 ORDER BY m.guild_id LIMIT 1)
             FROM g WHERE g.guild_id IS NOT NULL
         )
         SELECT s.guild_id FROM (
             SELECT guild_id FROM g WHERE guild_id IS NOT NULL
             UNION SELECT guild_id FROM guild_settings WHERE guild_id > $1 AND guild_id <= $2
         ) AS s
         WHERE s.guild_id <> ALL ($3) AND NOT EXISTS (SELECT FROM guild_departed AS d WHERE d.guild_id = s.guild_id)
         ORDER BY s.guild_id LIMIT 1000"
    );
    let after = after.map_or(0, ids::to_db);
    let upto = upto.map_or(i64::MAX, ids::to_db);
    let there: Vec<i64> = there.iter().copied().map(ids::to_db).collect();
    let rows = store.query(STORED, &[&after, &upto, &there]).await?;
    Ok(rows.iter().filter_map(|row| ids::from_db(row.get(0))).collect())
}

/// The result of one step of a purge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// No guild is due.
    Nothing,
    /// The number of rows deleted.
    Rows(u64),
    /// All data of this guild is deleted.
    Done(Id<GuildMarker>),
}

/// Delete a part of the data of a guild that removed the bot longer than `retention` ago. Several processes can do so at once.
pub async fn purge(
    store: &Store,
    retention: Duration,
    tables: &[&'static Table],
) -> Result<Step, StoreError> {
    const NEXT: Statement = statement!(
        "guild_departed_next",
        [FLOAT8],
        "SELECT guild_id FROM guild_departed WHERE left_at < now() - make_interval(secs => $1)
         ORDER BY left_at LIMIT 1 FOR UPDATE SKIP LOCKED"
    );
    const DONE: Statement = statement!(
        "guild_departed_done",
        [INT8],
        "DELETE FROM guild_departed WHERE guild_id = $1"
    );
    let seconds = retention.as_secs_f64();
    let tables = tables.to_vec();
    store
        .transaction("purge", move |tx| {
            Box::pin(async move {
                // Locked until the end: a guild that adds the bot again meanwhile waits for this step, and keeps the remaining data.
                let rows = tx.query(NEXT, &[&seconds]).await?;
                let Some(guild) = rows.first().map(|row| row.get::<_, i64>(0)) else {
                    return Ok(Step::Nothing);
                };
                for delete in tables.iter().filter_map(|table| table.delete) {
                    let deleted = tx.execute(delete, &[&guild, &AT_ONCE]).await?;
                    if deleted > 0 {
                        return Ok(Step::Rows(deleted));
                    }
                }
                tx.execute(DONE, &[&guild]).await?;
                Ok(ids::from_db(guild).map_or(Step::Nothing, Step::Done))
            })
        })
        .await
}
