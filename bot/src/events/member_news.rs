//! `GUILD_MEMBER_ADD`, `GUILD_MEMBER_REMOVE` and `GUILD_BAN_ADD`: somebody has come (back), or gone.
//!
//! <https://docs.discord.com/developers/events/gateway-events#guild-member-add>

use serde::Deserialize;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::message_create::Unreadable;
use crate::ledger::member_xp::MemberKey;

/// Who has come where, or gone.
#[derive(Debug, Deserialize)]
pub struct MemberNews {
    guild_id: Id<GuildMarker>,
    user: User,
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

    /// Whether it is a bot.
    pub const fn is_bot(&self) -> bool {
        self.user.bot
    }
}
