//! Removing deleted roles and channels from settings.

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, RoleMarker},
};

use super::section;
use crate::{
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids,
};

/// Remove a deleted role. Returns its level if it was a reward.
pub async fn role(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    role_id: Id<RoleMarker>,
) -> Result<Option<u32>, StoreError> {
    const FORGET_ROLE: Statement = statement!(
        "level_role_forget",
        [INT8, INT8],
        "WITH multiplier AS (
             DELETE FROM xp_multiplier WHERE guild_id = $1 AND target_kind = 'role' AND target_id = $2
         ), boost AS (
             DELETE FROM xp_boost WHERE guild_id = $1 AND target_kind = 'role' AND target_id = $2
         )
         DELETE FROM level_role WHERE guild_id = $1 AND role_id = $2 RETURNING level"
    );
    section::forget(tx, guild_id, role_id).await?;
    let ids = (ids::to_db(guild_id), ids::to_db(role_id));
    let rows = tx.query(FORGET_ROLE, &[&ids.0, &ids.1]).await?;
    Ok(rows
        .first()
        .and_then(|row| u32::try_from(row.get::<_, i64>(0)).ok()))
}

/// Remove a deleted channel. Returns whether level-ups were announced there, which are now switched off for this reason.
pub async fn channel(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    channel_id: Id<ChannelMarker>,
    reason: &str,
) -> Result<bool, StoreError> {
    const FORGET_CHANNEL: Statement = statement!(
        "guild_settings_forget_channel",
        [INT8, INT8],
        "WITH multiplier AS (
             DELETE FROM xp_multiplier WHERE guild_id = $1 AND target_kind = 'channel' AND target_id = $2
         ), boost AS (
             DELETE FROM xp_boost WHERE guild_id = $1 AND target_kind = 'channel' AND target_id = $2
         )
         UPDATE guild_settings
         SET log_channel_id = nullif(log_channel_id, $2),
             welcome_template = CASE WHEN welcome_channel_id = $2 THEN NULL ELSE welcome_template END,
             welcome_channel_id = nullif(welcome_channel_id, $2), updated_at = now()
         WHERE guild_id = $1 AND $2 IN (log_channel_id, welcome_channel_id)"
    );
    const ANNOUNCED: Statement = statement!(
        "guild_settings_forget_announce_channel",
        [INT8, INT8, TEXT],
        "UPDATE guild_settings
         SET announce = 'off', announce_channel_id = NULL, announce_off_reason = $3, updated_at = now()
         WHERE guild_id = $1 AND announce = 'channel' AND announce_channel_id = $2"
    );
    let ids = (ids::to_db(guild_id), ids::to_db(channel_id));
    tx.execute(FORGET_CHANNEL, &[&ids.0, &ids.1]).await?;
    section::forget(tx, guild_id, channel_id).await?;
    let announced = tx.execute(ANNOUNCED, &[&ids.0, &ids.1, &reason]).await?;
    Ok(announced > 0)
}
