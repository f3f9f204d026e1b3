//! The changes of a backfill that a flush commits, in the order in which they happened.

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, MessageMarker, UserMarker},
};

use super::Span;

/// A change of what has to be read, or of what is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new session has this guild, and it is not yet known what it missed after `after`.
    Await {
        /// The guild.
        guild_id: Id<GuildMarker>,
        /// The newest message that was seen.
        after: Id<MessageMarker>,
    },
    /// The channels that missed messages are known.
    Planned {
        /// The guild.
        guild_id: Id<GuildMarker>,
        /// The channels that are new or have to be read further.
        channels: Vec<(Id<ChannelMarker>, Span)>,
    },
    /// Messages that have to wait.
    Held(Vec<HeldMessage>),
    /// Messages after the last known one of channels were read, up to which these channels now have to be read.
    Further {
        /// The guild.
        guild_id: Id<GuildMarker>,
        /// The channels.
        channels: Vec<(Id<ChannelMarker>, Id<MessageMarker>)>,
    },
    /// All channels of the guild are read up to an ID, and held messages up to it have been counted.
    Read {
        /// The guild.
        guild_id: Id<GuildMarker>,
        /// The last message.
        through: Id<MessageMarker>,
        /// The number of messages that were counted because they were read.
        read_back: u64,
    },
    /// The rest of a channel is not read.
    Unread {
        /// The guild.
        guild_id: Id<GuildMarker>,
        /// The channel; `None` if it was never known.
        channel_id: Option<Id<ChannelMarker>>,
        /// The part that was not read.
        span: Span,
        /// The reason why it was not read.
        why: Unread,
    },
    /// The guild is done: the last held message has been counted.
    Ended {
        /// The guild.
        guild_id: Id<GuildMarker>,
        /// The last held message.
        through: Option<Id<MessageMarker>>,
    },
}

impl Change {
    /// The approximate number of rows that it writes or deletes.
    pub(super) const fn rows(&self) -> usize {
        match self {
            Self::Held(messages) => messages.len(),
            Self::Planned { channels, .. } => channels.len() + 1,
            Self::Further { channels, .. } => channels.len(),
            Self::Await { .. } | Self::Read { .. } | Self::Unread { .. } | Self::Ended { .. } => 1,
        }
    }
}

/// A held message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldMessage {
    /// Its guild.
    pub guild_id: Id<GuildMarker>,
    /// Its ID.
    pub id: Id<MessageMarker>,
    /// The channel.
    pub channel_id: Id<ChannelMarker>,
    /// The author.
    pub user_id: Id<UserMarker>,
    /// Whether it was read and has not arrived from the gateway.
    pub only_read: bool,
}

/// Why a channel was not read completely: the values of a label, and of `gap_unread.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The bot can see the channel, but may not read its history.
    NoHistory,
    /// Discord refused the request (403).
    NoAccess,
    /// The channel no longer exists (404).
    Gone,
    /// Discord refused the request with another status.
    Refused,
    /// The response could not be read.
    Unreadable,
    /// The time limit `levels.backfill_seconds` was reached.
    Time,
    /// The messages that waited for it filled `ledger.max_memory_mib`, so that the shard could not continue.
    Memory,
    /// The guild did not become available.
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

    /// The value of the label and the table.
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
