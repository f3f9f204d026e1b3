use std::time::Duration;

use tokio::time::Instant;

use super::{Advice, Heartbeats};

const INTERVAL: Duration = Duration::from_millis(41_250);

#[tokio::test(start_paused = true)]
async fn it_flushes_then_holds_then_lets_the_heartbeat_go() {
    let start = Instant::now();
    let mut beats = Heartbeats::default();
    assert_eq!(beats.advice(start, false), Advice::Read(None));
    beats.hello(start, INTERVAL, Duration::from_secs(10));
    beats.flushed(Duration::from_millis(20));
    let due = start + Duration::from_secs(10);
    assert!(matches!(beats.advice(start, false), Advice::Read(Some(at)) if at < due));
    assert!(!beats.are_near(due - Duration::from_secs(1)));
    assert!(beats.are_near(due - Duration::from_millis(5)));
    assert!(matches!(
        beats.advice(due - Duration::from_millis(30), false),
        Advice::Flush(_)
    ));
    assert!(matches!(
        beats.advice(due - Duration::from_millis(5), false),
        Advice::Hold(_)
    ));
    // Everything is committed, but the time has not come: reading now would put the next event's sequence into the heartbeat.
    assert!(matches!(beats.advice(due - Duration::from_millis(1), true), Advice::Hold(at) if at > due));
    let after = due + Duration::from_millis(3);
    // The time has passed, but no timer has fired yet, so twilight's may not have either.
    assert!(matches!(beats.advice(after, true), Advice::Hold(_)));
    beats.waited();
    assert_eq!(beats.advice(after, true), Advice::Read(None));
    assert!(beats.held(after).is_some());
    // There is one pause per heartbeat, however often this is asked before the heartbeat was sent.
    assert_eq!(beats.advice(after, false), Advice::Read(None));
    assert_eq!(beats.held(after), None);
    assert!(!beats.are_near(after));
    beats.sent(after);
    assert!(matches!(beats.advice(after, false), Advice::Read(Some(_))));
}

#[tokio::test(start_paused = true)]
async fn a_slow_database_delays_a_heartbeat_by_four_seconds_at_most() {
    let start = Instant::now();
    let mut beats = Heartbeats::default();
    beats.hello(start, INTERVAL, Duration::from_secs(1));
    let due = start + Duration::from_secs(1);
    assert!(matches!(beats.advice(due, false), Advice::Hold(_)));
    beats.waited();
    assert!(matches!(
        beats.advice(due + Duration::from_millis(3_999), false),
        Advice::Hold(_)
    ));
    assert_eq!(
        beats.advice(due + Duration::from_secs(4), false),
        Advice::Read(None)
    );
}

#[tokio::test(start_paused = true)]
async fn a_requested_heartbeat_waits_for_the_flush() {
    let start = Instant::now();
    let mut beats = Heartbeats::default();
    beats.hello(start, INTERVAL, INTERVAL);
    beats.requested(start);
    assert!(matches!(beats.advice(start, false), Advice::Hold(_)));
    beats.waited();
    assert_eq!(
        beats.advice(start + Duration::from_millis(3), true),
        Advice::Read(None)
    );
}

#[tokio::test(start_paused = true)]
async fn short_intervals_leave_time_to_read() {
    let start = Instant::now();
    let interval = Duration::from_millis(300);
    let mut beats = Heartbeats::default();
    beats.hello(start, interval, interval);
    beats.flushed(Duration::from_secs(4));
    assert!(matches!(
        beats.advice(start + Duration::from_millis(140), false),
        Advice::Read(_)
    ));
}
