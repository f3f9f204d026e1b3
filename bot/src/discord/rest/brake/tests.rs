use std::time::Duration;

use tokio::time::Instant;

use super::{Brake, WINDOW};

#[test]
fn it_holds_at_the_limit_and_lets_go_with_the_window() {
    let mut brake = Brake::new(100, 1, 1);
    let start = Instant::now();
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    for second in 0..99 {
        brake.count(at(second));
        assert_eq!(brake.holds_until(at(second)), None);
    }
    brake.count(at(99));
    // It is released when 10 of 100 have left the window, and the tenth was counted at 9 s.
    let until = brake.holds_until(at(99)).expect("it holds");
    assert_eq!(until, at(9) + WINDOW);
    assert_eq!(brake.holds_until(until - Duration::from_millis(1)), Some(until));
    assert_eq!(brake.holds_until(until), None);
    assert_eq!((brake.invalid(), brake.holds()), (90, false));
}

#[test]
fn a_share_holds_earlier() {
    let mut brake = Brake::new(5_000, 1, 50);
    let now = Instant::now();
    for _ in 0..99 {
        brake.count(now);
    }
    assert_eq!(brake.holds_until(now), None);
    brake.count(now);
    assert_eq!(brake.holds_until(now), Some(now + WINDOW));
    assert_eq!(brake.holds_until(now + WINDOW), None);
    assert_eq!(brake.invalid(), 0);
}

#[test]
fn it_remembers_no_more_than_it_must() {
    let mut brake = Brake::new(5_000, 1, 1);
    let now = Instant::now();
    for _ in 0..20_000 {
        brake.count(now);
    }
    assert_eq!(brake.invalid(), 10_000);
}
