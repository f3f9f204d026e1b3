//! A guild that is read back: which channels are left, and which messages wait.

use std::collections::BTreeMap;

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, MessageMarker, UserMarker},
};

use crate::{events::guild_create::Newest, ledger::member_xp::MemberMessage};

/// A guild whose messages are held.
#[derive(Debug, Default)]
pub(super) struct Guild {
    /// Which channels have messages above this id, its `GUILD_CREATE` will tell.
    pub(super) awaits: Option<Id<MessageMarker>>,
    pub(super) channels: BTreeMap<Id<ChannelMarker>, Span>,
    pub(super) held: BTreeMap<Id<MessageMarker>, (Id<UserMarker>, MemberMessage)>,
    pub(super) being_read: bool,
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
            while let Some(earlier) = self.held.first_entry().filter(|held| *held.key() < id) {
                let (user, change) = earlier.remove();
                count(user, change);
            }
            self.held.remove(&id);
            count(user, change);
            read += 1;
        }
        while let Some(earlier) = self.held.first_entry().filter(|held| *held.key() <= through) {
            let (user, change) = earlier.remove();
            count(user, change);
        }
        read
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
