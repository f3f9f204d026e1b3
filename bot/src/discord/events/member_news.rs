//! `GUILD_MEMBER_ADD`, `GUILD_MEMBER_UPDATE`, `GUILD_MEMBER_REMOVE` and `GUILD_BAN_ADD`: somebody has come (back), was let in, or is gone.
//!
//! <https://docs.discord.com/developers/events/gateway-events#guild-member-add>

use serde::{Deserialize, Serialize};
use twilight_model::{
    id::{
        Id,
        marker::{GuildMarker, UserMarker},
    },
    util::Timestamp,
};

use super::message_create::Unreadable;
use crate::support::ids::{MemberKey, Millis};

/// What an event says of a member's arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// They have joined, and there is nothing to be accepted.
    #[default]
    Joined,
    /// They have joined, and have to accept the server's rules first.
    Screened,
    /// They may take part: they have accepted, or something else of them has changed.
    Admitted,
    /// They have left.
    Left,
}

/// An event of a member's arrival in a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coming {
    /// The member.
    pub key: MemberKey,
    /// What has happened.
    pub stage: Stage,
    /// When it happened, as far as that is known.
    pub times: Times,
}

/// What is known of the time of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Times {
    /// When the member joined. Guests have no such time.
    #[serde(default)]
    pub joined_at: Option<Millis>,
    /// When the newest message was written that the shard had seen by then.
    #[serde(default)]
    pub seen_at: Option<Millis>,
}

impl Times {
    /// The time of the event, or the latest one that is known before it: Discord does not say when a member was let in.
    pub(crate) fn of(self, stage: Stage) -> Option<Millis> {
        let joined_at = self.joined_at?;
        Some(match stage {
            Stage::Admitted => joined_at.max(self.seen_at.unwrap_or(joined_at)),
            Stage::Joined | Stage::Screened | Stage::Left => joined_at,
        })
    }
}

/// Who has come where, or gone.
#[derive(Debug, Deserialize)]
pub struct MemberNews {
    guild_id: Id<GuildMarker>,
    user: User,
    /// Whether the member has still to accept the server's rules. Not in every event.
    #[serde(default)]
    pending: Option<bool>,
    #[serde(default)]
    joined_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct User {
    id: Id<UserMarker>,
    #[serde(default)]
    bot: bool,
}

#[derive(Deserialize)]
struct Payload {
    d: MemberNews,
}

impl MemberNews {
    /// Read the event out of a gateway payload.
    ///
    /// # Errors
    ///
    /// The payload is none. The error never quotes it.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        Ok(serde_json::from_str::<Payload>(text)?.d)
    }

    /// The member.
    pub const fn key(&self) -> MemberKey {
        MemberKey {
            guild_id: self.guild_id,
            user_id: self.user.id,
        }
    }

    /// That somebody has joined.
    pub fn joining(&self) -> Coming {
        self.coming(if self.pending == Some(true) {
            Stage::Screened
        } else {
            Stage::Joined
        })
    }

    /// That a change of a member finds them let in, maybe just now. `None` while they are not.
    pub fn admission(&self) -> Option<Coming> {
        (self.pending == Some(false)).then(|| self.coming(Stage::Admitted))
    }

    fn coming(&self, stage: Stage) -> Coming {
        Coming {
            key: self.key(),
            stage,
            times: Times {
                joined_at: self.joined_at(),
                seen_at: None,
            },
        }
    }

    fn joined_at(&self) -> Option<Millis> {
        let at = Timestamp::parse(self.joined_at.as_deref()?).ok()?;
        Some(at.as_micros() / 1_000)
    }

    /// Whether it is a bot.
    pub const fn is_bot(&self) -> bool {
        self.user.bot
    }
}
