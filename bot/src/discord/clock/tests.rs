use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::{Bounds, Clock, MAX_AGE};
use crate::support::clock::host_time;

fn corrected_by(clock: &Clock) -> i64 {
    let now = host_time();
    let difference = match clock.now().duration_since(now) {
        Ok(ahead) => i64::try_from(ahead.as_millis()).expect("small"),
        Err(error) => -i64::try_from(error.duration().as_millis()).expect("small"),
    };
    // The host's clock is read twice, at slightly different times.
    (difference + 50).div_euclid(100) * 100
}

/// A response of a server whose clock is ahead by this many milliseconds.
fn respond(clock: &Clock, ahead_ms: i64, took: Duration) {
    let sent = host_time();
    let by = Duration::from_millis(ahead_ms.unsigned_abs());
    let stamped = sent + took / 2;
    let date = if ahead_ms < 0 { stamped - by } else { stamped + by };
    clock.learn(&httpdate::fmt_http_date(date), sent, sent + took);
}

#[test]
fn a_host_that_is_ahead_or_behind_is_corrected() {
    for ahead_ms in [-600_000, -10_000, 10_000, 600_000] {
        let clock = Clock::default();
        for _ in 0..3 {
            respond(&clock, ahead_ms, Duration::from_millis(200));
        }
        let corrected = corrected_by(&clock);
        assert!(
            (corrected - ahead_ms).abs() <= 1_400,
            "{corrected} for {ahead_ms}"
        );
    }
}

#[test]
fn small_differences_slow_answers_and_nonsense_change_nothing() {
    let clock = Clock::default();
    for ahead_ms in [0, 900, -900] {
        respond(&clock, ahead_ms, Duration::from_millis(100));
    }
    respond(&clock, -5_000, Duration::from_secs(12));
    for date in ["", "yesterday", "Sun, 99 Nov 2026 00:00:00 GMT"] {
        clock.learn(date, SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH);
    }
    assert_eq!(corrected_by(&clock), 0);
}

#[tokio::test(start_paused = true)]
async fn bounds_narrow_until_a_clock_is_set_or_time_has_passed() {
    let since = Instant::now();
    let bounds = |least, most, since| Bounds { least, most, since };
    let wide = bounds(-9_000, -3_000, since);
    assert_eq!(
        wide.narrowed(bounds(-5_000, -1_000, since)),
        bounds(-5_000, -3_000, since)
    );
    let set = bounds(-500, 500, since);
    assert_eq!(wide.narrowed(set), set);
    let later = bounds(-9_500, -2_000, since + MAX_AGE + Duration::from_secs(1));
    assert_eq!(wide.narrowed(later), later);
    assert_eq!((wide.difference(), set.difference()), (-3_000, 0));
}
