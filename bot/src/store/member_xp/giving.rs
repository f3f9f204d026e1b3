//! XP that people give, take and set.

use std::collections::HashMap;

use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::super::{Statement, StoreError, Tx, mass_change::Key, statement::statement};
use crate::snowflake;

/// What members have, with their rows locked until the transaction ends. Those without a row have 0.
///
/// `users` are sorted: flushes lock rows in this order, too, and those that are there before they make others.
pub async fn lock(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    users: &[Id<UserMarker>],
) -> Result<HashMap<Id<UserMarker>, u64>, StoreError> {
    const MAKE: Statement = statement!(
        "member_xp_make",
        [INT8, INT8_ARRAY],
        "INSERT INTO member_xp (guild_id, user_id) SELECT $1, u FROM unnest($2::int8[]) AS u ORDER BY u
         ON CONFLICT DO NOTHING"
    );
    const LOCK: Statement = statement!(
        "member_xp_lock",
        [INT8, INT8_ARRAY],
        "SELECT user_id, xp FROM member_xp WHERE guild_id = $1 AND user_id = ANY ($2) ORDER BY user_id FOR UPDATE"
    );
    debug_assert!(users.is_sorted(), "in the order of the key");
    let guild = snowflake::to_db(guild_id);
    let users: Vec<i64> = users.iter().copied().map(snowflake::to_db).collect();
    let mut rows = tx.query(LOCK, &[&guild, &users]).await?;
    if rows.len() < users.len() {
        tx.execute(MAKE, &[&guild, &users]).await?;
        rows = tx.query(LOCK, &[&guild, &users]).await?;
    }
    let read = rows.iter().filter_map(|row| {
        Some((
            snowflake::from_db(row.get(0))?,
            row.get::<_, i64>(1).cast_unsigned(),
        ))
    });
    Ok(read.collect())
}

/// Add to members' XP, or take from it. Their rows are locked, and have as much. What is given is not earned, in no week.
pub async fn change(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    changes: &[(Id<UserMarker>, i64)],
) -> Result<(), StoreError> {
    const CHANGE: Statement = statement!(
        "member_xp_change",
        [INT8, INT8_ARRAY, INT8_ARRAY],
        "UPDATE member_xp AS m
         SET xp = m.xp + c.change, week_base = m.week_base + c.change,
             by_xp = CASE WHEN m.by_xp >= 0 AND EXISTS (SELECT FROM ranked_guild AS r WHERE r.guild_id = $1)
                          THEN xp_place(m.xp + c.change) ELSE m.by_xp END
         FROM unnest($2::int8[], $3::int8[]) AS c (user_id, change)
         WHERE m.guild_id = $1 AND m.user_id = c.user_id"
    );
    let (users, by): (Vec<i64>, Vec<i64>) = changes
        .iter()
        .map(|(user, change)| (snowflake::to_db(*user), *change))
        .unzip();
    tx.execute(CHANGE, &[&snowflake::to_db(guild_id), &users, &by])
        .await
        .map(drop)
}

/// Take all XP of some of a guild's members, by their ids, beginning after one, and note for each what it was. Returns the last one and
/// how many there were; `None` if nobody is left who has any.
pub(crate) async fn reset_some(
    tx: &Tx<'_>,
    key: Key,
    after: Option<Id<UserMarker>>,
    limit: u32,
) -> Result<Option<(Id<UserMarker>, u64)>, StoreError> {
    const RESET: Statement = statement!(
        "member_xp_reset",
        [INT8, INT8, INT8, INT8],
        "WITH locked AS (
             SELECT user_id, xp FROM member_xp WHERE guild_id = $1 AND user_id > $3 AND xp > 0 ORDER BY user_id LIMIT $4 FOR UPDATE
         ), noted AS (
             INSERT INTO audit_xp (guild_id, interaction_id, user_id, change) SELECT $1, $2, user_id, -xp FROM locked
         ), reset AS (
             UPDATE member_xp AS m
             SET xp = 0, week_base = 0, by_week = least(m.by_week, 0::smallint), by_xp = least(m.by_xp, 0::smallint)
             FROM locked AS l WHERE m.guild_id = $1 AND m.user_id = l.user_id
         )
         SELECT max(user_id), count(*) FROM locked"
    );
    let (guild, interaction) = (
        snowflake::to_db(key.guild_id),
        snowflake::to_db(key.interaction_id),
    );
    let after = after.map_or(0, snowflake::to_db);
    let rows = tx
        .query(RESET, &[&guild, &interaction, &after, &i64::from(limit)])
        .await?;
    Ok(rows.first().and_then(|row| {
        let last = row.get::<_, Option<i64>>(0).and_then(snowflake::from_db)?;
        Some((last, row.get::<_, i64>(1).cast_unsigned()))
    }))
}

/// Members with at least this much XP, by their ids, beginning after one.
pub async fn with_at_least(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    xp: u64,
    after: Option<Id<UserMarker>>,
    limit: u32,
) -> Result<Vec<Id<UserMarker>>, StoreError> {
    const WITH: Statement = statement!(
        "member_xp_with_at_least",
        [INT8, INT8, INT8, INT8],
        "SELECT user_id FROM member_xp WHERE guild_id = $1 AND user_id > $2 AND xp >= $3 ORDER BY user_id LIMIT $4"
    );
    let after = after.map_or(0, snowflake::to_db);
    let xp = i64::try_from(xp).unwrap_or(i64::MAX);
    let rows = tx
        .query(
            WITH,
            &[&snowflake::to_db(guild_id), &after, &xp, &i64::from(limit)],
        )
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| snowflake::from_db(row.get(0)))
        .collect())
}
