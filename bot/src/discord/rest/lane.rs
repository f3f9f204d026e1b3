//! The queue of one bucket.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::{Priority, limits::Standing};

/// The key of a request's lane: its bucket, or a substitute as long as Discord has not sent the bucket's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct LaneKey {
    /// The name of the bucket, or the template of the route.
    pub(super) group: u64,
    /// The channel, guild, webhook or interaction; 0 without one, or if all of them share a lane.
    pub(super) major: u64,
    /// Whether the bot's global limits do not apply.
    pub(super) exempt: bool,
}

/// A lane has one request in progress at a time. So the messages of a channel stay in order, and the limits in a response are up to date
/// for the next request.
#[derive(Debug)]
pub(super) struct Lane {
    waiting: [VecDeque<u64>; Priority::COUNT],
    /// Whether a request is in progress.
    pub(super) busy: bool,
    /// The ready lists that contain the lane, one bit per priority.
    pub(super) listed: u8,
    /// When the next request became ready, apart from the global limit.
    pub(super) ready_at: Instant,
    /// The number of requests that Discord still accepts before `reset_at`; `None` if it is unknown.
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

    /// The highest priority of the waiting requests.
    pub(super) fn top(&self) -> Option<Priority> {
        Priority::ALL
            .into_iter()
            .find(|priority| !self.waiting[*priority as usize].is_empty())
    }

    pub(super) fn push(&mut self, priority: Priority, number: u64) {
        self.waiting[priority as usize].push_back(number);
    }

    /// Add a request in front of those with the same priority, where it was before.
    pub(super) fn push_first(&mut self, priority: Priority, number: u64) {
        self.waiting[priority as usize].push_front(number);
    }

    pub(super) fn pop(&mut self, priority: Priority) -> Option<u64> {
        self.waiting[priority as usize].pop_front()
    }

    pub(super) fn remove(&mut self, priority: Priority, number: u64) {
        self.waiting[priority as usize].retain(|waiting| *waiting != number);
    }

    /// Remove all waiting requests. They are returned by priority, and in order within each.
    pub(super) fn drain(&mut self) -> Vec<u64> {
        self.waiting
            .iter_mut()
            .flat_map(|queue| queue.drain(..))
            .collect()
    }

    /// Remove the waiting requests of one priority.
    pub(super) fn drain_of(&mut self, priority: Priority) -> Vec<u64> {
        self.waiting[priority as usize].drain(..).collect()
    }

    /// Count a request that is sent: Discord will count it too, whether or not there is a response.
    pub(super) fn spend(&mut self, now: Instant) {
        self.busy = true;
        self.remaining = match self.remaining {
            Some(remaining) if now < self.reset_at => Some(remaining.saturating_sub(1)),
            _ => None,
        };
    }

    /// Apply the limits in a response.
    pub(super) fn stand(&mut self, standing: &Standing, now: Instant) {
        self.remaining = Some(standing.remaining);
        self.reset_at = now + standing.reset_after;
    }

    /// Apply a 429.
    pub(super) fn block(&mut self, until: Instant) {
        self.blocked_until = self.blocked_until.max(until);
    }

    /// When the bucket accepts the next request.
    pub(super) fn opens_at(&self) -> Instant {
        if self.remaining == Some(0) {
            self.blocked_until.max(self.reset_at)
        } else {
            self.blocked_until
        }
    }

    /// When the state no longer matters.
    pub(super) fn forgettable_at(&self) -> Instant {
        self.blocked_until.max(self.reset_at)
    }
}
