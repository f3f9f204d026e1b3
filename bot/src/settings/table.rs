//! `guild_settings`, `guild_section` and `level_role`: the stored settings of guilds.
//!
//! [`crate::settings`] interprets them and adds the defaults. A trigger notifies every process of each change; see the migration.

pub mod forget;
pub mod multipliers;
pub mod section;

use std::time::SystemTime;

use serde_json::{Map, Value as Json};
use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, InteractionMarker, RoleMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    settings::values::colour::Colour,
    support::ids,
};

/// A guild's row with its reward roles, not validated: it may have been written by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The guild.
    pub guild_id: Id<GuildMarker>,
    /// `off`, `same_channel`, `channel` or `direct`; `None` for the operator's default.
    pub announce: Option<String>,
    /// The channel if `announce` is `channel`.
    pub announce_channel_id: Option<Id<ChannelMarker>>,
    /// The template of announcements; `None` for the operator's.
    pub announce_template: Option<String>,
    /// Whether the announcement notifies the member.
    pub announce_ping: bool,
    /// Why the bot switched announcements off.
    pub announce_off_reason: Option<String>,
    /// `stack` or `replace`.
    pub rewards: String,
    /// Why the bot switched rewards off.
    pub rewards_off_reason: Option<String>,
    /// The channel for notices to the guild's staff.
    pub log_channel_id: Option<Id<ChannelMarker>>,
    /// The colour of rank cards, `0xRRGGBB`.
    pub card_colour: Option<i64>,
    /// Levels and their roles, sorted.
    pub roles: Vec<(i64, Id<RoleMarker>)>,
    /// What the guild's messages earn.
    pub earning: StoredEarning,
    /// `mee6`, `linear`, `arcane` or `cubic`; `None` is `mee6`.
    pub curve: Option<String>,
    /// For `linear` and `cubic`, in hundredths of XP.
    pub curve_factors: Option<Vec<i64>>,
    /// `en` or `de`.
    pub language: Option<String>,
    /// The prefix of text commands.
    pub prefix: Option<String>,
    /// The channel for welcoming new members.
    pub welcome_channel_id: Option<Id<ChannelMarker>>,
    /// The text for welcoming new members.
    pub welcome_template: Option<String>,
    /// `keep`, `hide` or `reset`; `None` is `hide`.
    pub departed: Option<String>,
    /// `never`, `undo` or `always`; `None` is `undo`.
    pub demotion: Option<String>,
    /// Whether members who join get the roles of their level; `None` is yes.
    pub roles_on_join: Option<bool>,
    /// Whether members see who warned them; `None` is no.
    pub moderators_shown: Option<bool>,
    /// Sections with their settings as JSON, sorted.
    pub sections: Vec<(String, String)>,
}

/// A guild's rules for what messages earn; `None` is the operator's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredEarning {
    /// The minimum XP of a message.
    pub xp_min: Option<i64>,
    /// The maximum XP of a message.
    pub xp_max: Option<i64>,
    /// The cooldown in seconds.
    pub cooldown_seconds: Option<i64>,
    /// `largest`, `highest` or `sum`; `None` is `largest`.
    pub role_mode: Option<String>,
    /// The multipliers of roles and channels, in percent.
    pub multipliers: Vec<StoredMultiplier>,
    /// Multipliers for a limited time.
    pub boosts: Vec<StoredBoost>,
}

/// The multiplier of a role or a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMultiplier {
    /// `role` or `channel`; for boosts also `server`.
    pub target_kind: String,
    /// The ID of the role or channel.
    pub target_id: i64,
    /// The multiplier in percent.
    pub percent: i64,
}

/// A multiplier for a limited time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBoost {
    /// The interaction that started it.
    pub boost_id: i64,
    /// The target and the multiplier.
    pub multiplier: StoredMultiplier,
    /// The start, inclusive.
    pub starts_at: SystemTime,
    /// The end, exclusive.
    pub ends_at: SystemTime,
}

/// Functions that the bot can switch off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Level-up announcements.
    Announcements,
    /// Reward roles.
    Rewards,
}

