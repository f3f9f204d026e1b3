use std::time::Duration;

use tokio::time::Instant;

use super::Budget;
use crate::discord::rest::Priority;

/// The number of requests of a priority that are sent immediately.
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
    // Requests without a response keep their slots for two seconds.
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
