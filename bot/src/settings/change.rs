//! Changes of a guild's settings, from the words of people: the command line's today, slash commands' later.

use std::fmt;

use strsim::damerau_levenshtein;
use thiserror::Error;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, InteractionMarker, RoleMarker},
};

use super::{
    Announce, Departed, RewardMode,
    template::{Template, TemplateFault},
};
use crate::{
    card::colour::Colour,
    language::Language,
    rules::{
        award::Millis,
        curve::{Curve, MAX_LEVEL},
        earning::{Boost, Percent, RoleMode, Target},
    },
    store::{
        Store, StoreError, Tx,
        audit_log::{self, Entry},
        guild_settings::{self, Stored, multipliers},
    },
};

/// The least id there is has 17 digits: what has fewer is a slip, such as a level in a role's place.
const LEAST_ID: u64 = 10_000_000_000_000_000;

/// A guild has no more roles: <https://discord.com/developers/docs/resources/guild#create-guild-role>.
const MAX_ROLES: usize = 250;

/// A setting that people can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Where level-ups are announced.
    Announce,
    /// What an announcement says.
    Template,
    /// Whether an announcement notifies the member.
    Ping,
    /// Whether members keep the roles of lower levels.
    Rewards,
    /// Where the guild's staff is told what went wrong.
    LogChannel,
}

/// A setting with what it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Also switches announcements on again that the bot switched off. `None` is the operator's default.
    Announce(Option<Announce>),
    /// `None` is the operator's default.
    Template(Option<Template>),
    /// True or false.
    Ping(bool),
    /// Also switches rewards on again that the bot switched off.
    Rewards(RewardMode),
    /// `None` tells nobody.
    LogChannel(Option<Id<ChannelMarker>>),
    /// The least and the most that a message earns; `None` is the operator's default.
    Xp(Option<(u32, u32)>),
    /// Seconds; `None` is the operator's default.
    Cooldown(Option<u32>),
    /// Which of a member's roles with a multiplier counts.
    RoleMode(RoleMode),
    /// How much XP levels take.
    Curve(Curve),
    /// `None` leaves it to Discord's settings.
    Language(Option<Language>),
    /// What commands begin with that are written as messages; `None` is the usual one.
    Prefix(Option<Box<str>>),
    /// Where those who come are welcomed; `None` is nowhere.
    Welcome(Option<(Id<ChannelMarker>, Template)>),
    /// What becomes of the XP of those who leave.
    Departed(Departed),
    /// What the messages of a role or in a channel earn; 100 is as if nothing had been said.
    Multiplier(Target, Percent),
    /// The same for a time.
    Boost {
        /// The interaction that begins it.
        id: Id<InteractionMarker>,
        /// What is boosted.
        boost: Boost,
    },
    /// End every boost before its time.
    EndBoosts {
        /// When, by the messages' own times.
        at: Millis,
    },
}

/// Why words are no change. In one line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChangeFault {
    /// There is no such setting.
    #[error("there is no setting {}: {hint}", shown(.name))]
    NoSuchKey {
        /// What was written.
        name: String,
        /// What was probably meant, or what there is.
        hint: String,
    },
    /// The setting cannot be that.
    #[error("{} cannot be {}: {allowed}", .key.name(), shown(.found))]
    Value {
        /// The setting.
        key: Key,
        /// What was written.
        found: String,
        /// What would be right.
        allowed: &'static str,
    },
    /// The template is none.
    #[error("template: {0}")]
    Template(#[from] TemplateFault),
    /// An id is none.
    #[error("{} is no {what}'s id, which is a number of 17 to 19 digits: in Discord, turn on the developer mode and copy it", shown(.found))]
    Id {
        /// Whose.
        what: &'static str,
        /// What was written.
        found: String,
    },
    /// A level is none.
    #[error("{} is no level: a whole number from 1 to {MAX_LEVEL}", shown(.found))]
    Level {
        /// What was written.
        found: String,
    },
}

