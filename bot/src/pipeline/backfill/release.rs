//! Releasing held messages: after their guild was read, partially while they wait, or when the backfill is abandoned.

use std::collections::BTreeSet;

use twilight_model::id::{
    Id,
    marker::{GuildMarker, MessageMarker, UserMarker},
};

use super::{Backfill, Change, Span, Unread};
use crate::features::levels::pending::MemberMessage;

impl Backfill {
    /// Whether guilds wait for [`Backfill::release`].
    pub fn has_releases(&self) -> bool {
        self.done.iter().any(|guild| self.is_settled(*guild))
    }

    /// Whether the gateway can no longer deliver messages that were read.
    fn is_settled(&self, guild: Id<GuildMarker>) -> bool {
        self.guilds
            .get(&guild)
            .is_none_or(|guild| guild.only_read.is_empty())
    }

    /// Everything earlier has been received: count the held messages of guilds that are read.
    pub fn release(&mut self, mut count: impl FnMut(Id<GuildMarker>, Id<UserMarker>, MemberMessage)) {
        let done = std::mem::take(&mut self.done);
        let (settled, rest) = done.into_iter().partition(|guild| self.is_settled(*guild));
        self.done = rest;
        let settled: BTreeSet<_> = settled;
        for guild_id in settled {
            self.end(guild_id, &mut count);
        }
    }

    /// Count the messages held so far in guilds that are read, and continue to hold new ones: earlier ones may not have been received yet.
    pub fn relieve(&mut self, mut count: impl FnMut(Id<GuildMarker>, Id<UserMarker>, MemberMessage)) {
        for guild_id in self.done.clone() {
            let Some(guild) = self.guilds.get_mut(&guild_id) else {
                continue;
            };
            // Messages that were only read are recognized by being held.
            let bound = guild.only_read.first().copied();
            let is_due = |id| bound.is_none_or(|bound| id < bound);
            let due = guild.held.keys().filter(|id| is_due(**id));
            let Some(through) = due.max().copied() else {
                continue;
            };
            let before = guild.held.len();
            guild.count_held(is_due, &mut |user, change| count(guild_id, user, change));
            self.held -= before - guild.held.len();
            let read_back = std::mem::take(&mut guild.read_back);
            self.counted(guild_id, through, read_back);
        }
    }

    /// Abandon what is not read, and count the held messages. The readers have already ended.
    pub fn give_up(
        &mut self,
        why: Unread,
        mut count: impl FnMut(Id<GuildMarker>, Id<UserMarker>, MemberMessage),
    ) {
        let mut guilds: Vec<_> = self.guilds.keys().copied().collect();
        // A fixed order, so that the same events give the same changes.
        guilds.sort_unstable();
        for guild_id in guilds {
            let Some(guild) = self.guilds.get_mut(&guild_id) else {
                continue;
            };
            // Waiting for a guild that is not available costs nothing, unless the backfill was switched off.
            let only_awaits = guild.awaits.is_some() && guild.channels.is_empty() && guild.held.is_empty();
            if only_awaits && why != Unread::Off {
                continue;
            }
            let awaits = if why == Unread::Off {
                None
            } else {
                guild.awaits.take()
            };
            let through = guild.held.keys().next_back().copied();
            let mut spans = std::mem::take(&mut guild.channels);
            spans.retain(|_, span| !span.is_read());
            // Otherwise these could be counted again when the gateway delivers them.
            let before = guild.held.len();
            for (channel, until) in guild.discard() {
                let span = Span { after: until, until };
                spans.entry(channel).or_insert(span);
            }
            self.held -= before - guild.held.len();
            for (channel, span) in spans {
                self.unread(guild_id, Some(channel), span, why);
            }
            self.give_up_waiting(guild_id, why);
            self.end_through(guild_id, through, &mut count);
            if let Some(after) = awaits {
                // The earlier gap is abandoned, and the later one has just started.
                self.guilds.entry(guild_id).or_default().awaits = Some(after);
                self.note(Change::Await { guild_id, after });
            }
        }
        self.done.clear();
        self.waiting.clear();
        self.readers = 0;
    }

    fn end(
        &mut self,
        guild_id: Id<GuildMarker>,
        count: &mut impl FnMut(Id<GuildMarker>, Id<UserMarker>, MemberMessage),
    ) {
        let held = self.guilds.get(&guild_id).map(|guild| &guild.held);
        let through = held.and_then(|held| held.keys().next_back().copied());
        self.end_through(guild_id, through, count);
    }

    fn end_through(
        &mut self,
        guild_id: Id<GuildMarker>,
        through: Option<Id<MessageMarker>>,
        count: &mut impl FnMut(Id<GuildMarker>, Id<UserMarker>, MemberMessage),
    ) {
        let Some(guild) = self.guilds.remove(&guild_id) else {
            return;
        };
        self.held -= guild.held.len();
        if let Some(through) = through.or(self.newest)
            && guild.read_back > 0
        {
            self.counted(guild_id, through, guild.read_back);
        }
        self.note(Change::Ended { guild_id, through });
        for (user, change) in guild.held.into_values() {
            count(guild_id, user, change);
        }
    }
}
