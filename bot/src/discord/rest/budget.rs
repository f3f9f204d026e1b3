//! This process's share of the global limit of requests per second.

use std::time::Duration;

use tokio::time::Instant;

use super::Priority;

const SECOND: Duration = Duration::from_secs(1);

/// A request occupies a slot from sending it until a second after its response. Discord counts it at some time in between, so all requests
/// that Discord counts in any period of a second occupied slots at the same time: there are never more than the limit. This lowers the rate
/// in proportion to the latency, and avoids every 429.
#[derive(Debug)]
pub(super) struct Budget {
    slots: usize,
    /// How long a slot is occupied after the response: more than a second if the share is less than one request per second.
    hold: Duration,
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    turn: u64,
    free_at: Instant,
}

impl Budget {
    /// A budget for the share `part` of `of` of this many requests per second.
    pub(super) fn new(per_second: u32, part: u32, of: u32) -> Self {
        let mut budget = Self {
            slots: 1,
            hold: SECOND,
            held: Vec::new(),
        };
        budget.share(per_second, part, of);
        budget
    }

    /// Change the share.
    pub(super) fn share(&mut self, per_second: u32, part: u32, of: u32) {
        let rate = f64::from(per_second) * f64::from(part) / f64::from(of.max(1));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and 10,000; a cast saturates"
        )]
        let slots = rate.floor().max(1.0) as usize;
        self.slots = slots;
        // Without a share, one request per hour is allowed, which avoids a division by 0.
        self.hold = SECOND.max(SECOND.div_f64(rate.max(1.0 / 3_600.0)));
    }

    /// Whether a request with this priority may be sent. A tenth of the slots is not available to effects, and half of them are not
    /// available to background requests, so that a command finds a free slot immediately.
    pub(super) fn has_room(&mut self, priority: Priority, now: Instant) -> bool {
        self.held.retain(|held| held.free_at > now);
        let allowed = match priority {
            Priority::Interaction | Priority::Command => self.slots,
            Priority::Effect => self.slots - self.slots / 10,
            Priority::Background => self.slots.div_ceil(2),
        };
        self.held.len() < allowed
    }

    /// Occupy a slot for a request that is sent.
    pub(super) fn take(&mut self, turn: u64, now: Instant) {
        // If there is no response within this time, Discord has either counted the request or never will.
        let free_at = now + SECOND + self.hold;
        self.held.push(Held { turn, free_at });
    }

    /// A request has its response, or has failed.
    pub(super) fn answered(&mut self, turn: u64, now: Instant) {
        if let Some(held) = self.held.iter_mut().find(|held| held.turn == turn) {
            held.free_at = held.free_at.min(now + self.hold);
        }
    }

    /// The time when the next occupied slot becomes free.
    pub(super) fn next_free(&self) -> Option<Instant> {
        self.held.iter().map(|held| held.free_at).min()
    }
}

#[cfg(test)]
mod tests;