/// Why a reward was not added.
#[derive(Debug, Error)]
pub enum RewardError {
    /// The database did not take it.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// There are too many.
    #[error("a server has {MAX_ROLES} roles at most, and so many give rewards already: remove one first")]
    TooMany,
}

impl Key {
    /// Every key.
    pub const ALL: [Self; 5] = [
        Self::Announce,
        Self::Template,
        Self::Ping,
        Self::Rewards,
        Self::LogChannel,
    ];

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Announce => "announce",
            Self::Template => "template",
            Self::Ping => "ping",
            Self::Rewards => "rewards",
            Self::LogChannel => "log_channel",
        }
    }

    /// The key of this name.
    ///
    /// # Errors
    ///
    /// [`ChangeFault::NoSuchKey`].
    pub fn parse(name: &str) -> Result<Self, ChangeFault> {
        let slips = |key: &Self| damerau_levenshtein(key.name(), name);
        Self::ALL
            .into_iter()
            .find(|key| key.name() == name)
            .ok_or_else(|| {
                let near = || {
                    Self::ALL
                        .into_iter()
                        .filter(|key| name.len() < 20 && slips(key) <= 2)
                };
                let hint = near().min_by_key(slips).map_or_else(
                    || format!("there are {}", Self::ALL.map(Self::name).join(", ")),
                    |key| format!("did you mean {}?", key.name()),
                );
                ChangeFault::NoSuchKey {
                    name: name.to_owned(),
                    hint,
                }
            })
    }

    /// The setting set to what is written.
    ///
    /// # Errors
    ///
    /// It cannot be that.
    pub fn set(self, written: &str) -> Result<Change, ChangeFault> {
        let fault = |allowed| ChangeFault::Value {
            key: self,
            found: written.to_owned(),
            allowed,
        };
        Ok(match self {
            Self::Announce => Change::Announce(Some(match written {
                "off" => Announce::Off,
                "same_channel" => Announce::SameChannel,
                "direct" => Announce::Direct,
                _ => match written.strip_prefix("channel:") {
                    Some(id) => Announce::Channel(channel(id)?),
                    None => return Err(fault("off, same_channel, direct or channel:ID")),
                },
            })),
            Self::Template => Change::Template(Some(Template::parse(written)?)),
            Self::Ping => Change::Ping(match written {
                "true" | "yes" | "on" => true,
                "false" | "no" | "off" => false,
                _ => return Err(fault("true or false")),
            }),
            Self::Rewards => Change::Rewards(match written {
                "stack" => RewardMode::Stack,
                "replace" => RewardMode::Replace,
                _ => {
                    return Err(fault(
                        "stack (members keep the roles of lower levels) or replace (they do not)",
                    ));
                }
            }),
            Self::LogChannel => Change::LogChannel(Some(channel(written)?)),
        })
    }

    /// The setting as if nobody had chosen anything.
    pub const fn unset(self) -> Change {
        match self {
            Self::Announce => Change::Announce(None),
            Self::Template => Change::Template(None),
            Self::Ping => Change::Ping(false),
            Self::Rewards => Change::Rewards(RewardMode::Stack),
            Self::LogChannel => Change::LogChannel(None),
        }
    }
}

