//! `member_xp`: what members earned.

pub mod giving;
pub mod moving;

use std::{collections::HashMap, time::SystemTime};

use super::{Statement, Store, StoreError, Tx, statement::statement};
use crate::{
    ledger::member_xp::{LastAward, MemberDelta, MemberKey},
    rules::curve::Curve,
    snowflake,
};
use tokio_postgres::Row;

/// A member's row after a flush, with what the flush added.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// The member.
    pub key: MemberKey,
    /// XP before.
    pub xp_before: u64,
    /// XP after.
    pub xp_after: u64,
}

impl Written {
    /// The levels before and after on this curve, if they differ.
    pub fn passed_on(&self, curve: Curve) -> Option<(u32, u32)> {
        if self.xp_before == self.xp_after {
            return None;
        }
        let (before, after) = (curve.level_of(self.xp_before), curve.level_of(self.xp_after));
        (before != after).then_some((before, after))
    }
}

/// The stored last awards of `keys`. Members without a row are not in the answer.
pub async fn last_awards(
    tx: &Tx<'_>,
    keys: impl Iterator<Item = MemberKey>,
) -> Result<HashMap<MemberKey, LastAward>, StoreError> {
    const LAST_AWARDS: Statement = statement!(
        "member_xp_last_awards",
        [INT8_ARRAY, INT8_ARRAY],
        "SELECT m.guild_id, m.user_id, m.last_award_at
         FROM unnest($1::int8[], $2::int8[]) AS k (guild_id, user_id)
         JOIN member_xp AS m ON m.guild_id = k.guild_id AND m.user_id = k.user_id"
    );
    let (guilds, users): (Vec<i64>, Vec<i64>) = keys
        .map(|key| (snowflake::to_db(key.guild_id), snowflake::to_db(key.user_id)))
        .unzip();
    let rows = tx.query(LAST_AWARDS, &[&guilds, &users]).await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            Some((
                key_of(row)?,
                row.get::<_, Option<SystemTime>>(2).map(snowflake::to_millis),
            ))
        })
        .collect())
}

