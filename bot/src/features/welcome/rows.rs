//! `member_arrival`: members in membership screening, and members welcomed recently.

use std::{collections::BTreeMap, time::SystemTime};

use crate::{
    features::welcome::arrival::{APART, Arrival},
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids::{self, MemberKey, Millis},
};

/// Rows removed per statement, in guilds with new arrivals.
const AT_ONCE: i64 = 1_000;

/// Read the state of these members and lock their rows until the transaction ends. Members without a row are not in the result.
///
/// `keys` must be sorted and unique: rows are locked in key order.
pub async fn lock(tx: &Tx<'_>, keys: &[MemberKey]) -> Result<BTreeMap<MemberKey, Arrival>, StoreError> {
    const LOCK: Statement = statement!(
        "member_arrival_lock",
        [INT8_ARRAY, INT8_ARRAY],
        "SELECT a.guild_id, a.user_id, a.pending, a.welcomed_at
         FROM unnest($1::int8[], $2::int8[]) AS k (guild_id, user_id)
         JOIN member_arrival AS a ON a.guild_id = k.guild_id AND a.user_id = k.user_id
         ORDER BY k.guild_id, k.user_id FOR UPDATE OF a"
    );
    debug_assert!(keys.is_sorted(), "in the order of the key");
    let (guilds, users) = columns(keys.iter().copied());
    let rows = tx.query(LOCK, &[&guilds, &users]).await?;
    let read = rows.iter().filter_map(|row| {
        let key = MemberKey {
            guild_id: ids::from_db(row.get(0))?,
            user_id: ids::from_db(row.get(1))?,
        };
        let arrival = Arrival {
            is_pending: row.get(2),
            welcomed_at: row.get::<_, Option<SystemTime>>(3).map(ids::to_millis),
        };
        Some((key, arrival))
    });
    Ok(read.collect())
}

/// Write this state, in key order.
pub async fn write(tx: &Tx<'_>, arrivals: &BTreeMap<MemberKey, Arrival>) -> Result<(), StoreError> {
    const WRITE: Statement = statement!(
        "member_arrival_write",
        [INT8_ARRAY, INT8_ARRAY, BOOL_ARRAY, TIMESTAMPTZ_ARRAY],
        "INSERT INTO member_arrival (guild_id, user_id, pending, welcomed_at)
         SELECT * FROM unnest($1::int8[], $2::int8[], $3::bool[], $4::timestamptz[])
         ON CONFLICT (guild_id, user_id) DO UPDATE SET pending = excluded.pending, welcomed_at = excluded.welcomed_at"
    );
    if arrivals.is_empty() {
        return Ok(());
    }
    let (guilds, users) = columns(arrivals.keys().copied());
    let pending: Vec<bool> = arrivals.values().map(|arrival| arrival.is_pending).collect();
    let welcomed: Vec<Option<SystemTime>> = arrivals
        .values()
        .map(|arrival| arrival.welcomed_at.map(ids::to_time))
        .collect();
    tx.execute(WRITE, &[&guilds, &users, &pending, &welcomed])
        .await
        .map(drop)
}

/// Remove rows that no longer matter in guilds where a member joined at this time.
pub async fn tidy(
    tx: &Tx<'_>,
    arrivals: &BTreeMap<MemberKey, Arrival>,
    now: Millis,
) -> Result<(), StoreError> {
    // Rows locked by another transaction are removed by a later call.
    const TIDY: Statement = statement!(
        "member_arrival_tidy",
        [INT8_ARRAY, TIMESTAMPTZ, INT8],
        "DELETE FROM member_arrival WHERE guild_id = ANY ($1) AND ctid = ANY (ARRAY(
             SELECT ctid FROM member_arrival
             WHERE guild_id = ANY ($1) AND NOT pending AND (welcomed_at IS NULL OR welcomed_at <= $2)
             LIMIT $3 FOR UPDATE SKIP LOCKED
         ))"
    );
    let mut guilds: Vec<i64> = arrivals.keys().map(|key| ids::to_db(key.guild_id)).collect();
    guilds.dedup();
    if guilds.is_empty() {
        return Ok(());
    }
    let long_ago = ids::to_time(now - APART);
    tx.execute(TIDY, &[&guilds, &long_ago, &AT_ONCE]).await.map(drop)
}

fn columns(keys: impl Iterator<Item = MemberKey>) -> (Vec<i64>, Vec<i64>) {
    keys.map(|key| (ids::to_db(key.guild_id), ids::to_db(key.user_id)))
        .unzip()
}
