//! Gateway events, reduced to what the handlers need.
//!
//! twilight's models contain every field. For the event that makes up most of the volume, they cost more than three times the necessary
//! parsing, so it has a reduced form here. The frame around the payload is scanned without parsing it.

pub mod audit_entry;
pub(crate) mod automod_action;
pub mod frame;
pub mod guild_create;
pub mod guild_news;
pub mod member_news;
pub mod message_create;
#[cfg(test)]
pub(crate) mod payloads;
pub mod ready;
mod scan;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use twilight_gateway::Intents;
use twilight_model::{
    gateway::event::EventType,
    id::{
        Id,
        marker::{GuildMarker, UserMarker},
    },
};

use self::message_create::Unreadable;

/// An event of a guild, reduced to the fields that are used. Its JSON is also the form in which it is kept until it is written.
pub(crate) trait GuildEvent: Serialize + DeserializeOwned + Send {
    /// The event.
    const TYPE: EventType;
    /// The intents that Discord requires: <https://docs.discord.com/developers/events/gateway#list-of-intents>.
    const INTENTS: Intents;

    fn guild_id(&self) -> Id<GuildMarker>;

    /// The member that it is about: what is kept of it is erased with their data.
    fn user_id(&self) -> Option<Id<UserMarker>>;

    /// Whether anything can follow from it.
    fn is_relevant(&self) -> bool {
        true
    }

    /// Parse a gateway payload.
    ///
    /// # Errors
    ///
    /// The payload is not this event. The error never quotes it.
    fn parse(text: &str) -> Result<Self, Unreadable> {
        Ok(serde_json::from_str::<Payload<Self>>(text)?.d)
    }
}

/// Define the events that a payload stands for, by their names, with the intents that Discord requires for them:
/// <https://docs.discord.com/developers/events/gateway#list-of-intents>.
macro_rules! events {
    ($($name:literal: $event:ident, $intents:expr;)+) => {
        /// The events, with the intents for them.
        pub(crate) const EVENTS: &'static [(EventType, Intents)] = &[$((EventType::$event, $intents)),+];

        /// Whether this is one of the events.
        pub(crate) fn reads(event_type: &str) -> bool {
            matches!(event_type, $($name)|+)
        }
    };
}
use events;

#[derive(Deserialize)]
struct Payload<T> {
    d: T,
}
