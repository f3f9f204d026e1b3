//! The whole bot's limit of requests a second, as far as it is this process's.

use std::time::Duration;

use tokio::time::Instant;

use super::Priority;

const SECOND: Duration = Duration::from_secs(1);

/// A request holds a slot from its sending until a second after its answer. Discord counted it somewhere between the two, so
/// whichever second Discord looks at, the requests in it all held slots at once: there are never more than the limit. This costs
/// the latency's share of the rate, and no 429.
#[derive(Debug)]
pub(super) struct Budget {
    slots: usize,
    /// How long a slot is held after the answer: longer than a second when the share is less than a request a second.
    hold: Duration,
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    turn: u64,
    free_at: Instant,
}

impl Budget {
    /// `part` of `of` of so many requests a second.
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
        // A share of nothing is a request in an hour rather than a division by 0.
        self.hold = SECOND.max(SECOND.div_f64(rate.max(1.0 / 3_600.0)));
    }

    /// Whether a request of this priority may be sent. The last tenth is kept from effects and half from what runs in the
    /// background, so that a command finds room at once.
    pub(super) fn has_room(&mut self, priority: Priority, now: Instant) -> bool {
        self.held.retain(|held| held.free_at > now);
        let allowed = match priority {
            Priority::Interaction | Priority::Command => self.slots,
            Priority::Effect => self.slots - self.slots / 10,
            Priority::Background => self.slots.div_ceil(2),
        };
        self.held.len() < allowed
    }

    /// A request is sent.
    pub(super) fn take(&mut self, turn: u64, now: Instant) {
        // Without an answer for so long, Discord has counted it or never will.
        let free_at = now + SECOND + self.hold;
        self.held.push(Held { turn, free_at });
    }

    /// Its answer came, or it failed.
    pub(super) fn answered(&mut self, turn: u64, now: Instant) {
        if let Some(held) = self.held.iter_mut().find(|held| held.turn == turn) {
            held.free_at = held.free_at.min(now + self.hold);
        }
    }

    /// When the next slot is free that is not.
    pub(super) fn next_free(&self) -> Option<Instant> {
        self.held.iter().map(|held| held.free_at).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Budget;
    use crate::discord::rest::Priority;

    /// How many a priority gets at once.
    fn burst(budget: &mut Budget, priority: Priority, now: Instant) -> u64 {
        let mut taken = 0;
        while budget.has_room(priority, now) {
            budget.take(taken, now);
            taken += 1;
        }
        taken
    }

    #[test]
    fn a_slot_is_free_a_second_after_the_answer() {
        let mut budget = Budget::new(10, 1, 1);
        let now = Instant::now();
        let at = |ms: u64| now + Duration::from_millis(ms);
        assert_eq!(burst(&mut budget, Priority::Command, now), 10);
        budget.answered(3, at(200));
        assert_eq!(budget.next_free(), Some(at(1_200)));
        assert!(!budget.has_room(Priority::Command, at(1_199)));
        assert!(budget.has_room(Priority::Command, at(1_200)));
        // Those without an answer hold theirs for two seconds.
        assert_eq!(budget.next_free(), Some(at(2_000)));
    }

    #[test]
    fn effects_leave_room_for_commands() {
        let now = Instant::now();
        let mut budget = Budget::new(50, 1, 1);
        assert_eq!(burst(&mut budget, Priority::Background, now), 25);
        assert_eq!(burst(&mut budget, Priority::Effect, now), 20);
        assert_eq!(burst(&mut budget, Priority::Command, now), 5);
        for priority in [Priority::Background, Priority::Effect, Priority::Command] {
            assert_eq!(burst(&mut Budget::new(1, 1, 1), priority, now), 1);
        }
    }

    #[test]
    fn shares_below_one_a_second_are_longer_pauses() {
        let now = Instant::now();
        let mut budget = Budget::new(50, 1, 1);
        budget.share(50, 1, 4);
        assert_eq!(burst(&mut budget, Priority::Command, now), 12);
        let mut budget = Budget::new(50, 1, 100);
        assert_eq!(burst(&mut budget, Priority::Command, now), 1);
        budget.answered(0, now);
        assert_eq!(budget.next_free(), Some(now + Duration::from_secs(2)));
    }
}
