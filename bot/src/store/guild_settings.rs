//! `guild_settings` and `level_role`: what guilds chose, as it is written.
//!
//! What it means, and what holds where nothing was chosen, is [`crate::settings`]'s matter. A trigger tells every process of each
//! change; see the migration.

use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, RoleMarker},
};

use super::{Statement, Store, StoreError, Tx, statement::statement};
use crate::snowflake;

/// A guild's row with its reward roles, unread: somebody may have written anything into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The guild.
    pub guild_id: Id<GuildMarker>,
    /// `off`, `same_channel`, `channel` or `direct`; `None` for the operator's default.
    pub announce: Option<String>,
    /// For `channel`.
    pub announce_channel_id: Option<Id<ChannelMarker>>,
    /// The announcement's template; `None` for the operator's.
    pub announce_template: Option<String>,
    /// Whether the announcement notifies the member.
    pub announce_ping: bool,
    /// Why the bot switched announcements off by itself.
    pub announce_off_reason: Option<String>,
    /// `stack` or `replace`.
    pub rewards: String,
    /// Why the bot gives no roles any more.
    pub rewards_off_reason: Option<String>,
    /// Where the guild's staff is told what went wrong.
    pub log_channel_id: Option<Id<ChannelMarker>>,
    /// Levels with the roles they give, sorted.
    pub roles: Vec<(i64, Id<RoleMarker>)>,
}

/// What the bot can switch off by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Level-up announcements.
    Announcements,
    /// Role rewards.
    Rewards,
}

impl Stored {
    /// A guild that chose nothing.
    pub fn nothing(guild_id: Id<GuildMarker>) -> Self {
        Self {
            guild_id,
            announce: None,
            announce_channel_id: None,
            announce_template: None,
            announce_ping: false,
            announce_off_reason: None,
            rewards: "stack".to_owned(),
            rewards_off_reason: None,
            log_channel_id: None,
            roles: Vec::new(),
        }
    }
}

// One statement, and so one moment, for a guild's row and its roles.
const READ: Statement = statement!(
    "guild_settings_read",
    [INT8_ARRAY],
    "SELECT g.guild_id, s.announce, s.announce_channel_id, s.announce_template, coalesce(s.announce_ping, false),
            s.announce_off_reason, coalesce(s.rewards, 'stack'), s.rewards_off_reason, s.log_channel_id,
            ARRAY(SELECT r.level FROM level_role AS r WHERE r.guild_id = g.guild_id ORDER BY r.level, r.role_id),
            ARRAY(SELECT r.role_id FROM level_role AS r WHERE r.guild_id = g.guild_id ORDER BY r.level, r.role_id)
     FROM unnest($1::int8[]) AS g (guild_id)
     LEFT JOIN guild_settings AS s ON s.guild_id = g.guild_id"
);

/// What these guilds chose, one answer each, in a transaction.
pub async fn read_in(tx: &Tx<'_>, guilds: &[Id<GuildMarker>]) -> Result<Vec<Stored>, StoreError> {
    let rows = tx.query(READ, &[&to_db(guilds)]).await?;
    Ok(rows.iter().filter_map(stored_of).collect())
}

/// What these guilds chose, one answer each. Never from the replica, which can be behind the news of a change.
pub async fn read(store: &Store, guilds: &[Id<GuildMarker>]) -> Result<Vec<Stored>, StoreError> {
    let rows = store.query(READ, &[&to_db(guilds)]).await?;
    Ok(rows.iter().filter_map(stored_of).collect())
}

/// What a guild chose, with its row locked until the transaction ends. Makes the row, since one that is not there cannot be locked.
pub async fn lock(tx: &Tx<'_>, guild_id: Id<GuildMarker>) -> Result<Stored, StoreError> {
    const MAKE: Statement = statement!(
        "guild_settings_make",
        [INT8],
        "INSERT INTO guild_settings (guild_id) VALUES ($1) ON CONFLICT DO NOTHING"
    );
    const LOCK: Statement = statement!(
        "guild_settings_lock",
        [INT8],
        "SELECT FROM guild_settings WHERE guild_id = $1 FOR UPDATE"
    );
    let guild = snowflake::to_db(guild_id);
    tx.execute(MAKE, &[&guild]).await?;
    tx.query(LOCK, &[&guild]).await?;
    let read = read_in(tx, &[guild_id]).await?;
    Ok(read
        .into_iter()
        .next()
        .unwrap_or_else(|| Stored::nothing(guild_id)))
}

