use std::time::Duration;

use proptest::prelude::*;

use super::{DAY, Expiry, HOUR, LONGEST, MINUTE, SHORTEST, duration, expiry, shown};

#[test]
fn spans_as_people_write_them() {
    for (text, seconds) in [
        ("7d", 7 * DAY),
        ("12h", 12 * HOUR),
        ("30m", 30 * MINUTE),
        (" 2W ", 14 * DAY),
        ("1d12h", 36 * HOUR),
        ("1 day, 2 hours", 26 * HOUR),
        ("3 Tage", 3 * DAY),
        ("1 Woche 1 Tag", 8 * DAY),
        ("6 months", 180 * DAY),
        ("1y", 365 * DAY),
        ("1h30m", 90 * MINUTE),
        ("1h 30 min", 90 * MINUTE),
        ("1.5h", 90 * MINUTE),
        ("1,5 Std", 90 * MINUTE),
        ("1,5 Std.", 90 * MINUTE),
        ("90min", 90 * MINUTE),
        ("90 Min.", 90 * MINUTE),
        ("1 Std. 30 Min.", 90 * MINUTE),
        ("2 Tage", 2 * DAY),
        ("2 Tage und 3 Stunden", 51 * HOUR),
        ("2 days and 3 hours", 51 * HOUR),
        ("for 2 days", 2 * DAY),
        ("für 2 Tage", 2 * DAY),
        ("a week", 7 * DAY),
        ("eine Woche", 7 * DAY),
        ("1 Monat", 30 * DAY),
        ("0.5 years", 365 * DAY / 2),
        ("30 seconds", 30),
        ("45s", 45),
        ("1m30s", 90),
        ("2 hrs", 2 * HOUR),
        ("1 wk", 7 * DAY),
        ("PT1H", HOUR),
        ("P1DT12H", 36 * HOUR),
        ("P2M", 60 * DAY),
        ("pt90m", 90 * MINUTE),
        ("P1W", 7 * DAY),
    ] {
        assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
    }
    for word in ["never", "Never ", "nie", "forever", "permanent", "für immer"] {
        assert_eq!(expiry(word), Some(Expiry::Never));
    }
}

#[test]
fn what_is_no_span() {
    for text in [
        "",
        " ",
        "soon",
        "7",
        "d",
        "-7d",
        "7 d d",
        "0d",
        "0.5s",
        "1,500h",
        "1.500 Std",
        "7 8d",
        "1h 30",
        "1e3h",
        "inf",
        "a",
        "P",
        "PT",
        "11y",
        "٧d",
        "99999999999999999999d",
        "18446744073709551615y",
        "1d never",
        "7d!",
        "١d",
    ] {
        assert_eq!(expiry(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_is_written_there_is_an_answer_within_the_bounds(text in "\\PC{0,40}") {
        if let Some(span) = duration(&text) {
            prop_assert!((SHORTEST..=LONGEST).contains(&span));
        }
    }

    #[test]
    fn what_is_shown_is_read_as_the_same(seconds in 1_u64..300_000_000) {
        let span = Duration::from_secs(seconds);
        prop_assert_eq!(duration(&shown(span)), Some(span));
    }
}
