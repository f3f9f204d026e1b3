//! Events about a guild, its roles or its channels, reduced to the guild's ID. For guilds that are not cached, which is most of them,
//! nothing else is parsed.

use serde::{Deserialize, de::DeserializeOwned};
use twilight_gateway::Intents;
use twilight_model::{
    gateway::event::EventType,
    id::{Id, marker::GuildMarker},
};

use super::{events, message_create::Unreadable};

/// An event about a guild.
#[derive(Clone, Copy, Debug)]
pub struct GuildNews<'a> {
    /// The ID of the guild.
    pub guild_id: Id<GuildMarker>,
    /// The type of the event, `t` in the payload.
    pub event_type: &'a str,
    /// The complete payload.
    pub text: &'a str,
}

#[derive(Deserialize)]
struct Payload<T> {
    d: T,
}

/// Data that is a guild itself.
#[derive(Deserialize)]
struct Guild {
    id: Id<GuildMarker>,
}

/// Data that belongs to a guild. Channels of direct messages belong to none.
#[derive(Deserialize)]
struct InGuild {
    #[serde(default)]
    guild_id: Option<Id<GuildMarker>>,
}

/// `GUILD_DELETE`: a guild is unavailable, or has removed the bot.
#[derive(Debug, Deserialize)]
pub struct GuildGone {
    /// The ID of the guild.
    pub id: Id<GuildMarker>,
    /// Whether it is only unavailable, because of an outage.
    #[serde(default)]
    pub unavailable: bool,
}

impl GuildGone {
    /// Parse a gateway payload.
    ///
    /// # Errors
    ///
    /// The payload is not this event. The error never quotes it.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        Ok(serde_json::from_str::<Payload<Self>>(text)?.d)
    }
}

impl<'a> GuildNews<'a> {
    events! {
        "GUILD_CREATE": GuildCreate, Intents::GUILDS;
        "GUILD_UPDATE": GuildUpdate, Intents::GUILDS;
        "GUILD_DELETE": GuildDelete, Intents::GUILDS;
        "GUILD_ROLE_CREATE": RoleCreate, Intents::GUILDS;
        "GUILD_ROLE_UPDATE": RoleUpdate, Intents::GUILDS;
        "GUILD_ROLE_DELETE": RoleDelete, Intents::GUILDS;
        "CHANNEL_CREATE": ChannelCreate, Intents::GUILDS;
        "CHANNEL_UPDATE": ChannelUpdate, Intents::GUILDS;
        "CHANNEL_DELETE": ChannelDelete, Intents::GUILDS;
        "THREAD_CREATE": ThreadCreate, Intents::GUILDS;
        "THREAD_UPDATE": ThreadUpdate, Intents::GUILDS;
        "THREAD_DELETE": ThreadDelete, Intents::GUILDS;
        // Without a privileged intent, Discord sends this one about the bot itself.
        "GUILD_MEMBER_UPDATE": MemberUpdate, Intents::empty();
    }

    /// Read the guild's ID. `None` for a channel of direct messages, for which Discord sends the same events.
    ///
    /// # Errors
    ///
    /// The payload is not JSON, or a required guild ID is missing. The error never quotes the payload.
    pub fn scan(event_type: &'a str, text: &'a str) -> Result<Option<Self>, Unreadable> {
        let guild_id = match event_type {
            "GUILD_CREATE" | "GUILD_UPDATE" | "GUILD_DELETE" => {
                let Payload { d: Guild { id } } = serde_json::from_str(text)?;
                Some(id)
            }
            _ => {
                let Payload {
                    d: InGuild { guild_id },
                } = serde_json::from_str(text)?;
                guild_id
            }
        };
        if guild_id.is_none() && !event_type.starts_with("CHANNEL_") {
            return Err(Unreadable::without("guild_id"));
        }
        Ok(guild_id.map(|guild_id| Self {
            guild_id,
            event_type,
            text,
        }))
    }

    /// Parse more of the payload.
    ///
    /// # Errors
    ///
    /// The payload does not contain it. The error never quotes the payload.
    pub fn object<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        Ok(serde_json::from_str::<Payload<T>>(self.text)?.d)
    }
}

#[cfg(test)]
mod tests;