/// Write a guild's row anew, without its roles.
pub async fn put(tx: &Tx<'_>, stored: &Stored) -> Result<(), StoreError> {
    const PUT: Statement = statement!(
        "guild_settings_put",
        [INT8, TEXT, INT8, TEXT, BOOL, TEXT, TEXT, TEXT, INT8],
        "INSERT INTO guild_settings (guild_id, announce, announce_channel_id, announce_template, announce_ping, announce_off_reason,
                                     rewards, rewards_off_reason, log_channel_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (guild_id) DO UPDATE
         SET announce = excluded.announce, announce_channel_id = excluded.announce_channel_id,
             announce_template = excluded.announce_template, announce_ping = excluded.announce_ping,
             announce_off_reason = excluded.announce_off_reason, rewards = excluded.rewards,
             rewards_off_reason = excluded.rewards_off_reason, log_channel_id = excluded.log_channel_id, updated_at = now()"
    );
    tx.execute(
        PUT,
        &[
            &snowflake::to_db(stored.guild_id),
            &stored.announce,
            &stored.announce_channel_id.map(snowflake::to_db),
            &stored.announce_template,
            &stored.announce_ping,
            &stored.announce_off_reason,
            &stored.rewards,
            &stored.rewards_off_reason,
            &stored.log_channel_id.map(snowflake::to_db),
        ],
    )
    .await
    .map(drop)
}

/// Have a level give a role, and no other level that role.
pub async fn put_role(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    role_id: Id<RoleMarker>,
    level: u32,
) -> Result<(), StoreError> {
    const PUT_ROLE: Statement = statement!(
        "level_role_put",
        [INT8, INT8, INT8],
        "INSERT INTO level_role (guild_id, role_id, level) VALUES ($1, $2, $3)
         ON CONFLICT (guild_id, role_id) DO UPDATE SET level = excluded.level"
    );
    tx.execute(
        PUT_ROLE,
        &[
            &snowflake::to_db(guild_id),
            &snowflake::to_db(role_id),
            &i64::from(level),
        ],
    )
    .await
    .map(drop)
}

/// Have no level give a role. Whether one did.
pub async fn remove_role(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    role_id: Id<RoleMarker>,
) -> Result<bool, StoreError> {
    const REMOVE_ROLE: Statement = statement!(
        "level_role_remove",
        [INT8, INT8],
        "DELETE FROM level_role WHERE guild_id = $1 AND role_id = $2"
    );
    let removed = tx
        .execute(
            REMOVE_ROLE,
            &[&snowflake::to_db(guild_id), &snowflake::to_db(role_id)],
        )
        .await?;
    Ok(removed > 0)
}

/// Switch something off, with the reason for the guild's staff. True for the one call that changed it: not where it was off already,
/// whoever did that. Makes the row, since what is on may be so by default.
pub async fn switch_off(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    what: Switch,
    reason: &str,
) -> Result<bool, StoreError> {
    const ANNOUNCEMENTS_OFF: Statement = statement!(
        "guild_settings_announcements_off",
        [INT8, TEXT],
        "INSERT INTO guild_settings (guild_id, announce, announce_off_reason) VALUES ($1, 'off', $2)
         ON CONFLICT (guild_id) DO UPDATE
         SET announce = 'off', announce_off_reason = excluded.announce_off_reason, updated_at = now()
         WHERE guild_settings.announce IS DISTINCT FROM 'off'"
    );
    const REWARDS_OFF: Statement = statement!(
        "guild_settings_rewards_off",
        [INT8, TEXT],
        "INSERT INTO guild_settings (guild_id, rewards_off_reason) VALUES ($1, $2)
         ON CONFLICT (guild_id) DO UPDATE
         SET rewards_off_reason = excluded.rewards_off_reason, updated_at = now()
         WHERE guild_settings.rewards_off_reason IS NULL"
    );
    let statement = match what {
        Switch::Announcements => ANNOUNCEMENTS_OFF,
        Switch::Rewards => REWARDS_OFF,
    };
    let changed = tx
        .execute(statement, &[&snowflake::to_db(guild_id), &reason])
        .await?;
    Ok(changed > 0)
}

fn to_db(guilds: &[Id<GuildMarker>]) -> Vec<i64> {
    guilds.iter().copied().map(snowflake::to_db).collect()
}

fn stored_of(row: &Row) -> Option<Stored> {
    let id = |column| row.get::<_, Option<i64>>(column);
    let levels: Vec<i64> = row.get(9);
    let roles: Vec<i64> = row.get(10);
    Some(Stored {
        guild_id: snowflake::from_db(row.get(0))?,
        announce: row.get(1),
        announce_channel_id: id(2).and_then(snowflake::from_db),
        announce_template: row.get(3),
        announce_ping: row.get(4),
        announce_off_reason: row.get(5),
        rewards: row.get(6),
        rewards_off_reason: row.get(7),
        log_channel_id: id(8).and_then(snowflake::from_db),
        roles: levels
            .into_iter()
            .zip(roles)
            .filter_map(|(level, role)| Some((level, snowflake::from_db(role)?)))
            .collect(),
    })
}
