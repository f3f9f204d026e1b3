//! `MESSAGE_CREATE`, reduced to what decides whether a message counts.

use serde::Deserialize;
use serde_json::error::Category;
use thiserror::Error;
use twilight_gateway::Intents;
use twilight_model::{
    gateway::event::EventType,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, MessageMarker, RoleMarker, UserMarker, WebhookMarker},
    },
};

use super::scan::{Scan, once};

/// The types of messages that users write: default and reply. All others are system messages.
/// <https://discord.com/developers/docs/resources/message#message-object-message-types>
const WRITTEN_BY_PEOPLE: [u64; 2] = [0, 19];

/// A payload that is not the event that its type names, with the position and the missing field. Unlike serde's error, it never quotes a
/// value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what}, at line {line}, column {column}")]
pub struct Unreadable {
    what: String,
    line: usize,
    column: usize,
}

impl Unreadable {
    /// An event without a required field.
    pub(super) fn without(field: &'static str) -> Self {
        Self {
            what: format!("missing field {field}"),
            line: 0,
            column: 0,
        }
    }
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        // The name of a missing field comes from the bot's code; all other texts may quote the payload.
        let text = error.to_string();
        let missing = text.strip_prefix("missing field `");
        let what = match missing.and_then(|rest| rest.split('`').next()) {
            Some(field) => format!("missing field {field}"),
            None => match error.classify() {
                Category::Data => "a value of another type".to_owned(),
                Category::Eof => "it is cut off".to_owned(),
                Category::Io | Category::Syntax => "it is no JSON".to_owned(),
            },
        };
        Self {
            what,
            line: error.line(),
            column: error.column(),
        }
    }
}

/// A sent message without its content, which is never even copied from the payload.
#[derive(Debug, Deserialize)]
pub struct MessageCreate {
    /// The snowflake, which includes the time of sending.
    pub id: Id<MessageMarker>,
    /// The channel or thread.
    pub channel_id: Id<ChannelMarker>,
    /// The guild; `None` in a direct message.
    #[serde(default)]
    pub guild_id: Option<Id<GuildMarker>>,
    /// The author.
    pub author: Author,
    /// The type of the message; 0 if it is omitted.
    #[serde(default, rename = "type")]
    kind: u64,
    /// Set if a webhook sent the message. The author is not a user then.
    #[serde(default)]
    webhook_id: Option<Id<WebhookMarker>>,
}

/// The author of a message.
#[derive(Debug, Deserialize)]
pub struct Author {
    /// The ID of the user or the webhook.
    pub id: Id<UserMarker>,
    #[serde(default)]
    bot: bool,
    #[serde(default)]
    system: bool,
}

#[derive(Deserialize)]
struct Payload {
    d: MessageCreate,
}

impl Author {
    fn scan(scan: &mut Scan<'_>) -> Option<Self> {
        let (mut id, mut bot, mut system) = (None, None, None);
        scan.object(|scan, key| match key {
            b"id" => once(&mut id, scan.id()?),
            b"bot" => once(&mut bot, scan.boolean()?),
            b"system" => once(&mut system, scan.boolean()?),
            _ => scan.skip(),
        })?;
        Some(Self {
            id: id?,
            bot: bot.unwrap_or_default(),
            system: system.unwrap_or_default(),
        })
    }
}

impl MessageCreate {
    /// The event, with the intent for it.
    pub(crate) const EVENT: (EventType, Intents) = (EventType::MessageCreate, Intents::GUILD_MESSAGES);

    /// Parse a gateway payload.
    ///
    /// # Errors
    ///
    /// The payload is not JSON, or a field is missing that Discord always sends. The error contains a position and never quotes the
    /// payload.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        match Self::scan(text) {
            Some(message) => Ok(message),
            None => Ok(serde_json::from_str::<Payload>(text)?.d),
        }
    }

    /// Parse a payload in the format that Discord uses.
    fn scan(text: &str) -> Option<Self> {
        let mut scan = Scan::new(text);
        let mut message = None;
        scan.object(|scan, key| match key {
            b"d" => once(&mut message, Self::scan_data(scan)?),
            _ => scan.skip(),
        })?;
        message.filter(|_| scan.is_over())
    }

    fn scan_data(scan: &mut Scan<'_>) -> Option<Self> {
        let (mut id, mut channel_id, mut guild_id) = (None, None, None);
        let (mut author, mut kind, mut webhook_id) = (None, None, None);
        scan.object(|scan, key| match key {
            b"id" => once(&mut id, scan.id()?),
            b"channel_id" => once(&mut channel_id, scan.id()?),
            b"guild_id" => once(&mut guild_id, scan.optional_id()?),
            b"author" => once(&mut author, Author::scan(scan)?),
            b"type" => once(&mut kind, scan.number()?),
            b"webhook_id" => once(&mut webhook_id, scan.optional_id()?),
            _ => scan.skip(),
        })?;
        Some(Self {
            id: id?,
            channel_id: channel_id?,
            guild_id: guild_id.flatten(),
            author: author?,
            kind: kind.unwrap_or_default(),
            webhook_id: webhook_id.flatten(),
        })
    }

    /// The roles of the author, which are part of messages in guilds; `None` if they are missing, as over REST. They are parsed separately,
    /// since the rules of few guilds need them.
    pub fn roles_in(text: &str) -> Option<Vec<Id<RoleMarker>>> {
        Self::scan_roles(text).or_else(|| Self::read_roles(text))
    }

    /// Parse the roles in the format that Discord uses.
    fn scan_roles(text: &str) -> Option<Vec<Id<RoleMarker>>> {
        let mut roles = None;
        Scan::new(text).object(|scan, key| match key {
            b"d" => scan.object(|scan, key| match key {
                b"member" => once(&mut roles, Self::scan_member(scan)?),
                _ => scan.skip(),
            }),
            _ => scan.skip(),
        })?;
        roles
    }

    fn scan_member(scan: &mut Scan<'_>) -> Option<Vec<Id<RoleMarker>>> {
        let mut roles = None;
        scan.object(|scan, key| match key {
            b"roles" => once(&mut roles, scan.ids()?),
            _ => scan.skip(),
        })?;
        roles
    }

    fn read_roles(text: &str) -> Option<Vec<Id<RoleMarker>>> {
        #[derive(Deserialize)]
        struct Payload {
            d: Message,
        }
        #[derive(Deserialize)]
        struct Message {
            member: Option<Member>,
        }
        #[derive(Deserialize)]
        struct Member {
            roles: Vec<Id<RoleMarker>>,
        }
        let payload: Payload = serde_json::from_str(text).ok()?;
        Some(payload.d.member?.roles)
    }

    /// A user's message of which only these fields are still known.
    pub const fn by_a_person(
        id: Id<MessageMarker>,
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        user_id: Id<UserMarker>,
    ) -> Self {
        Self {
            id,
            channel_id,
            guild_id: Some(guild_id),
            author: Author {
                id: user_id,
                bot: false,
                system: false,
            },
            kind: WRITTEN_BY_PEOPLE[0],
            webhook_id: None,
        }
    }

    /// Whether a user wrote it, as opposed to a bot, a webhook or the system.
    pub fn is_by_a_person(&self) -> bool {
        !self.author.bot
            && !self.author.system
            && self.webhook_id.is_none()
            && WRITTEN_BY_PEOPLE.contains(&self.kind)
    }
}

#[cfg(test)]
mod tests;
