//! Which messages are to be deleted.

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use twilight_model::id::{
    Id,
    marker::{MessageMarker, UserMarker},
};

/// The memory that a pattern may take, in bytes. Matching takes linear time, whatever the pattern.
const PATTERN_SIZE: usize = 1 << 18;

/// Types of messages that Discord does not let anyone delete:
/// <https://docs.discord.com/developers/resources/message#message-object-message-types>.
const UNDELETABLE: [u64; 10] = [1, 2, 3, 4, 5, 14, 15, 16, 17, 21];

/// A message, as far as it is looked at. Unused fields are left out.
#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: Id<MessageMarker>,
    #[serde(rename = "type")]
    kind: u64,
    author: Author,
    #[serde(default)]
    webhook_id: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    pinned: bool,
    #[serde(flatten)]
    content: Content,
    /// What a forwarded message contains.
    #[serde(default, rename = "message_snapshots")]
    forwarded: Vec<Snapshot>,
}

#[derive(Debug, Deserialize)]
struct Author {
    id: Id<UserMarker>,
    #[serde(default)]
    bot: bool,
}

#[derive(Debug, Deserialize)]
struct Snapshot {
    message: Content,
}

#[derive(Debug, Deserialize)]
struct Content {
    #[serde(default, rename = "content")]
    text: String,
    #[serde(default)]
    attachments: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    embeds: Vec<serde::de::IgnoredAny>,
}

/// A filter. A message has to match all that is chosen.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command")]
pub(crate) struct Filter {
    /// Messages of this user.
    pub(crate) user: Option<Id<UserMarker>>,
    /// Messages of bots and webhooks.
    pub(crate) bots: bool,
    /// Messages with links.
    pub(crate) links: bool,
    /// Messages with invites to servers.
    pub(crate) invites: bool,
    /// Messages with files.
    pub(crate) attachments: bool,
    /// Messages with embeds.
    pub(crate) embeds: bool,
    /// Messages with this text, in lower case.
    pub(crate) contains: Option<String>,
    /// Messages that match this pattern.
    pub(crate) pattern: Option<Regex>,
    /// Whether pinned messages stay.
    pub(crate) keeps_pinned: bool,
}

impl Filter {
    /// Whether it takes the content of messages.
    pub(crate) fn reads_content(&self) -> bool {
        self.links
            || self.invites
            || self.attachments
            || self.embeds
            || self.contains.is_some()
            || self.pattern.is_some()
    }

    /// Whether a message is to be deleted.
    pub(crate) fn matches(&self, message: &Message) -> bool {
        let is_by_bot = message.author.bot || message.webhook_id.is_some();
        if UNDELETABLE.contains(&message.kind)
            || (message.pinned && self.keeps_pinned)
            || self.user.is_some_and(|user| user != message.author.id)
            || (self.bots && !is_by_bot)
        {
            return false;
        }
        let forwarded = message.forwarded.iter().map(|snapshot| &snapshot.message);
        let mut contents = std::iter::once(&message.content).chain(forwarded);
        contents.any(|content| self.matches_content(content))
    }

    fn matches_content(&self, content: &Content) -> bool {
        let text = content.text.to_lowercase();
        let is_invite = || {
            ["discord.gg/", "discord.com/invite/", "discordapp.com/invite/"]
                .iter()
                .any(|invite| text.contains(invite))
        };
        (!self.links || text.contains("http://") || text.contains("https://"))
            && (!self.invites || is_invite())
            && (!self.attachments || !content.attachments.is_empty())
            && (!self.embeds || !content.embeds.is_empty())
            && self.contains.as_ref().is_none_or(|wanted| text.contains(wanted))
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(&content.text))
    }
}

/// Parse a pattern; `None` for one that is invalid or too large.
pub(crate) fn pattern(text: &str) -> Option<Regex> {
    RegexBuilder::new(text)
        .case_insensitive(true)
        .size_limit(PATTERN_SIZE)
        .dfa_size_limit(PATTERN_SIZE)
        .build()
        .ok()
}

#[cfg(test)]
mod tests;
