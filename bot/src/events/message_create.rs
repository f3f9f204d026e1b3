//! `MESSAGE_CREATE`, reduced to what decides whether and what it counts.

use serde::Deserialize;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, MessageMarker, UserMarker, WebhookMarker},
};

/// Message types that a person writes: default and reply. All others are system messages.
/// <https://discord.com/developers/docs/resources/message#message-object-message-types>
const WRITTEN_BY_PEOPLE: [u64; 2] = [0, 19];

/// A message that was sent, without its content, which is never even copied out of the payload.
#[derive(Debug, Deserialize)]
pub struct MessageCreate {
    /// Its snowflake, which also says when it was sent.
    pub id: Id<MessageMarker>,
    /// Where it was sent: a channel or a thread.
    pub channel_id: Id<ChannelMarker>,
    /// The guild; `None` in a direct message.
    #[serde(default)]
    pub guild_id: Option<Id<GuildMarker>>,
    /// Who sent it.
    pub author: Author,
    /// The message's type; 0 where it is left out.
    #[serde(default, rename = "type")]
    kind: u64,
    /// Set when a webhook sent it: the author is not a user then.
    #[serde(default)]
    webhook_id: Option<Id<WebhookMarker>>,
}

/// The author of a message.
#[derive(Debug, Deserialize)]
pub struct Author {
    /// The user's id, or the webhook's.
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

impl MessageCreate {
    /// Read the event out of a gateway payload.
    ///
    /// # Errors
    ///
    /// The payload is not JSON, or lacks a field that Discord always sends. The error names a position and a field, and
    /// never quotes the payload.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Payload>(text).map(|payload| payload.d)
    }

    /// A person's message of which nothing else is known any more.
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

    /// Whether a person wrote it: no bot, no webhook, no system message.
    pub fn is_by_a_person(&self) -> bool {
        !self.author.bot
            && !self.author.system
            && self.webhook_id.is_none()
            && WRITTEN_BY_PEOPLE.contains(&self.kind)
    }
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::MessageCreate;

    fn message(fields: &str, author: &str) -> MessageCreate {
        let text = format!(
            r#"{{"t":"MESSAGE_CREATE","s":3,"op":0,"d":{{"content":"a \"quote\" and \u00e4","id":"1300000000000000001","channel_id":"400000000000000000",
            "author":{{"username":"n","id":"200000000000000000"{author}}}{fields}}}}}"#
        );
        MessageCreate::parse(&text).expect("a valid payload")
    }

    #[test]
    fn a_person_in_a_guild() {
        let message = message(r#","guild_id":"100000000000000000","type":0"#, "");
        assert_eq!(message.guild_id.map(Id::get), Some(100_000_000_000_000_000));
        assert_eq!(message.author.id.get(), 200_000_000_000_000_000);
        assert_eq!(message.channel_id.get(), 400_000_000_000_000_000);
        assert!(message.is_by_a_person());
    }

    #[test]
    fn replies_are_written_by_people_and_system_messages_are_not() {
        assert!(message(r#","type":19"#, "").is_by_a_person());
        for kind in [7, 8, 18, 20, 21, 23, 24, 46] {
            assert!(
                !message(&format!(r#","type":{kind}"#), "").is_by_a_person(),
                "type {kind}"
            );
        }
    }

    #[test]
    fn bots_webhooks_and_discord_itself_are_no_people() {
        assert!(!message(r#","type":0"#, r#","bot":true"#).is_by_a_person());
        assert!(!message(r#","type":0"#, r#","system":true"#).is_by_a_person());
        assert!(!message(r#","type":0,"webhook_id":"300000000000000000""#, "").is_by_a_person());
        assert!(message(r#","type":0,"webhook_id":null"#, r#","bot":false"#).is_by_a_person());
    }

    #[test]
    fn an_error_does_not_quote_the_payload() {
        let error = MessageCreate::parse(r#"{"d":{"content":"secret","id":"x"}}"#).expect_err("no snowflake");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