impl Change {
    fn apply(self, stored: &mut Stored) {
        match self {
            Self::Announce(announce) => {
                stored.announce = announce.map(|announce| announce.word().to_owned());
                stored.announce_channel_id = match announce {
                    Some(Announce::Channel(id)) => Some(id),
                    _ => None,
                };
                stored.announce_off_reason = None;
            }
            Self::Template(template) => {
                stored.announce_template = template.map(|template| template.as_str().to_owned());
            }
            Self::Ping(ping) => stored.announce_ping = ping,
            Self::Rewards(mode) => {
                mode.word().clone_into(&mut stored.rewards);
                stored.rewards_off_reason = None;
            }
            Self::LogChannel(id) => stored.log_channel_id = id,
            Self::Xp(range) => {
                stored.earning.xp_min = range.map(|(min, _)| min.into());
                stored.earning.xp_max = range.map(|(_, max)| max.into());
            }
            Self::Cooldown(seconds) => stored.earning.cooldown_seconds = seconds.map(i64::from),
            Self::RoleMode(mode) => stored.earning.role_mode = Some(mode.word().to_owned()),
            Self::Curve(curve) => {
                let (word, factors): (_, Option<&[u32]>) = match &curve {
                    Curve::Mee6 => ("mee6", None),
                    curve if *curve == Curve::ARCANE => ("arcane", None),
                    Curve::Cubic([0, 0, step]) => ("linear", Some(std::slice::from_ref(step))),
                    Curve::Cubic(factors) => ("cubic", Some(factors)),
                };
                stored.curve = Some(word.to_owned());
                stored.curve_factors = factors.map(|all| all.iter().copied().map(i64::from).collect());
            }
            Self::Language(language) => stored.language = language.map(|language| language.code().to_owned()),
            Self::Prefix(prefix) => stored.prefix = prefix.map(String::from),
            Self::Welcome(welcome) => {
                let (channel_id, template) = welcome.unzip();
                stored.welcome_channel_id = channel_id;
                stored.welcome_template = template.map(|template| template.as_str().to_owned());
            }
            Self::Departed(departed) => stored.departed = Some(departed.word().to_owned()),
            // In tables of their own.
            Self::Multiplier(..) | Self::Boost { .. } | Self::EndBoosts { .. } => {}
        }
    }

    /// What is not in the guild's row.
    async fn apply_rows(&self, tx: &Tx<'_>, guild_id: Id<GuildMarker>) -> Result<(), StoreError> {
        match self {
            Self::Multiplier(target, percent) => {
                multipliers::put(
                    tx,
                    guild_id,
                    *target,
                    Some(*percent).filter(|percent| *percent != 100),
                )
                .await
            }
            Self::Boost { id, boost } => multipliers::add_boost(tx, guild_id, *id, boost).await,
            Self::EndBoosts { at } => multipliers::end_boosts(tx, guild_id, *at).await,
            _ => Ok(()),
        }
    }
}

/// A channel's id, as a number or a mention.
///
/// # Errors
///
/// [`ChangeFault::Id`].
pub fn channel(written: &str) -> Result<Id<ChannelMarker>, ChangeFault> {
    id(written, "channel", "<#")
}

/// A role's id, as a number or a mention.
///
/// # Errors
///
/// [`ChangeFault::Id`].
pub fn role(written: &str) -> Result<Id<RoleMarker>, ChangeFault> {
    id(written, "role", "<@&")
}

/// A guild's id.
///
/// # Errors
///
/// [`ChangeFault::Id`].
pub fn guild(written: &str) -> Result<Id<GuildMarker>, ChangeFault> {
    id(written, "server", "<")
}

/// A level that can give a role.
///
/// # Errors
///
/// [`ChangeFault::Level`].
pub fn level(written: &str) -> Result<u32, ChangeFault> {
    let level = written.parse().ok();
    level
        .filter(|level| (1..=MAX_LEVEL).contains(level))
        .ok_or_else(|| ChangeFault::Level {
            found: written.to_owned(),
        })
}

/// Change a guild's settings, all at once. Every process knows within a second.
pub async fn change(
    store: &Store,
    guild_id: Id<GuildMarker>,
    changes: Vec<Change>,
) -> Result<(), StoreError> {
    store
        .transaction("settings_change", move |tx| {
            Box::pin(async move {
                let mut stored = guild_settings::lock(tx, guild_id).await?;
                for change in changes {
                    change.apply_rows(tx, guild_id).await?;
                    change.apply(&mut stored);
                }
                guild_settings::put(tx, &stored).await
            })
        })
        .await
}

