//! `guild_departed`: servers that removed the bot.

use std::time::Duration;

use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// Rows that are deleted with one statement.
const AT_ONCE: i64 = 5_000;

/// Note that these servers removed the bot, and that those have it again.
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

/// Servers of which something is stored between two ids (after the first, up to the second), that are none of these and are not noted as
/// gone. At most 1,000.
pub async fn stored_without(
    store: &Store,
    (after, upto): (Option<Id<GuildMarker>>, Option<Id<GuildMarker>>),
    there: &[Id<GuildMarker>],
) -> Result<Vec<Id<GuildMarker>>, StoreError> {
    // From server to server by the key, not through their members.
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

/// A table with what is stored of a server, and the statement that deletes some of it.
struct Purged {
    table: &'static str,
    delete: Statement,
}

// By the guild outside as well: rows of two partitions can have the same ctid.
macro_rules! purged {
    ($($table:literal),* $(,)?) => {
        [$(Purged {
            table: $table,
            delete: const {
                Statement {
                    name: concat!("purge_", $table),
                    types: &[tokio_postgres::types::Type::INT8, tokio_postgres::types::Type::INT8],
                    sql: concat!(
                        "-- purge_", $table, "\nDELETE FROM ", $table, " WHERE guild_id = $1 AND ctid = ANY (ARRAY(SELECT ctid FROM ", $table,
                        " WHERE guild_id = $1 LIMIT $2))\n-- purge_", $table
                    ),
                }
            },
        }),*]
    };
}

/// The tables with what is stored of a server. A test looks for others in the catalog.
const PURGED: [Purged; 28] = purged![
    "member_xp",
    "member_arrival",
    "member_card",
    "given_role",
    "audit_xp",
    "audit_log",
    "outbox",
    "outbox_lane",
    "effect_failure",
    "backfill_message",
    "backfill_channel",
    "level_role",
    "xp_multiplier",
    "xp_boost",
    "guild_settings",
    "warning",
    "mod_case",
    "member_warnings",
    "warning_threshold",
    "mod_action",
    "mod_guild",
    "bucket_count",
    "ranked_guild",
    "gap_unread",
    "quarantine",
    "mass_change",
    "erased",
    "timer",
];

/// The names of the tables that a purge empties.
pub fn purged_tables() -> impl Iterator<Item = &'static str> {
    PURGED.iter().map(|purged| purged.table)
}

/// What one step of a purge did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is nothing to delete.
    Nothing,
    /// So many rows of a server are gone.
    Rows(u64),
    /// Everything of this server is gone.
    Done(Id<GuildMarker>),
}

/// Delete some of what is stored of a server that removed the bot longer ago than `retention`. Several processes can do it at once.
pub async fn purge(store: &Store, retention: Duration) -> Result<Step, StoreError> {
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
    store
        .transaction("purge", move |tx| {
            Box::pin(async move {
                // Locked until the end: a server that lets the bot back in meanwhile waits for this step, and keeps the rest.
                let rows = tx.query(NEXT, &[&seconds]).await?;
                let Some(guild) = rows.first().map(|row| row.get::<_, i64>(0)) else {
                    return Ok(Step::Nothing);
                };
                for purged in &PURGED {
                    let deleted = tx.execute(purged.delete, &[&guild, &AT_ONCE]).await?;
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
