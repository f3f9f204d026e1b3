//! Settings as text for the command line: names, values and IDs.

use std::fmt;

use strsim::damerau_levenshtein;
use thiserror::Error;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, RoleMarker},
};

use super::{RewardMode, change::Change};
use crate::{
    config::Announce,
    discord::guilds::authority::XpPermit,
    settings::values::curve::MAX_LEVEL,
    support::{
        ids,
        text::{
            limits::excerpt,
            template::{Template, TemplateFault},
        },
    },
};

/// A setting that can be changed as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Where level-ups are announced.
    Announce,
    /// The text of an announcement.
    Template,
    /// Whether an announcement notifies the member.
    Ping,
    /// Whether members keep the roles of lower levels.
    Rewards,
    /// The channel for notices to the guild's staff.
    LogChannel,
}

/// Why a text is not a valid change, on one line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChangeFault {
    /// The setting does not exist.
    #[error("there is no setting {}: {hint}", shown(.name))]
    NoSuchKey {
        /// The given name.
        name: String,
        /// The name that was probably meant, or all names.
        hint: String,
    },
    /// The setting cannot have this value.
    #[error("{} cannot be {}: {allowed}", .key.name(), shown(.found))]
    Value {
        /// The setting.
        key: Key,
        /// The given value.
        found: String,
        /// The allowed values.
        allowed: &'static str,
    },
    /// The template is invalid.
    #[error("template: {0}")]
    Template(#[from] TemplateFault),
    /// The ID is invalid.
    #[error("{} is no {what}'s id, which is a number of 17 to 19 digits: in Discord, turn on the developer mode and copy it", shown(.found))]
    Id {
        /// The kind of ID.
        what: &'static str,
        /// The given text.
        found: String,
    },
    /// The level is invalid.
    #[error("{} is no level: a whole number from 1 to {MAX_LEVEL}", shown(.found))]
    Level {
        /// The given text.
        found: String,
    },
}

impl Key {
    /// All settings.
    pub const ALL: [Self; 5] = [
        Self::Announce,
        Self::Template,
        Self::Ping,
        Self::Rewards,
        Self::LogChannel,
    ];

    /// The name of the setting.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Announce => "announce",
            Self::Template => "template",
            Self::Ping => "ping",
            Self::Rewards => "rewards",
            Self::LogChannel => "log_channel",
        }
    }

    /// Find a setting by name.
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

    /// Parse a value of the setting.
    ///
    /// # Errors
    ///
    /// The value is not allowed.
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
            Self::Rewards => Change::Rewards(
                XpPermit::of_operator(),
                match written {
                    "stack" => RewardMode::Stack,
                    "replace" => RewardMode::Replace,
                    _ => {
                        return Err(fault(
                            "stack (members keep the roles of lower levels) or replace (they do not)",
                        ));
                    }
                },
            ),
            Self::LogChannel => Change::LogChannel(Some(channel(written)?)),
        })
    }

    /// Reset the setting to its default.
    pub const fn unset(self) -> Change {
        match self {
            Self::Announce => Change::Announce(None),
            Self::Template => Change::Template(None),
            Self::Ping => Change::Ping(false),
            Self::Rewards => Change::Rewards(XpPermit::of_operator(), RewardMode::Stack),
            Self::LogChannel => Change::LogChannel(None),
        }
    }
}

/// Parse the ID of a channel, as a number or a mention.
///
/// # Errors
///
/// [`ChangeFault::Id`].
pub fn channel(written: &str) -> Result<Id<ChannelMarker>, ChangeFault> {
    id(written, "channel", "<#")
}

/// Parse the ID of a role, as a number or a mention.
///
/// # Errors
///
/// [`ChangeFault::Id`].
pub fn role(written: &str) -> Result<Id<RoleMarker>, ChangeFault> {
    id(written, "role", "<@&")
}

/// Parse the ID of a guild.
///
/// # Errors
///
/// [`ChangeFault::Id`].
pub fn guild(written: &str) -> Result<Id<GuildMarker>, ChangeFault> {
    id(written, "server", "<")
}

/// Parse a level that can have a reward.
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

impl fmt::Display for Announce {
    /// The text that [`Key::set`] accepts.
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
    ids::written(mentioned.unwrap_or(bare)).ok_or_else(|| ChangeFault::Id {
        what,
        found: written.to_owned(),
    })
}

/// A given text on one line, and shortened.
fn shown(written: &str) -> String {
    const SHOWN_CHARS: usize = 40;
    format!("{:?}", excerpt(written, SHOWN_CHARS))
}

#[cfg(test)]
mod tests;