/// The same with an entry in the audit log. An interaction that has one already changes nothing.
pub async fn change_by(store: &Store, entry: Entry, changes: Vec<Change>) -> Result<(), StoreError> {
    store
        .transaction("settings_change", move |tx| {
            Box::pin(async move {
                if !audit_log::begin(tx, &entry).await? {
                    return Ok(());
                }
                let mut stored = guild_settings::lock(tx, entry.guild_id).await?;
                for change in changes {
                    change.apply_rows(tx, entry.guild_id).await?;
                    change.apply(&mut stored);
                }
                guild_settings::put(tx, &stored).await
            })
        })
        .await
}

/// Have a level give a role, and no other level that role; once for this entry of the audit log, where somebody asked for it.
///
/// # Errors
///
/// [`RewardError::TooMany`], or the database's.
pub async fn add_reward(
    store: &Store,
    guild_id: Id<GuildMarker>,
    (level, role_id): (u32, Id<RoleMarker>),
    entry: Option<Entry>,
) -> Result<(), RewardError> {
    let added = store
        .transaction("settings_reward", move |tx| {
            Box::pin(async move {
                let stored = guild_settings::lock(tx, guild_id).await?;
                let others = stored.roles.iter().filter(|(_, role)| *role != role_id).count();
                if others >= MAX_ROLES {
                    return Ok(false);
                }
                if is_done(tx, entry.as_ref()).await? {
                    return Ok(true);
                }
                guild_settings::put_role(tx, guild_id, role_id, level).await?;
                Ok(true)
            })
        })
        .await?;
    if added { Ok(()) } else { Err(RewardError::TooMany) }
}

/// Have no level give a role; once for this entry of the audit log, where somebody asked for it. Whether one did.
pub async fn remove_reward(
    store: &Store,
    guild_id: Id<GuildMarker>,
    role_id: Id<RoleMarker>,
    entry: Option<Entry>,
) -> Result<bool, StoreError> {
    store
        .transaction("settings_reward", move |tx| {
            Box::pin(async move {
                if is_done(tx, entry.as_ref()).await? {
                    return Ok(true);
                }
                guild_settings::remove_role(tx, guild_id, role_id).await
            })
        })
        .await
}

/// Give the server's rank cards this colour, or the bot's own; once for this entry of the audit log.
pub async fn change_card_colour(
    store: &Store,
    entry: Entry,
    colour: Option<Colour>,
) -> Result<(), StoreError> {
    store
        .transaction("settings_change", move |tx| {
            Box::pin(async move {
                if !audit_log::begin(tx, &entry).await? {
                    return Ok(());
                }
                guild_settings::put_card_colour(tx, entry.guild_id, colour, entry.interaction_id).await
            })
        })
        .await
}

/// Whether what an entry of the audit log is about was done before. If not, it is written now.
async fn is_done(tx: &Tx<'_>, entry: Option<&Entry>) -> Result<bool, StoreError> {
    match entry {
        Some(entry) => Ok(!audit_log::begin(tx, entry).await?),
        None => Ok(false),
    }
}

impl fmt::Display for Announce {
    /// As [`Key::set`] reads it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())?;
        match self {
            Self::Channel(id) => write!(formatter, ":{id}"),
            _ => Ok(()),
        }
    }
}

fn id<T>(written: &str, what: &'static str, opening: &str) -> Result<Id<T>, ChangeFault> {
    let bare = written.trim();
    let mentioned = bare.strip_prefix(opening).and_then(|rest| rest.strip_suffix('>'));
    mentioned
        .unwrap_or(bare)
        .parse()
        .ok()
        // Above, it would be negative as a BIGINT; Discord is there in 2084.
        .filter(|number| (LEAST_ID..=i64::MAX.cast_unsigned()).contains(number))
        .and_then(Id::new_checked)
        .ok_or_else(|| ChangeFault::Id {
            what,
            found: written.to_owned(),
        })
}

/// What somebody wrote, on one line and of a bounded length.
fn shown(written: &str) -> String {
    const SHOWN_CHARS: usize = 40;
    let shown: String = written.chars().take(SHOWN_CHARS).collect();
    let more = if written.chars().nth(SHOWN_CHARS).is_some() {
        "…"
    } else {
        ""
    };
    format!("{shown:?}{more}")
}

#[cfg(test)]
mod tests;
