//! `member_warnings`: the number of warnings and the total points of each member.

use std::time::SystemTime;

use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use crate::{
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids,
};

/// Add one warning. Returns the new number of warnings and their points.
pub async fn add(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    points: i64,
    at: SystemTime,
) -> Result<(i64, i64), StoreError> {
    const ADD: Statement = statement!(
        "member_warnings_add",
        [INT8, INT8, INT8, TIMESTAMPTZ],
        "INSERT INTO member_warnings AS m (guild_id, user_id, warnings, points, warned_at) VALUES ($1, $2, 1, $3, $4)
         ON CONFLICT (guild_id, user_id) DO UPDATE
         SET warnings = m.warnings + 1, points = m.points + excluded.points,
             warned_at = greatest(m.warned_at, excluded.warned_at)
         RETURNING warnings, points"
    );
    let (guild, user) = (ids::to_db(guild_id), ids::to_db(user_id));
    let rows = tx.query(ADD, &[&guild, &user, &points, &at]).await?;
    Ok(rows.first().map_or((0, 0), |row| (row.get(0), row.get(1))))
}

/// Add to the number of warnings and to the points; negative numbers subtract.
pub async fn change(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    warnings: i64,
    points: i64,
) -> Result<(), StoreError> {
    const CHANGE: Statement = statement!(
        "member_warnings_change",
        [INT8, INT8, INT8, INT8],
        "UPDATE member_warnings SET warnings = warnings + $3, points = points + $4 WHERE guild_id = $1 AND user_id = $2"
    );
    let (guild, user) = (ids::to_db(guild_id), ids::to_db(user_id));
    tx.execute(CHANGE, &[&guild, &user, &warnings, &points])
        .await
        .map(drop)
}
