//! A guild with a backfill: the channels that remain to be read, and the held messages.

use std::collections::{BTreeMap, BTreeSet};

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, MessageMarker, UserMarker},
};

use crate::{discord::events::guild_create::Newest, features::levels::pending::MemberMessage};

/// A guild whose messages are held.
#[derive(Debug, Default)]
pub(super) struct Guild {
    /// The guild's `GUILD_CREATE`, which is still expected, shows which channels have messages after this ID.
    pub(super) awaits: Option<Id<MessageMarker>>,
    pub(super) channels: BTreeMap<Id<ChannelMarker>, Span>,
    pub(super) held: BTreeMap<Id<MessageMarker>, (Id<UserMarker>, MemberMessage)>,
    pub(super) being_read: bool,
    /// Held messages that were read and have not arrived from the gateway, which may still deliver them.
    pub(super) only_read: BTreeSet<Id<MessageMarker>>,
    /// The number of acknowledged heartbeats since the guild was read.
    pub(super) heartbeats: u8,
    /// The number of messages that were counted because they were read, and are not in a change yet.
    pub(super) read_back: u64,
}

/// The messages of a channel after `after`, up to and including `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Everything up to this message is counted.
    pub after: Id<MessageMarker>,
    /// The newest message when the session started.
    pub until: Id<MessageMarker>,
}

impl Span {
    pub(super) fn is_read(&self) -> bool {
        self.after >= self.until
    }
}

/// What to read of a guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The guild.
    pub guild_id: Id<GuildMarker>,
    /// Its channels.
    pub channels: Vec<(Id<ChannelMarker>, Span)>,
}

/// Channels with their missed messages.
pub(super) type Spans = Vec<(Id<ChannelMarker>, Span)>;

impl Guild {
    /// The newest messages of channels are known. Returns what has to be read, and what cannot be read.
    pub(super) fn plan(&mut self, after: Id<MessageMarker>, newest: Vec<Newest>) -> (Spans, Spans) {
        let (mut channels, mut unread) = (Vec::new(), Vec::new());
        for newest in newest {
            let until = newest.message_id;
            let span = match self.channels.get(&newest.channel_id) {
                // The span of an earlier gap that is not completely read: the messages between the two gaps are held, and read as well.
                Some(span) if !span.is_read() => Span {
                    after: span.after,
                    until: until.max(span.until),
                },
                _ => Span { after, until },
            };
            if newest.has_history {
                self.channels.insert(newest.channel_id, span);
                channels.push((newest.channel_id, span));
            } else {
                self.channels.remove(&newest.channel_id);
                unread.push((newest.channel_id, span));
            }
        }
        (channels, unread)
    }

    /// The channels that are not completely read.
    pub(super) fn to_read(&self) -> Spans {
        self.channels
            .iter()
            .filter(|(_, span)| !span.is_read())
            .map(|(channel, span)| (*channel, *span))
            .collect()
    }

    pub(super) fn has_unread(&self) -> bool {
        self.channels.values().any(|span| !span.is_read())
    }

    /// Count the messages that were read and those that are held up to `through`, ordered by ID and each once. Returns the number of those
    /// that were read.
    pub(super) fn unite(
        &mut self,
        through: Id<MessageMarker>,
        messages: impl Iterator<Item = (Id<MessageMarker>, Id<UserMarker>, MemberMessage)>,
        count: &mut impl FnMut(Id<UserMarker>, MemberMessage),
    ) -> u64 {
        let mut read = 0;
        for (id, user, change) in messages {
            read += self.count_held(|held| held < id, count);
            self.held.remove(&id);
            self.only_read.remove(&id);
            count(user, change);
            read += 1;
        }
        read + self.count_held(|held| held <= through, count)
    }

    /// Count held messages as long as `is_due` returns true. Returns the number of those that were only read.
    pub(super) fn count_held(
        &mut self,
        is_due: impl Fn(Id<MessageMarker>) -> bool,
        count: &mut impl FnMut(Id<UserMarker>, MemberMessage),
    ) -> u64 {
        let mut only_read = 0;
        while let Some(earlier) = self.held.first_entry().filter(|held| is_due(*held.key())) {
            only_read += u64::from(self.only_read.remove(earlier.key()));
            let (user, change) = earlier.remove();
            count(user, change);
        }
        only_read
    }

    /// The gateway delivers none of the messages that were read any more.
    pub(super) fn settle(&mut self) -> Option<Id<MessageMarker>> {
        let newest = self.only_read.last().copied();
        self.read_back += std::mem::take(&mut self.only_read).len() as u64;
        newest
    }

    /// Drop the messages that were only read. Returns the last such message of each channel.
    pub(super) fn discard(&mut self) -> BTreeMap<Id<ChannelMarker>, Id<MessageMarker>> {
        let mut discarded = BTreeMap::new();
        for id in std::mem::take(&mut self.only_read) {
            if let Some((_, change)) = self.held.remove(&id) {
                discarded.insert(change.channel_id, id);
            }
        }
        discarded
    }

    /// All channels are read up to `through`. Returns the number of channels that are now completely read.
    pub(super) fn move_on(&mut self, through: Id<MessageMarker>) -> u64 {
        let mut ended = 0;
        for span in self.channels.values_mut().filter(|span| !span.is_read()) {
            span.after = span.after.max(through.min(span.until));
            ended += u64::from(span.is_read());
        }
        ended
    }
}
