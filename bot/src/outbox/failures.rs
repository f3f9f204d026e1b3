//! `effect_failure`: the numbers of consecutive permanent failures of effects.

use std::{collections::HashMap, time::Duration};

use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// The target that stands for the whole guild.
const WHOLE_GUILD: i64 = 0;

/// Consecutive failures of a kind of effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InARow {
    /// In the whole guild.
    pub in_guild: i64,
    /// At the same channel, role or member.
    pub at_target: i64,
}

/// Count a failure for a target, and for the guild.
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
        .query(RECORD, &[&ids::to_db(guild_id), &kind, &targets, &reason])
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

/// Count a failure for a target only. Returns the number of consecutive failures there.
pub async fn record_at(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    kind: &str,
    target_id: i64,
    reason: &str,
) -> Result<i64, StoreError> {
    const RECORD_AT: Statement = statement!(
        "effect_failure_record_at",
        [INT8, TEXT, INT8, TEXT],
        "INSERT INTO effect_failure AS f (guild_id, kind, target_id, reason) VALUES ($1, $2, $3, $4)
         ON CONFLICT (guild_id, kind, target_id)
         DO UPDATE SET failures = f.failures + 1, reason = excluded.reason, failed_at = now()
         RETURNING failures"
    );
    let rows = tx
        .query(RECORD_AT, &[&ids::to_db(guild_id), &kind, &target_id, &reason])
        .await?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

/// The targets in a guild for which a kind fails, with the number of consecutive failures and the time since the last one.
pub async fn failing(
    store: &Store,
    guild_id: Id<GuildMarker>,
    kind: &str,
) -> Result<HashMap<i64, (i64, Duration)>, StoreError> {
    const FAILING: Statement = statement!(
        "effect_failure_failing",
        [INT8, TEXT],
        "SELECT target_id, failures, extract(epoch FROM clock_timestamp() - failed_at)::float8
         FROM effect_failure WHERE guild_id = $1 AND kind = $2"
    );
    let rows = store.query(FAILING, &[&ids::to_db(guild_id), &kind]).await?;
    let age = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    Ok(rows
        .iter()
        .map(|row| (row.get(0), (row.get(1), age(row.get(2)))))
        .collect())
}

/// Clear the failures of a kind at a target.
pub async fn well(
    store: &Store,
    guild_id: Id<GuildMarker>,
    kind: &str,
    target_id: i64,
) -> Result<(), StoreError> {
    const WELL: Statement = statement!(
        "effect_failure_well",
        [INT8, TEXT, INT8],
        "DELETE FROM effect_failure WHERE guild_id = $1 AND kind = $2 AND target_id = $3"
    );
    store
        .query(WELL, &[&ids::to_db(guild_id), &kind, &target_id])
        .await
        .map(drop)
}

/// Clear the failures of a kind in a guild, because it was turned off or on again.
pub async fn forget(tx: &Tx<'_>, guild_id: Id<GuildMarker>, kind: &str) -> Result<(), StoreError> {
    const FORGET: Statement = statement!(
        "effect_failure_forget",
        [INT8, TEXT],
        "DELETE FROM effect_failure WHERE guild_id = $1 AND kind = $2"
    );
    tx.execute(FORGET, &[&ids::to_db(guild_id), &kind])
        .await
        .map(drop)
}
