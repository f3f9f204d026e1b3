//! XP adjustments by staff: give, take and set.

use std::collections::HashMap;

use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use crate::{
    features::levels::rows::{audit_xp::Change, mass_change::Key},
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids,
};

/// A member's current XP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Total XP.
    pub xp: u64,
    /// The latest week in which XP was earned; 0 if none.
    pub week: i32,
    /// The XP earned in that week.
    pub week_xp: u64,
}

/// Lock members' rows until the transaction ends, and return their XP; 0 for members without a row.
///
/// `users` must be sorted: flushes lock rows in this order too, and existing rows before they insert others.
pub async fn lock(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    users: &[Id<UserMarker>],
) -> Result<HashMap<Id<UserMarker>, Held>, StoreError> {
    const MAKE: Statement = statement!(
        "member_xp_make",
        [INT8, INT8_ARRAY],
        "INSERT INTO member_xp (guild_id, user_id) SELECT $1, u FROM unnest($2::int8[]) AS u ORDER BY u
         ON CONFLICT DO NOTHING"
    );
    const LOCK: Statement = statement!(
        "member_xp_lock",
        [INT8, INT8_ARRAY],
        "SELECT user_id, xp, week, CASE week WHEN 0 THEN 0 ELSE xp - week_base END
         FROM member_xp WHERE guild_id = $1 AND user_id = ANY ($2) ORDER BY user_id FOR UPDATE"
    );
    debug_assert!(users.is_sorted(), "in the order of the key");
    let guild = ids::to_db(guild_id);
    let users: Vec<i64> = users.iter().copied().map(ids::to_db).collect();
    let mut rows = tx.query(LOCK, &[&guild, &users]).await?;
    if rows.len() < users.len() {
        tx.execute(MAKE, &[&guild, &users]).await?;
        rows = tx.query(LOCK, &[&guild, &users]).await?;
    }
    let read = rows.iter().filter_map(|row| {
        let held = Held {
            xp: row.get::<_, i64>(1).cast_unsigned(),
            week: row.get(2),
            week_xp: row.get::<_, i64>(3).max(0).cast_unsigned(),
        };
        Some((ids::from_db(row.get(0))?, held))
    });
    Ok(read.collect())
}

/// Add to or subtract from members' XP and the XP of their latest week. Their rows are locked, and hold at least as much.
pub async fn change(tx: &Tx<'_>, guild_id: Id<GuildMarker>, changes: &[Change]) -> Result<(), StoreError> {
    // Without a week, the base has no meaning.
    const CHANGE: Statement = statement!(
        "member_xp_change",
        [INT8, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY],
        "UPDATE member_xp AS m
         SET xp = m.xp + c.change, week_base = m.week_base + c.change - c.week_change,
             by_xp = CASE WHEN r.guild_id IS NULL OR m.by_xp < 0 THEN m.by_xp ELSE xp_place(m.xp + c.change) END,
             by_week = CASE WHEN r.guild_id IS NULL OR m.by_week < 0 OR m.week = 0 THEN m.by_week
                            ELSE week_place(m.xp - m.week_base + c.week_change) END
         FROM unnest($2::int8[], $3::int8[], $4::int8[]) AS c (user_id, change, week_change)
         LEFT JOIN ranked_guild AS r ON r.guild_id = $1
         WHERE m.guild_id = $1 AND m.user_id = c.user_id"
    );
    let column = |of: fn(&Change) -> i64| changes.iter().map(of).collect::<Vec<i64>>();
    tx.execute(
        CHANGE,
        &[
            &ids::to_db(guild_id),
            &column(|change| ids::to_db(change.user_id)),
            &column(|change| change.xp),
            &column(|change| change.week_xp),
        ],
    )
    .await
    .map(drop)
}

/// Reset the XP of a batch of a guild's members, including the week's, ordered by ID after a given one, and record each previous value.
/// Returns the members with their previous XP, ordered by ID.
pub(crate) async fn reset_some(
    tx: &Tx<'_>,
    key: Key,
    after: Option<Id<UserMarker>>,
    limit: u32,
) -> Result<Vec<(Id<UserMarker>, u64)>, StoreError> {
    // Before V30, XP was taken without the week's: such rows have a base below 0.
    const RESET: Statement = statement!(
        "member_xp_reset",
        [INT8, INT8, INT8, INT8],
        "WITH locked AS (
             SELECT user_id, xp, week, CASE week WHEN 0 THEN 0 ELSE xp - week_base END AS week_xp
             FROM member_xp WHERE guild_id = $1 AND user_id > $3 AND (xp > 0 OR week_base < 0)
             ORDER BY user_id LIMIT $4 FOR UPDATE
         ), noted AS (
             INSERT INTO audit_xp (guild_id, interaction_id, user_id, change, week, week_change)
             SELECT $1, $2, user_id, -xp, week, -week_xp FROM locked
         ), reset AS (
             UPDATE member_xp AS m
             SET xp = 0, week_base = 0, by_week = least(m.by_week, 0::smallint), by_xp = least(m.by_xp, 0::smallint)
             FROM locked AS l WHERE m.guild_id = $1 AND m.user_id = l.user_id
         )
         SELECT user_id, xp FROM locked ORDER BY user_id"
    );
    let (guild, interaction) = (ids::to_db(key.guild_id), ids::to_db(key.interaction_id));
    let after = after.map_or(0, ids::to_db);
    let rows = tx
        .query(RESET, &[&guild, &interaction, &after, &i64::from(limit)])
        .await?;
    let read = rows
        .iter()
        .filter_map(|row| Some((ids::from_db(row.get(0))?, row.get::<_, i64>(1).cast_unsigned())));
    Ok(read.collect())
}

/// Members with at least this much XP, ordered by ID, after a given one.
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
    let after = after.map_or(0, ids::to_db);
    let xp = i64::try_from(xp).unwrap_or(i64::MAX);
    let rows = tx
        .query(WITH, &[&ids::to_db(guild_id), &after, &xp, &i64::from(limit)])
        .await?;
    Ok(rows.iter().filter_map(|row| ids::from_db(row.get(0))).collect())
}
