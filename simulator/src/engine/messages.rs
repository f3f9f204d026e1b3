//! The messages of the channels: an index into the history, so that no request reads all of it.

use std::collections::VecDeque;

use super::Engine;
use crate::{
    record::{Kind, Log, Record},
    world::World,
};

/// Where in the history each channel's messages are, oldest first.
pub(super) struct ChannelIndex(Vec<Vec<VecDeque<u64>>>);

impl ChannelIndex {
    pub(super) fn new(world: &World) -> Self {
        let channels = |guild: &crate::world::Guild| vec![VecDeque::new(); guild.channels().len()];
        Self(world.guilds().iter().map(channels).collect())
    }

    pub(super) fn add(&mut self, record: &Record, index: u64) {
        self.0[record.guild as usize][usize::from(record.channel)].push_back(index);
    }

    /// Forgets what the history no longer has.
    pub(super) fn trim(&mut self, history_start: u64) {
        for channel in self.0.iter_mut().flatten() {
            let gone = channel.partition_point(|&index| index < history_start);
            channel.drain(..gone);
        }
    }

    fn of(&self, guild: u32, channel: u16) -> &VecDeque<u64> {
        &self.0[guild as usize][usize::from(channel)]
    }

    /// The newest message below an id in each channel of a guild, without the last ones; 0 where there is none.
    pub(super) fn newest_below(
        &self,
        history: &Log<Record>,
        guild: u32,
        id: u64,
        without: usize,
    ) -> Box<[u64]> {
        let newest = |channel: &VecDeque<u64>| {
            let end = position(channel, history, id.saturating_sub(1));
            let index = channel.get(end.checked_sub(1 + without)?)?;
            history.get(*index).map(|record| record.id)
        };
        self.0[guild as usize]
            .iter()
            .map(|channel| newest(channel).unwrap_or(0))
            .collect()
    }
}

/// How many messages of a channel are not above an id.
fn position(channel: &VecDeque<u64>, history: &Log<Record>, id: u64) -> usize {
    // A channel's messages lie in the order of their ids.
    channel.partition_point(|&index| history.get(index).is_none_or(|record| record.id <= id))
}

/// Which messages are wanted.
#[derive(Clone, Copy)]
pub(crate) struct MessageRange {
    pub(crate) after: u64,
    pub(crate) before: u64,
    pub(crate) limit: usize,
    /// Whether the oldest of the range are wanted and not the newest.
    pub(crate) oldest: bool,
}

/// Where messages are looked for.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Guild { guild: u32, channel: u16 },
    Direct { person: u64 },
}

impl Engine {
    /// Messages of a channel between two ids, both exclusive, as places in the history in their order: the newest `limit` of
    /// them, or the oldest.
    pub(crate) fn channel_messages(&self, range: MessageRange, place: Place) -> Vec<u64> {
        match place {
            Place::Guild { guild, channel } => {
                let channel = self.channels.of(guild, channel);
                let first = position(channel, &self.history, range.after);
                let end = position(channel, &self.history, range.before.saturating_sub(1)).max(first);
                let (from, to) = if range.oldest {
                    (first, end.min(first + range.limit))
                } else {
                    (first.max(end.saturating_sub(range.limit)), end)
                };
                channel.range(from..to).copied().collect()
            }
            Place::Direct { person } => self.direct_messages(range, person),
        }
    }

    /// There are few of them, and they are not read back: the history itself is searched.
    fn direct_messages(&self, range: MessageRange, person: u64) -> Vec<u64> {
        // Events lie in the order of their ids, so the range is a stretch of the history.
        let first = self.first_index_after(range.after);
        let end = self.first_index_after(range.before.saturating_sub(1));
        let matches = |index: &u64| {
            self.history
                .get(*index)
                .is_some_and(|record| record.kind == Kind::Direct && u64::from(record.member) == person)
        };
        if range.oldest {
            (first..end).filter(matches).take(range.limit).collect()
        } else {
            let mut found: Vec<u64> = (first..end).rev().filter(matches).take(range.limit).collect();
            found.reverse();
            found
        }
    }

    fn first_index_after(&self, id: u64) -> u64 {
        let (mut low, mut high) = (self.history.start(), self.history.end());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.history.get(middle).is_some_and(|record| record.id > id) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}
