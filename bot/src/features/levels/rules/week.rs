//! Weeks, for leaderboards that restart each Monday.

use crate::support::ids::Millis;

const DAY: Millis = 24 * 60 * 60 * 1_000;
/// Days from the preceding Monday to the Unix epoch, which was a Thursday.
const DAYS_BEFORE_EPOCH: Millis = 3;

/// The number of the week of a time: weeks begin on Monday at 00:00 UTC, as in [ISO 8601](https://en.wikipedia.org/wiki/ISO_week_date), and
/// are counted from the week of the Unix epoch, which is 0.
pub fn week_of(at: Millis) -> i32 {
    let week = (at.div_euclid(DAY) + DAYS_BEFORE_EPOCH).div_euclid(7);
    i32::try_from(week).unwrap_or(i32::MAX)
}

/// The start of a week.
pub fn begin_of(week: i32) -> Millis {
    (Millis::from(week) * 7 - DAYS_BEFORE_EPOCH) * DAY
}

/// The first week that begins within this many days before a time; at the latest the week of that time.
pub fn first_within(days: i64, at: Millis) -> i32 {
    let before = week_of(at.saturating_sub(days.saturating_mul(DAY)).saturating_sub(1));
    week_of(at).min(before + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DAY, begin_of, first_within, week_of};

    /// 2026-11-23 is a Monday: <https://www.timeanddate.com/calendar/?year=2026>.
    #[test]
    fn a_week_begins_on_monday() {
        let monday = 1_795_392_000_000;
        assert_eq!(week_of(monday), week_of(monday - 1) + 1);
        assert_eq!(week_of(monday), week_of(monday + 7 * 86_400_000 - 1));
        assert_eq!(begin_of(week_of(monday)), monday);
        assert_eq!(week_of(0), 0);
    }

    proptest! {
        #[test]
        fn a_time_lies_in_its_week(at in -1_000_000_000_000..4_000_000_000_000_i64) {
            let week = week_of(at);
            prop_assert!(begin_of(week) <= at && at < begin_of(week + 1));
        }

        #[test]
        fn the_first_week_within_some_days_begins_in_them(at in 0..4_000_000_000_000_i64, days in 1..3_650_i64) {
            let (first, since) = (first_within(days, at), at - days * DAY);
            prop_assert!(begin_of(first) >= since || first == week_of(at));
            prop_assert!(first <= week_of(at) && begin_of(first - 1) < since);
        }
    }
}
