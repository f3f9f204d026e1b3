//! Spans of time as people write them: `7d`, `12h`, `1w 2d`, `30 minutes`, `3 Tage`, `never`.

use std::time::Duration;

/// The shortest that can be told.
pub const SHORTEST: Duration = Duration::from_mins(1);
/// And the longest, which keeps every sum far from the end of time.
pub const LONGEST: Duration = Duration::from_hours(24 * 3_650);
/// The longest timeout: <https://docs.discord.com/developers/resources/guild#modify-guild-member>.
pub const LONGEST_TIMEOUT: Duration = Duration::from_hours(24 * 28);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What each unit is called, in every language, and how many seconds it has.
const UNITS: [(&[&str], u64); 6] = [
    (&["m", "min", "mins", "minute", "minutes", "minuten"], MINUTE),
    (&["h", "hour", "hours", "std", "stunde", "stunden"], HOUR),
    (&["d", "t", "day", "days", "tag", "tage", "tagen"], DAY),
    (&["w", "week", "weeks", "woche", "wochen"], 7 * DAY),
    (&["mo", "month", "months", "monat", "monate", "monaten"], 30 * DAY),
    (&["y", "j", "year", "years", "jahr", "jahre", "jahren"], 365 * DAY),
];

/// For how long something counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// For ever.
    Never,
    /// For so long.
    After(Duration),
}

/// Read for how long something counts; `None` for what cannot be read, is shorter than [`SHORTEST`] or longer than [`LONGEST`].
pub fn expiry(text: &str) -> Option<Expiry> {
    match text.trim().to_lowercase().as_str() {
        "never" | "none" | "nie" | "niemals" => Some(Expiry::Never),
        span => duration(span).map(Expiry::After),
    }
}

/// Read a span of time; `None` as in [`expiry`].
pub fn duration(text: &str) -> Option<Duration> {
    let text = text.trim().to_lowercase();
    let mut rest = text.as_str();
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let (_, in_seconds) = UNITS.iter().find(|(names, _)| names.contains(&unit))?;
        let part = number.parse::<u64>().ok()?.checked_mul(*in_seconds)?;
        seconds = seconds.checked_add(part)?;
        rest = after.trim_start_matches([' ', ',']);
    }
    let span = Duration::from_secs(seconds);
    (SHORTEST..=LONGEST).contains(&span).then_some(span)
}

/// A span as the shortest text that is read as the same.
pub fn shown(span: Duration) -> String {
    let mut left = span.as_secs();
    let mut text = String::new();
    for (letter, seconds) in [('d', DAY), ('h', HOUR), ('m', MINUTE)] {
        let whole = left / seconds;
        left %= seconds;
        if whole > 0 {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&whole.to_string());
            text.push(letter);
        }
    }
    text
}

#[cfg(test)]
mod tests {
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
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for word in ["never", "Never ", "nie"] {
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
            "7.5d",
            "0d",
            "59s",
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
        fn what_is_shown_is_read_as_the_same(minutes in 1_u64..5_000_000) {
            let span = Duration::from_secs(minutes * MINUTE);
            prop_assert_eq!(duration(&shown(span)), Some(span));
        }
    }
}
