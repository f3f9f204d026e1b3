//! `GUILD_MEMBER_ADD`, `GUILD_MEMBER_UPDATE`, `GUILD_MEMBER_REMOVE` and `GUILD_BAN_ADD`: a member has joined (again), was admitted, or is
//! gone.
//!
//! <https://docs.discord.com/developers/events/gateway-events#guild-member-add>

use serde::{Deserialize, Serialize};
use twilight_gateway::Intents;
use twilight_model::{
    gateway::event::EventType,
    id::{
        Id,
        marker::{GuildMarker, UserMarker},
    },
    util::Timestamp,
};

use super::{events, message_create::Unreadable};
use crate::support::ids::{MemberKey, Millis};

/// The stage of a member's arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The member has joined, and does not have to accept rules.
    #[default]
    Joined,
    /// The member has joined, and first has to accept the server's rules.
    Screened,
    /// The member may participate: they have accepted the rules, or something else about them has changed.
    Admitted,
    /// The member has left.
    Left,
}

/// An event of a member's arrival in a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coming {
    /// The member.
    pub key: MemberKey,
    /// The stage.
    pub stage: Stage,
    /// The known times of the event.
    pub times: Times,
}

/// The known times of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Times {
    /// When the member joined. Guests have no such time.
    #[serde(default)]
    pub joined_at: Option<Millis>,
    /// The time of the newest message that the shard had received before the event.
    #[serde(default)]
    pub seen_at: Option<Millis>,
}

impl Times {
    /// The time of the event, or the latest known time before it: Discord does not send the time at which a member was admitted.
    pub(crate) fn of(self, stage: Stage) -> Option<Millis> {
        let joined_at = self.joined_at?;
        Some(match stage {
            Stage::Admitted => joined_at.max(self.seen_at.unwrap_or(joined_at)),
            Stage::Joined | Stage::Screened | Stage::Left => joined_at,
        })
    }
}

/// A member who has joined, changed or left.
#[derive(Debug, Deserialize)]
pub struct MemberNews {
    guild_id: Id<GuildMarker>,
    user: User,
    /// Whether the member still has to accept the server's rules. Some events do not contain it.
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
    events! {
        "GUILD_MEMBER_ADD": MemberAdd, Intents::GUILD_MEMBERS;
        "GUILD_MEMBER_UPDATE": MemberUpdate, Intents::GUILD_MEMBERS;
        "GUILD_MEMBER_REMOVE": MemberRemove, Intents::GUILD_MEMBERS;
        // A banned member has left, which without a privileged intent is only visible here.
        "GUILD_BAN_ADD": BanAdd, Intents::GUILD_MODERATION;
    }

    /// Parse a gateway payload.
    ///
    /// # Errors
    ///
    /// The payload is not this event. The error never quotes it.
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

    /// The event of joining.
    pub fn joining(&self) -> Coming {
        self.coming(if self.pending == Some(true) {
            Stage::Screened
        } else {
            Stage::Joined
        })
    }

    /// The event of a change after which the member is admitted, perhaps since that change. `None` if they are not admitted.
    pub fn admission(&self) -> Option<Coming> {
        (self.pending == Some(false)).then(|| self.coming(Stage::Admitted))
    }

    /// The event of leaving.
    pub fn leaving(&self) -> Coming {
        self.coming(Stage::Left)
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

    /// Whether the member is a bot.
    pub const fn is_bot(&self) -> bool {
        self.user.bot
    }
}
