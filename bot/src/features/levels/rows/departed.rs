//! Rows of `member_xp` of former members.

use crate::{
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids::{self, MemberKey},
};

/// Hide these members from leaderboards until they return. Must be sorted: flushes lock rows in the same order.
pub async fn hide(tx: &Tx<'_>, members: &[MemberKey]) -> Result<(), StoreError> {
    const HIDE: Statement = statement!(
        "member_xp_hide",
        [INT8_ARRAY, INT8_ARRAY],
        "UPDATE member_xp AS m SET by_xp = -1, by_messages = -1, by_week = -1
         FROM unnest($1::int8[], $2::int8[]) AS k (guild_id, user_id)
         WHERE m.guild_id = k.guild_id AND m.user_id = k.user_id"
    );
    on(tx, HIDE, members).await
}

/// Show these members on leaderboards again, if they were hidden.
pub async fn show(tx: &Tx<'_>, members: &[MemberKey]) -> Result<(), StoreError> {
    const SHOW: Statement = statement!(
        "member_xp_show",
        [INT8_ARRAY, INT8_ARRAY],
        "UPDATE member_xp AS m
         SET by_xp = CASE WHEN r.guild_id IS NULL THEN 0 ELSE xp_place(m.xp) END,
             by_messages = CASE WHEN r.guild_id IS NULL THEN 0 ELSE message_place(m.message_count) END,
             by_week = CASE WHEN r.guild_id IS NULL OR m.week = 0 THEN 0 ELSE week_place(m.xp - m.week_base) END
         FROM unnest($1::int8[], $2::int8[]) AS k (guild_id, user_id)
         LEFT JOIN ranked_guild AS r ON r.guild_id = k.guild_id
         WHERE m.guild_id = k.guild_id AND m.user_id = k.user_id AND m.by_xp < 0"
    );
    on(tx, SHOW, members).await
}

/// Reset the XP and message counts of these members.
pub async fn reset(tx: &Tx<'_>, members: &[MemberKey]) -> Result<(), StoreError> {
    const RESET: Statement = statement!(
        "member_xp_reset_departed",
        [INT8_ARRAY, INT8_ARRAY],
        "UPDATE member_xp AS m
         SET xp = 0, message_count = 0, week_base = 0, by_xp = 0, by_messages = 0, by_week = 0
         FROM unnest($1::int8[], $2::int8[]) AS k (guild_id, user_id)
         WHERE m.guild_id = k.guild_id AND m.user_id = k.user_id"
    );
    on(tx, RESET, members).await
}

async fn on(tx: &Tx<'_>, statement: Statement, members: &[MemberKey]) -> Result<(), StoreError> {
    if members.is_empty() {
        return Ok(());
    }
    let (guilds, users): (Vec<i64>, Vec<i64>) = members
        .iter()
        .map(|key| (ids::to_db(key.guild_id), ids::to_db(key.user_id)))
        .unzip();
    tx.execute(statement, &[&guilds, &users]).await.map(drop)
}
