//! Events as they are kept: 32 bytes each, from which the JSON is rendered on demand.

use std::collections::VecDeque;

/// The guild of an event that happens in none.
pub(crate) const NO_GUILD: u32 = u32::MAX;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Kind {
    Ready,
    Resumed,
    GuildCreate,
    Human,
    Reply,
    Bot,
    Webhook,
    System,
    Direct,
    MessageUpdate,
    MessageDelete,
    Typing,
    MemberUpdate,
    Presence,
    ChannelUpdate,
    Reaction,
    /// Given from outside, as JSON.
    Raw,
}

impl Kind {
    pub(crate) const COUNT: usize = Self::Raw as usize + 1;

    /// All kinds that have a name of their own.
    pub(crate) const ALL: [Self; Self::COUNT - 1] = [
        Self::Ready,
        Self::Resumed,
        Self::GuildCreate,
        Self::Human,
        Self::Reply,
        Self::Bot,
        Self::Webhook,
        Self::System,
        Self::Direct,
        Self::MessageUpdate,
        Self::MessageDelete,
        Self::Typing,
        Self::MemberUpdate,
        Self::Presence,
        Self::ChannelUpdate,
        Self::Reaction,
    ];

    /// The name of the dispatched event; that of a raw one is kept beside its payload.
    pub(crate) const fn event_name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Resumed => "RESUMED",
            Self::GuildCreate => "GUILD_CREATE",
            Self::Human | Self::Reply | Self::Bot | Self::Webhook | Self::System | Self::Direct => {
                "MESSAGE_CREATE"
            }
            Self::MessageUpdate => "MESSAGE_UPDATE",
            Self::MessageDelete => "MESSAGE_DELETE",
            Self::Typing => "TYPING_START",
            Self::MemberUpdate => "GUILD_MEMBER_UPDATE",
            Self::Presence => "PRESENCE_UPDATE",
            Self::ChannelUpdate => "CHANNEL_UPDATE",
            Self::Reaction => "MESSAGE_REACTION_ADD",
            Self::Raw => "RAW",
        }
    }

    /// The intents of which a session needs one, or 0 where it needs none.
    pub(crate) const fn intents(self) -> u64 {
        match self {
            Self::Ready | Self::Resumed | Self::Raw => 0,
            Self::GuildCreate | Self::ChannelUpdate => 1,
            Self::Human
            | Self::Reply
            | Self::Bot
            | Self::Webhook
            | Self::System
            | Self::MessageUpdate
            | Self::MessageDelete => 1 << 9,
            Self::Direct => 1 << 12,
            Self::Typing => 1 << 11,
            Self::MemberUpdate => crate::config::INTENT_GUILD_MEMBERS,
            Self::Presence => crate::config::INTENT_GUILD_PRESENCES,
            Self::Reaction => 1 << 10,
        }
    }

    /// Whether the event is a new message in a guild.
    pub(crate) const fn is_guild_message(self) -> bool {
        matches!(
            self,
            Self::Human | Self::Reply | Self::Bot | Self::Webhook | Self::System
        )
    }
}

/// One event. What is not here follows from the world's seed and the id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// The message's id; for other events a snowflake of their time.
    pub(crate) id: u64,
    /// The message that a reply, an edit, a deletion or a reaction is about.
    pub(crate) reference: u64,
    /// Index of the guild in the world, or [`NO_GUILD`].
    pub(crate) guild: u32,
    /// Index of the member in the guild; of the bot, the user or the channel where the kind has one of those.
    pub(crate) member: u32,
    /// The author of the message that `reference` names.
    pub(crate) reference_member: u32,
    /// Index of the channel in the guild.
    pub(crate) channel: u16,
    pub(crate) kind: Kind,
}

impl Record {
    /// An event without a place.
    pub(crate) const fn bare(kind: Kind, id: u64) -> Self {
        Self {
            id,
            reference: 0,
            guild: NO_GUILD,
            member: 0,
            reference_member: 0,
            channel: 0,
            kind,
        }
    }
}

const CHUNK: usize = 1 << 14;

/// A list that only grows at the end and is forgotten from the front. Its elements lie in chunks, so that growing
/// to millions never copies what is there.
pub(crate) struct Log<T> {
    chunks: VecDeque<Vec<T>>,
    first_chunk: u64,
    len: u64,
}

impl<T: Copy> Log<T> {
    pub(crate) const fn new() -> Self {
        Self {
            chunks: VecDeque::new(),
            first_chunk: 0,
            len: 0,
        }
    }

    /// The index after the last element; elements keep their index for ever.
    pub(crate) const fn end(&self) -> u64 {
        self.len
    }

    /// The index of the first element that is still there.
    pub(crate) const fn start(&self) -> u64 {
        let start = self.first_chunk * CHUNK as u64;
        if start < self.len { start } else { self.len }
    }

    /// Adds an element and returns its index.
    pub(crate) fn push(&mut self, element: T) -> u64 {
        match self.chunks.back_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(element),
            _ => {
                // A short list must not cost a whole chunk: the first one grows as vectors do.
                let mut chunk = Vec::with_capacity(if self.chunks.is_empty() { 16 } else { CHUNK });
                chunk.push(element);
                self.chunks.push_back(chunk);
            }
        }
        self.len += 1;
        self.len - 1
    }

    pub(crate) fn get(&self, index: u64) -> Option<T> {
        let chunk = (index / CHUNK as u64).checked_sub(self.first_chunk)?;
        let offset = usize::try_from(index % CHUNK as u64).ok()?;
        self.chunks
            .get(usize::try_from(chunk).ok()?)?
            .get(offset)
            .copied()
    }

    /// Forgets whole chunks below an index.
    pub(crate) fn forget_below(&mut self, index: u64) {
        while (self.first_chunk + 1) * CHUNK as u64 <= index && self.chunks.pop_front().is_some() {
            self.first_chunk += 1;
        }
    }

    /// The elements from an index on, or from the first that is left, each with its index.
    pub(crate) fn iter_from(&self, index: u64) -> impl Iterator<Item = (u64, T)> + '_ {
        let from = index.max(self.start());
        (from..self.len).filter_map(|at| self.get(at).map(|element| (at, element)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_stays_small() {
        assert!(size_of::<Record>() <= 32);
    }

    #[test]
    fn a_log_keeps_its_indexes_when_its_front_goes() {
        let mut log = Log::new();
        let chunk = CHUNK as u64;
        for value in 0..chunk * 3 + 5 {
            assert_eq!(log.push(value), value);
        }
        log.forget_below(chunk * 2 - 1);
        assert_eq!(log.start(), chunk);
        assert_eq!(log.get(chunk - 1), None);
        assert_eq!(log.get(chunk), Some(chunk));
        assert_eq!(log.get(chunk * 3 + 4), Some(chunk * 3 + 4));
        assert_eq!(log.get(chunk * 3 + 5), None);
        assert_eq!(log.iter_from(0).count() as u64, chunk * 2 + 5);
    }
}