impl Stored {
    /// A guild without settings.
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
            card_colour: None,
            roles: Vec::new(),
            earning: StoredEarning::default(),
            curve: None,
            curve_factors: None,
            language: None,
            prefix: None,
            welcome_channel_id: None,
            welcome_template: None,
            departed: None,
            demotion: None,
            roles_on_join: None,
            moderators_shown: None,
            sections: Vec::new(),
        }
    }

    /// Choose a value of a section, or the default.
    pub(in crate::settings) fn choose(&mut self, section: &str, field: &str, value: Option<Json>) {
        let index = self.sections.iter().position(|(name, _)| name == section);
        let index = index.unwrap_or_else(|| {
            self.sections.push((section.to_owned(), "{}".to_owned()));
            self.sections.len() - 1
        });
        let (_, settings) = &mut self.sections[index];
        let mut values: Map<String, Json> = serde_json::from_str(settings).unwrap_or_default();
        match value {
            Some(value) => drop(values.insert(field.to_owned(), value)),
            None => drop(values.remove(field)),
        }
        *settings = Json::Object(values).to_string();
    }
}

// A single statement, so the row, the roles and the sections are from the same snapshot.
const READ: Statement = statement!(
    "guild_settings_read",
    [INT8_ARRAY],
    "SELECT g.guild_id, s.announce, s.announce_channel_id, s.announce_template, coalesce(s.announce_ping, false),
            s.announce_off_reason, coalesce(s.rewards, 'stack'), s.rewards_off_reason, s.log_channel_id,
            ARRAY(SELECT r.level FROM level_role AS r WHERE r.guild_id = g.guild_id ORDER BY r.level, r.role_id),
            ARRAY(SELECT r.role_id FROM level_role AS r WHERE r.guild_id = g.guild_id ORDER BY r.level, r.role_id),
            s.xp_min, s.xp_max, s.cooldown_seconds, s.role_mode, s.curve, s.curve_factors, s.language, s.prefix,
            s.welcome_channel_id, s.welcome_template,
            m.kinds, m.targets, m.percents, b.ids, b.kinds, b.targets, b.percents, b.starts, b.ends,
            s.card_colour, s.departed, s.demotion, s.roles_on_join, s.moderators_shown,
            ARRAY(SELECT c.section FROM guild_section AS c WHERE c.guild_id = g.guild_id ORDER BY c.section),
            ARRAY(SELECT c.settings::text FROM guild_section AS c WHERE c.guild_id = g.guild_id ORDER BY c.section)
     FROM unnest($1::int8[]) AS g (guild_id)
     LEFT JOIN guild_settings AS s ON s.guild_id = g.guild_id
     CROSS JOIN LATERAL (
         SELECT array_agg(x.target_kind) AS kinds, array_agg(x.target_id) AS targets, array_agg(x.percent) AS percents
         FROM (SELECT * FROM xp_multiplier AS x WHERE x.guild_id = g.guild_id ORDER BY x.target_kind, x.target_id) AS x
     ) AS m
     CROSS JOIN LATERAL (
         SELECT array_agg(x.boost_id) AS ids, array_agg(x.target_kind) AS kinds, array_agg(x.target_id) AS targets,
                array_agg(x.percent) AS percents, array_agg(x.starts_at) AS starts, array_agg(x.ends_at) AS ends
         FROM (SELECT * FROM xp_boost AS x WHERE x.guild_id = g.guild_id ORDER BY x.boost_id) AS x
     ) AS b"
);

/// Read the settings of these guilds in a transaction, one result each.
pub async fn read_in(tx: &Tx<'_>, guilds: &[Id<GuildMarker>]) -> Result<Vec<Stored>, StoreError> {
    let rows = tx.query(READ, &[&to_db(guilds)]).await?;
    Ok(rows.iter().filter_map(stored_of).collect())
}

/// Read the settings of these guilds, one result each. The replica is never used, because it can lag behind the notification of a change.
pub async fn read(store: &Store, guilds: &[Id<GuildMarker>]) -> Result<Vec<Stored>, StoreError> {
    let rows = store.query(READ, &[&to_db(guilds)]).await?;
    Ok(rows.iter().filter_map(stored_of).collect())
}

/// Read a guild's settings and lock its row until the transaction ends. The row is created if necessary, since a missing row cannot be
/// locked.
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
    let guild = ids::to_db(guild_id);
    tx.execute(MAKE, &[&guild]).await?;
    tx.query(LOCK, &[&guild]).await?;
    let read = read_in(tx, &[guild_id]).await?;
    Ok(read
        .into_iter()
        .next()
        .unwrap_or_else(|| Stored::nothing(guild_id)))
}

