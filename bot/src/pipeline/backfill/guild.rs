//! A guild that is read back: which channels are left, and which messages wait.

use std::collections::{BTreeMap, BTreeSet};

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, MessageMarker, UserMarker},
};

use crate::{discord::events::guild_create::Newest, features::levels::pending::MemberMessage};

/// A guild whose messages are held.
#[derive(Debug, Default)]
pub(super) struct Guild {
    /// Which channels have messages above this id, its `GUILD_CREATE` will tell.
    pub(super) awaits: Option<Id<MessageMarker>>,
    pub(super) channels: BTreeMap<Id<ChannelMarker>, Span>,
    pub(super) held: BTreeMap<Id<MessageMarker>, (Id<UserMarker>, MemberMessage)>,
    pub(super) being_read: bool,
    /// Held messages that were read and have not come from the gateway, which may still deliver them.
    pub(super) only_read: BTreeSet<Id<MessageMarker>>,
    /// Heartbeats that were answered since the guild was read.
    pub(super) heartbeats: u8,
    /// Messages that count because they were read, and are in no change yet.
    pub(super) read_back: u64,
}

/// The messages of a channel above `after`, up to and including `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Everything up to here counts already.
    pub after: Id<MessageMarker>,
    /// The newest message when the session began.
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

/// Channels with what is missed of them.
pub(super) type Spans = Vec<(Id<ChannelMarker>, Span)>;

impl Guild {
    /// It is known where the newest messages are. Returns what is to be read anew or further, and what cannot be.
    pub(super) fn plan(&mut self, after: Id<MessageMarker>, newest: Vec<Newest>) -> (Spans, Spans) {
        let (mut channels, mut unread) = (Vec::new(), Vec::new());
        for newest in newest {
            let until = newest.message_id;
            let span = match self.channels.get(&newest.channel_id) {
                // From an earlier gap, and not done: what came between the two gaps is held, and read as well.
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

    /// The channels that are not read to their end.
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

    /// Count messages that were read, and those that are held up to `through`, in the order of their ids and each once. Returns how
    /// many were read.
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

    /// Count what is held as long as `is_due`. Returns how many of these were only read.
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

    /// The gateway will deliver nothing any more of what was read.
    pub(super) fn settle(&mut self) -> Option<Id<MessageMarker>> {
        let newest = self.only_read.last().copied();
        self.read_back += std::mem::take(&mut self.only_read).len() as u64;
        newest
    }

    /// Leave out what was only read. Returns the last such message of each channel.
    pub(super) fn discard(&mut self) -> BTreeMap<Id<ChannelMarker>, Id<MessageMarker>> {
        let mut discarded = BTreeMap::new();
        for id in std::mem::take(&mut self.only_read) {
            if let Some((_, change)) = self.held.remove(&id) {
                discarded.insert(change.channel_id, id);
            }
        }
        discarded
    }

    /// All channels are read up to `through`. Returns how many are read to their end by it.
    pub(super) fn move_on(&mut self, through: Id<MessageMarker>) -> u64 {
        let mut ended = 0;
        for span in self.channels.values_mut().filter(|span| !span.is_read()) {
            span.after = span.after.max(through.min(span.until));
            ended += u64::from(span.is_read());
        }
        ended
    }
}