/// Add to members' rows, and make those that are missing. Who was hidden from leaderboards is shown again. Sums saturate at 2^63 - 1,
/// so that no member can make a flush fail.
///
/// `deltas` are sorted by key, each key once: two writers that touch the same members in different orders would deadlock, and
/// PostgreSQL refuses to touch a row twice in one statement.
pub async fn add(tx: &Tx<'_>, deltas: &[(MemberKey, MemberDelta)]) -> Result<Vec<Written>, StoreError> {
    // A new row's week_base is what was earned before its newest week. XP of an older week than the row's raises week_base along with xp.
    const ADD: Statement = statement!(
        "member_xp_add",
        [INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, TIMESTAMPTZ_ARRAY, INT4_ARRAY, INT8_ARRAY],
        "INSERT INTO member_xp (guild_id, user_id, xp, message_count, last_award_at, week, week_base, by_xp, by_messages, by_week)
         SELECT d.*, xp_place(d.xp), message_place(d.messages), week_place(d.xp - d.week_base)
         FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::timestamptz[], $6::int4[], $7::int8[])
              AS d (guild_id, user_id, xp, messages, last_award_at, week, week_base)
         ON CONFLICT (guild_id, user_id) DO UPDATE
         SET xp = LEAST(member_xp.xp, 9223372036854775807 - excluded.xp) + excluded.xp,
             message_count = LEAST(member_xp.message_count, 9223372036854775807 - excluded.message_count) + excluded.message_count,
             last_award_at = GREATEST(member_xp.last_award_at, excluded.last_award_at),
             week = GREATEST(member_xp.week, excluded.week),
             week_base = CASE
                 WHEN excluded.week > member_xp.week THEN LEAST(member_xp.xp, 9223372036854775807 - excluded.xp) + excluded.week_base
                 WHEN excluded.week = member_xp.week
                 THEN LEAST(member_xp.week_base, 9223372036854775807 - excluded.xp) + excluded.week_base
                 ELSE LEAST(member_xp.week_base, 9223372036854775807 - excluded.xp) + excluded.xp END,
             by_xp = xp_place(LEAST(member_xp.xp, 9223372036854775807 - excluded.xp) + excluded.xp),
             by_messages = message_place(
                 LEAST(member_xp.message_count, 9223372036854775807 - excluded.message_count) + excluded.message_count),
             by_week = week_place(
                 CASE WHEN excluded.week >= member_xp.week THEN excluded.xp - excluded.week_base ELSE 0 END
                 + CASE WHEN member_xp.week > 0 AND excluded.week <= member_xp.week
                   THEN LEAST(member_xp.xp, 9223372036854775807 - excluded.xp) - LEAST(member_xp.week_base, 9223372036854775807 - excluded.xp)
                   ELSE 0 END)
         RETURNING xp"
    );
    debug_assert!(
        deltas.is_sorted_by(|(a, _), (b, _)| a < b),
        "sorted, each key once"
    );
    let guilds: Vec<i64> = deltas
        .iter()
        .map(|(key, _)| snowflake::to_db(key.guild_id))
        .collect();
    let users: Vec<i64> = deltas
        .iter()
        .map(|(key, _)| snowflake::to_db(key.user_id))
        .collect();
    let xp: Vec<i64> = deltas.iter().map(|(_, delta)| delta.xp.cast_signed()).collect();
    let messages: Vec<i64> = deltas
        .iter()
        .map(|(_, delta)| delta.messages.cast_signed())
        .collect();
    let awards: Vec<Option<SystemTime>> = deltas
        .iter()
        .map(|(_, delta)| delta.last_award.map(snowflake::to_time))
        .collect();
    let weeks: Vec<i32> = deltas.iter().map(|(_, delta)| delta.week).collect();
    let before_week: Vec<i64> = deltas
        .iter()
        .map(|(_, delta)| (delta.xp - delta.week_xp).cast_signed())
        .collect();
    let rows = tx
        .query(
            ADD,
            &[&guilds, &users, &xp, &messages, &awards, &weeks, &before_week],
        )
        .await?;
    // INSERT … SELECT FROM unnest inserts, and so returns, in the arrays' order.
    debug_assert_eq!(rows.len(), deltas.len());
    Ok(rows
        .iter()
        .zip(deltas)
        .map(|(row, (key, delta))| {
            let xp_after = row.get::<_, i64>(0).cast_unsigned();
            Written {
                key: *key,
                xp_before: xp_after.saturating_sub(delta.xp),
                xp_after,
            }
        })
        .collect())
}

/// A member's XP; 0 without a row.
pub async fn xp_of(store: &Store, key: MemberKey) -> Result<u64, StoreError> {
    const XP: Statement = statement!(
        "member_xp_of",
        [INT8, INT8],
        "SELECT xp FROM member_xp WHERE guild_id = $1 AND user_id = $2"
    );
    let (guild, user) = (snowflake::to_db(key.guild_id), snowflake::to_db(key.user_id));
    let rows = store.query(XP, &[&guild, &user]).await?;
    Ok(rows.first().map_or(0, |row| row.get::<_, i64>(0).cast_unsigned()))
}

/// Every member of every guild, for reconciliation. Not for a path that an event takes: it reads the whole table.
pub async fn all(store: &Store) -> Result<Vec<(MemberKey, MemberDelta)>, StoreError> {
    const ALL: Statement = statement!(
        "member_xp_all",
        [],
        "SELECT guild_id, user_id, xp, message_count, last_award_at, week, xp - week_base FROM member_xp"
    );
    let rows = store.query(ALL, &[]).await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            let total = MemberDelta {
                xp: row.get::<_, i64>(2).cast_unsigned(),
                messages: row.get::<_, i64>(3).cast_unsigned(),
                last_award: row.get::<_, Option<SystemTime>>(4).map(snowflake::to_millis),
                week: row.get(5),
                week_xp: if row.get::<_, i32>(5) == 0 {
                    0
                } else {
                    row.get::<_, i64>(6).cast_unsigned()
                },
                channel_id: None,
            };
            Some((key_of(row)?, total))
        })
        .collect())
}

fn key_of(row: &Row) -> Option<MemberKey> {
    Some(MemberKey {
        guild_id: snowflake::from_db(row.get(0))?,
        user_id: snowflake::from_db(row.get(1))?,
    })
}
