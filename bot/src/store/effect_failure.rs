//! `effect_failure`: how often in a row effects failed for good.

use twilight_model::id::{Id, marker::GuildMarker};

use super::{Statement, StoreError, Tx, statement::statement};
use crate::snowflake;

/// The target under which a whole guild's failures are counted.
const WHOLE_GUILD: i64 = 0;

/// How many effects of a kind failed in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InARow {
    /// Everywhere in the guild.
    pub in_guild: i64,
    /// At the same channel, role or member.
    pub at_target: i64,
}

/// Count a failure at a target, and in the guild.
pub async fn record(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    kind: &str,
    target_id: i64,
    reason: &str,
) -> Result<InARow, StoreError> {
    const RECORD: Statement = statement!(
        "effect_failure_record",
        [INT8, TEXT, INT8_ARRAY, TEXT],
        "INSERT INTO effect_failure AS f (guild_id, kind, target_id, reason)
         SELECT $1, $2, target_id, $4 FROM unnest($3::int8[]) AS t (target_id)
         ON CONFLICT (guild_id, kind, target_id)
         DO UPDATE SET failures = f.failures + 1, reason = excluded.reason, failed_at = now()
         RETURNING target_id, failures"
    );
    let mut targets = vec![WHOLE_GUILD, target_id];
    targets.dedup();
    let rows = tx
        .query(RECORD, &[&snowflake::to_db(guild_id), &kind, &targets, &reason])
        .await?;
    let of = |target: i64| {
        let row = rows.iter().find(|row| row.get::<_, i64>(0) == target);
        row.map_or(0, |row| row.get(1))
    };
    Ok(InARow {
        in_guild: of(WHOLE_GUILD),
        at_target: of(target_id),
    })
}

/// Begin to count anew: what failed was switched off, or on again.
pub async fn forget(tx: &Tx<'_>, guild_id: Id<GuildMarker>, kind: &str) -> Result<(), StoreError> {
    const FORGET: Statement = statement!(
        "effect_failure_forget",
        [INT8, TEXT],
        "DELETE FROM effect_failure WHERE guild_id = $1 AND kind = $2"
    );
    tx.execute(FORGET, &[&snowflake::to_db(guild_id), &kind])
        .await
        .map(drop)
}
