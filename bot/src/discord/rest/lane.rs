//! One bucket's requests, in their order.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::{Priority, limits::Standing};

/// Which lane a request goes by: its bucket, or what stands for it before Discord has told the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct LaneKey {
    /// The bucket's name, or the route's template.
    pub(super) group: u64,
    /// The channel, guild, webhook or interaction; 0 where there is none, or where all go by one lane.
    pub(super) major: u64,
    /// Whether the bot's own limits are not for it.
    pub(super) exempt: bool,
}

/// One request at a time is under way in a lane. So a channel's messages stay in order, and the standing that an answer tells is
/// the one that the next request meets.
#[derive(Debug)]
pub(super) struct Lane {
    waiting: [VecDeque<u64>; Priority::COUNT],
    /// Whether a request is under way.
    pub(super) busy: bool,
    /// In which ready lists it stands, a bit a priority.
    pub(super) listed: u8,
    /// Since when its next request could have gone but for the whole bot's limit.
    pub(super) ready_at: Instant,
    /// How many more Discord takes before `reset_at`; `None`: it has not said.
    remaining: Option<u32>,
    reset_at: Instant,
    blocked_until: Instant,
}

impl Lane {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            waiting: Default::default(),
            busy: false,
            listed: 0,
            ready_at: now,
            remaining: None,
            reset_at: now,
            blocked_until: now,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }

    /// The highest priority that waits.
    pub(super) fn top(&self) -> Option<Priority> {
        Priority::ALL
            .into_iter()
            .find(|priority| !self.waiting[*priority as usize].is_empty())
    }

    pub(super) fn push(&mut self, priority: Priority, number: u64) {
        self.waiting[priority as usize].push_back(number);
    }

    /// In front of the others of its priority: it was their front before.
    pub(super) fn push_first(&mut self, priority: Priority, number: u64) {
        self.waiting[priority as usize].push_front(number);
    }

    pub(super) fn pop(&mut self, priority: Priority) -> Option<u64> {
        self.waiting[priority as usize].pop_front()
    }

    pub(super) fn remove(&mut self, priority: Priority, number: u64) {
        self.waiting[priority as usize].retain(|waiting| *waiting != number);
    }

    /// Empty it: all that wait, the most urgent first, each priority in its order.
    pub(super) fn drain(&mut self) -> Vec<u64> {
        self.waiting
            .iter_mut()
            .flat_map(|queue| queue.drain(..))
            .collect()
    }

    /// The same of one priority alone.
    pub(super) fn drain_of(&mut self, priority: Priority) -> Vec<u64> {
        self.waiting[priority as usize].drain(..).collect()
    }

    /// A request is sent: Discord will count it, whether or not an answer says so.
    pub(super) fn spend(&mut self, now: Instant) {
        self.busy = true;
        self.remaining = match self.remaining {
            Some(remaining) if now < self.reset_at => Some(remaining.saturating_sub(1)),
            _ => None,
        };
    }

    /// An answer told the standing.
    pub(super) fn stand(&mut self, standing: &Standing, now: Instant) {
        self.remaining = Some(standing.remaining);
        self.reset_at = now + standing.reset_after;
    }

    /// A 429 told to wait.
    pub(super) fn block(&mut self, until: Instant) {
        self.blocked_until = self.blocked_until.max(until);
    }

    /// When the next request may be sent, as far as the bucket goes.
    pub(super) fn opens_at(&self) -> Instant {
        if self.remaining == Some(0) {
            self.blocked_until.max(self.reset_at)
        } else {
            self.blocked_until
        }
    }

    /// From when on nothing of what it knows matters any more.
    pub(super) fn forgettable_at(&self) -> Instant {
        self.blocked_until.max(self.reset_at)
    }
}