/// Write a guild's row, without its roles.
pub async fn put(tx: &Tx<'_>, stored: &Stored) -> Result<(), StoreError> {
    const PUT: Statement = statement!(
        "guild_settings_put",
        [
            INT8, TEXT, INT8, TEXT, BOOL, TEXT, TEXT, TEXT, INT8, INT8, INT8, INT8, TEXT, TEXT, INT8_ARRAY, TEXT, TEXT,
            INT8, TEXT, TEXT, TEXT, BOOL, BOOL
        ],
        "INSERT INTO guild_settings (guild_id, announce, announce_channel_id, announce_template, announce_ping, announce_off_reason,
                                     rewards, rewards_off_reason, log_channel_id, xp_min, xp_max, cooldown_seconds, role_mode,
                                     curve, curve_factors, language, prefix, welcome_channel_id, welcome_template, departed,
                                     demotion, roles_on_join, moderators_shown)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
         ON CONFLICT (guild_id) DO UPDATE
         SET announce = excluded.announce, announce_channel_id = excluded.announce_channel_id,
             announce_template = excluded.announce_template, announce_ping = excluded.announce_ping,
             announce_off_reason = excluded.announce_off_reason, rewards = excluded.rewards,
             rewards_off_reason = excluded.rewards_off_reason, log_channel_id = excluded.log_channel_id,
             xp_min = excluded.xp_min, xp_max = excluded.xp_max, cooldown_seconds = excluded.cooldown_seconds,
             role_mode = excluded.role_mode, curve = excluded.curve, curve_factors = excluded.curve_factors,
             language = excluded.language, prefix = excluded.prefix, welcome_channel_id = excluded.welcome_channel_id,
             welcome_template = excluded.welcome_template, departed = excluded.departed, demotion = excluded.demotion,
             roles_on_join = excluded.roles_on_join, moderators_shown = excluded.moderators_shown, updated_at = now()"
    );
    tx.execute(
        PUT,
        &[
            &ids::to_db(stored.guild_id),
            &stored.announce,
            &stored.announce_channel_id.map(ids::to_db),
            &stored.announce_template,
            &stored.announce_ping,
            &stored.announce_off_reason,
            &stored.rewards,
            &stored.rewards_off_reason,
            &stored.log_channel_id.map(ids::to_db),
            &stored.earning.xp_min,
            &stored.earning.xp_max,
            &stored.earning.cooldown_seconds,
            &stored.earning.role_mode,
            &stored.curve,
            &stored.curve_factors,
            &stored.language,
            &stored.prefix,
            &stored.welcome_channel_id.map(ids::to_db),
            &stored.welcome_template,
            &stored.departed,
            &stored.demotion,
            &stored.roles_on_join,
            &stored.moderators_shown,
        ],
    )
    .await
    .map(drop)
}

/// Set or reset the colour of the guild's rank cards for an interaction. Nothing changes if this interaction, or a newer one, has already
/// set it.
pub async fn put_card_colour(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    colour: Option<Colour>,
    asked_id: Id<InteractionMarker>,
) -> Result<(), StoreError> {
    const PUT_CARD_COLOUR: Statement = statement!(
        "guild_settings_put_card_colour",
        [INT8, INT8, INT8],
        "INSERT INTO guild_settings AS s (guild_id, card_colour, card_asked_id) VALUES ($1, $2, $3)
         ON CONFLICT (guild_id) DO UPDATE
         SET card_colour = excluded.card_colour, card_asked_id = excluded.card_asked_id, updated_at = now()
         WHERE coalesce(s.card_asked_id, 0) < excluded.card_asked_id"
    );
    let (guild, asked) = (ids::to_db(guild_id), ids::to_db(asked_id));
    let colour = colour.map(Colour::to_db);
    tx.execute(PUT_CARD_COLOUR, &[&guild, &colour, &asked])
        .await
        .map(drop)
}

/// Make a role the reward of a level, instead of any other level. `configured_by` is the member who chose it; `None` for the operator.
pub async fn put_role(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    role_id: Id<RoleMarker>,
    level: u32,
    configured_by: Option<Id<UserMarker>>,
) -> Result<(), StoreError> {
    const PUT_ROLE: Statement = statement!(
        "level_role_put",
        [INT8, INT8, INT8, INT8],
        "INSERT INTO level_role (guild_id, role_id, level, configured_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (guild_id, role_id) DO UPDATE SET level = excluded.level, configured_by = excluded.configured_by"
    );
    tx.execute(
        PUT_ROLE,
        &[
            &ids::to_db(guild_id),
            &ids::to_db(role_id),
            &i64::from(level),
            &configured_by.map(ids::to_db),
        ],
    )
    .await
    .map(drop)
}

