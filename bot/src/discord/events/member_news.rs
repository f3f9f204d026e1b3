//! `GUILD_MEMBER_ADD`, `GUILD_MEMBER_UPDATE`, `GUILD_MEMBER_REMOVE` and `GUILD_BAN_ADD`: somebody has come (back), was let in, or is gone.
//!
//! <https://docs.discord.com/developers/events/gateway-events#guild-member-add>

use serde::Deserialize;
use twilight_model::{
    id::{
        Id,
        marker::{GuildMarker, UserMarker},
    },
    util::Timestamp,
};

use super::message_create::Unreadable;
use crate::{
    features::welcome::arrival::{Stage, Times},
    pipeline::ledger::Coming,
    support::ids::{MemberKey, Millis},
};

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
