//! What a flush commits of reading back, in the order in which it happened.

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, MessageMarker, UserMarker},
};

use super::Span;

/// A change of what is to be read back and of what waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new session has this guild, and nobody knows yet what it missed above `after`.
    Await {
        /// The guild.
        guild_id: Id<GuildMarker>,
        /// The newest message that was seen.
        after: Id<MessageMarker>,
    },
    /// It is known: these channels.
    Planned {
        /// The guild.
        guild_id: Id<GuildMarker>,
        /// The channels that are new or reach further.
        channels: Vec<(Id<ChannelMarker>, Span)>,
    },
    /// Messages came that have to wait.
    Held(Vec<HeldMessage>),
    /// Channels have messages above the last one that was known, which were read: they are to be read up to there.
    Further {
        /// The guild.
        guild_id: Id<GuildMarker>,
        /// The channels.
        channels: Vec<(Id<ChannelMarker>, Id<MessageMarker>)>,
    },
    /// All channels of the guild are read up to an id, and what was held up to there has counted too.
    Read {
        /// The guild.
        guild_id: Id<GuildMarker>,
        /// Up to this message.
        through: Id<MessageMarker>,
        /// Messages that counted because they were read.
        read_back: u64,
    },
    /// A channel is not read on.
    Unread {
        /// The guild.
        guild_id: Id<GuildMarker>,
        /// The channel; `None` for a guild of which it was never known.
        channel_id: Option<Id<ChannelMarker>>,
        /// What is left of it.
        span: Span,
        /// The reason why it was not read.
        why: Unread,
    },
    /// The guild is done: the last of what was held has counted.
    Ended {
        /// The guild.
        guild_id: Id<GuildMarker>,
        /// The newest message that was held to the end.
        through: Option<Id<MessageMarker>>,
    },
}

impl Change {
    /// Rows that it writes or removes, roughly.
    pub(super) const fn rows(&self) -> usize {
        match self {
            Self::Held(messages) => messages.len(),
            Self::Planned { channels, .. } => channels.len() + 1,
            Self::Further { channels, .. } => channels.len(),
            Self::Await { .. } | Self::Read { .. } | Self::Unread { .. } | Self::Ended { .. } => 1,
        }
    }
}

/// A message that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldMessage {
    /// Its guild.
    pub guild_id: Id<GuildMarker>,
    /// Its id.
    pub id: Id<MessageMarker>,
    /// Where it was sent.
    pub channel_id: Id<ChannelMarker>,
    /// Who sent it.
    pub user_id: Id<UserMarker>,
    /// Whether it was read, and has not come from the gateway.
    pub only_read: bool,
}

/// Why a channel was not read back to its end: the values of a label, and of `gap_unread.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The bot sees the channel, and may not read what it was not there for.
    NoHistory,
    /// Discord refused it (403).
    NoAccess,
    /// It is not there any more (404).
    Gone,
    /// Discord refused it with another status.
    Refused,
    /// The answer could not be read.
    Unreadable,
    /// `levels.backfill_seconds` were over.
    Time,
    /// What waited for it filled `ledger.max_memory_mib`, so that the shard could not go on.
    Memory,
    /// The guild did not come back.
    Unavailable,
    /// `levels.backfill` was switched off meanwhile.
    Off,
}

impl Unread {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::NoHistory,
        Self::NoAccess,
        Self::Gone,
        Self::Refused,
        Self::Unreadable,
        Self::Time,
        Self::Memory,
        Self::Unavailable,
        Self::Off,
    ];

    /// As a label and in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoHistory => "no_history",
            Self::NoAccess => "no_access",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
            Self::Time => "time",
            Self::Memory => "memory",
            Self::Unavailable => "unavailable",
            Self::Off => "off",
        }
    }
}