/// The member who made a role a reward; `None` if unknown.
pub async fn configured_by(
    store: &Store,
    guild_id: Id<GuildMarker>,
    role_id: Id<RoleMarker>,
) -> Result<Option<Id<UserMarker>>, StoreError> {
    const CONFIGURED_BY: Statement = statement!(
        "level_role_configured_by",
        [INT8, INT8],
        "SELECT configured_by FROM level_role WHERE guild_id = $1 AND role_id = $2"
    );
    let ids = (ids::to_db(guild_id), ids::to_db(role_id));
    let rows = store.query(CONFIGURED_BY, &[&ids.0, &ids.1]).await?;
    let id = rows.first().and_then(|row| row.get::<_, Option<i64>>(0));
    Ok(id.and_then(ids::from_db))
}

/// Remove a reward role. Returns whether it was a reward.
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
        .execute(REMOVE_ROLE, &[&ids::to_db(guild_id), &ids::to_db(role_id)])
        .await?;
    Ok(removed > 0)
}

/// Switch a function off, with the reason for the guild's staff. Returns true only for the call that changed it, and false if it was
/// already off for any reason. The row is created if necessary, since the function may be on by default.
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
    let changed = tx.execute(statement, &[&ids::to_db(guild_id), &reason]).await?;
    Ok(changed > 0)
}

fn to_db(guilds: &[Id<GuildMarker>]) -> Vec<i64> {
    guilds.iter().copied().map(ids::to_db).collect()
}

fn stored_of(row: &Row) -> Option<Stored> {
    let id = |column| row.get::<_, Option<i64>>(column);
    let levels: Vec<i64> = row.get(9);
    let roles: Vec<i64> = row.get(10);
    let (sections, settings): (Vec<String>, Vec<String>) = (row.get(35), row.get(36));
    Some(Stored {
        guild_id: ids::from_db(row.get(0))?,
        announce: row.get(1),
        announce_channel_id: id(2).and_then(ids::from_db),
        announce_template: row.get(3),
        announce_ping: row.get(4),
        announce_off_reason: row.get(5),
        rewards: row.get(6),
        rewards_off_reason: row.get(7),
        log_channel_id: id(8).and_then(ids::from_db),
        card_colour: row.get(30),
        roles: levels
            .into_iter()
            .zip(roles)
            .filter_map(|(level, role)| Some((level, ids::from_db(role)?)))
            .collect(),
        earning: earning_of(row),
        curve: row.get(15),
        curve_factors: row.get(16),
        language: row.get(17),
        prefix: row.get(18),
        welcome_channel_id: id(19).and_then(ids::from_db),
        welcome_template: row.get(20),
        departed: row.get(31),
        demotion: row.get(32),
        roles_on_join: row.get(33),
        moderators_shown: row.get(34),
        sections: sections.into_iter().zip(settings).collect(),
    })
}

fn earning_of(row: &Row) -> StoredEarning {
    // The array is missing if it has no elements.
    let numbers = |column| row.get::<_, Option<Vec<i64>>>(column).unwrap_or_default();
    let words = |column| row.get::<_, Option<Vec<String>>>(column).unwrap_or_default();
    let times = |column| row.get::<_, Option<Vec<SystemTime>>>(column).unwrap_or_default();
    let multipliers = |first| {
        let rest = words(first)
            .into_iter()
            .zip(numbers(first + 1))
            .zip(numbers(first + 2));
        rest.map(|((target_kind, target_id), percent)| StoredMultiplier {
            target_kind,
            target_id,
            percent,
        })
    };
    StoredEarning {
        xp_min: row.get(11),
        xp_max: row.get(12),
        cooldown_seconds: row.get(13),
        role_mode: row.get(14),
        multipliers: multipliers(21).collect(),
        boosts: numbers(24)
            .into_iter()
            .zip(multipliers(25))
            .zip(times(28).into_iter().zip(times(29)))
            .map(|((boost_id, multiplier), (starts_at, ends_at))| StoredBoost {
                boost_id,
                multiplier,
                starts_at,
                ends_at,
            })
            .collect(),
    }
}
