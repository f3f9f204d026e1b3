//! Durations as people write them, in English and German: `7d`, `1h30m`, `1,5 Std.`, `2 weeks and 3 days`, `PT12H`, `never`.

use std::{sync::LazyLock, time::Duration};

use fundu::{CustomDurationParser, CustomDurationParserBuilder, CustomTimeUnit, Multiplier, TimeUnit};

/// The shortest accepted duration.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// The longest accepted duration; it keeps every sum far from the end of time.
pub const LONGEST: Duration = Duration::from_hours(24 * 3_650);
/// The shortest timeout of a threshold, as required by a constraint of the table.
pub const SHORTEST_TIMEOUT: Duration = Duration::from_mins(1);
/// The longest timeout: <https://docs.discord.com/developers/resources/guild#modify-guild-member>.
pub const LONGEST_TIMEOUT: Duration = Duration::from_hours(24 * 28);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

const fn days(names: &'static [&'static str], days: i64) -> CustomTimeUnit<'static> {
    CustomTimeUnit::new(TimeUnit::Day, names, Some(Multiplier(days, 0)))
}

/// The names of each unit in every language. A month has 30 days and a year 365, so that a duration does not depend on when it starts.
const UNITS: [CustomTimeUnit<'static>; 7] = [
    CustomTimeUnit::with_default(
        TimeUnit::Second,
        &[
            "s", "sec", "secs", "second", "seconds", "sek", "sekunde", "sekunden",
        ],
    ),
    CustomTimeUnit::with_default(
        TimeUnit::Minute,
        &["m", "min", "mins", "minute", "minutes", "minuten"],
    ),
    CustomTimeUnit::with_default(
        TimeUnit::Hour,
        &["h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden"],
    ),
    days(&["d", "day", "days", "t", "tag", "tage", "tagen"], 1),
    days(&["w", "wk", "wks", "week", "weeks", "wo", "woche", "wochen"], 7),
    days(
        &[
            "mo", "mon", "mth", "month", "months", "monat", "monate", "monaten",
        ],
        30,
    ),
    days(
        &["y", "yr", "yrs", "year", "years", "j", "jahr", "jahre", "jahren"],
        365,
    ),
];

/// Words for the number 1.
const ONE: [&str; 8] = ["a", "an", "one", "ein", "eine", "einem", "einen", "einer"];
/// Words that are ignored.
const FILLERS: [&str; 8] = ["and", "for", "für", "fuer", "in", "plus", "und", "&"];
/// Words for a duration without an end.
const NEVER: [&str; 13] = [
    "never",
    "none",
    "no",
    "forever",
    "permanent",
    "permanently",
    "perm",
    "nie",
    "niemals",
    "immer",
    "dauerhaft",
    "unbefristet",
    "unlimited",
];

/// How long a warning counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It never expires.
    Never,
    /// It expires after this duration.
    After(Duration),
}

/// Parse an expiry; `None` for text that cannot be parsed, is shorter than [`SHORTEST`] or longer than [`LONGEST`].
pub fn expiry(text: &str) -> Option<Expiry> {
    let written = text.trim().to_lowercase();
    let word = written.strip_prefix("für ").unwrap_or(&written);
    if NEVER.contains(&word) {
        return Some(Expiry::Never);
    }
    duration(text).map(Expiry::After)
}

/// Parse a duration; `None` as in [`expiry`]. Fractions of a second are dropped.
pub fn duration(text: &str) -> Option<Duration> {
    static PARSER: LazyLock<CustomDurationParser<'static>> = LazyLock::new(|| {
        CustomDurationParserBuilder::new()
            .time_units(&UNITS)
            .allow_time_unit_delimiter()
            .parse_multiple(None)
            .disable_exponent()
            .disable_infinity()
            .build()
    });
    let span = PARSER.parse(&plain(text)?).ok()?;
    let span = Duration::from_secs(Duration::try_from(span).ok()?.as_secs());
    (SHORTEST..=LONGEST).contains(&span).then_some(span)
}

/// The text as numbers and units, each number followed by its unit; `None` if that is ambiguous.
fn plain(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let text = iso_8601(&text).unwrap_or(text);
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let last = plain.chars().next_back().unwrap_or(' ');
        let is_point = last.is_ascii_digit() && rest.peek().is_some_and(char::is_ascii_digit);
        match character {
            '.' | ',' if is_point => {
                let decimals = rest.clone().take_while(char::is_ascii_digit).count();
                if decimals == 3 {
                    // 1,500 means fifteen hundred to some people, and one and a half to others.
                    return None;
                }
                plain.push('.');
            }
            // The end of an abbreviation.
            '.' if last.is_alphabetic() => plain.push(' '),
            ',' => plain.push(' '),
            _ => plain.push(character),
        }
    }
    let words = plain.split_whitespace().filter(|word| !FILLERS.contains(word));
    let words: Vec<&str> = words
        .map(|word| if ONE.contains(&word) { "1" } else { word })
        .collect();
    let is_number = |word: &&str| word.ends_with(|last: char| last.is_ascii_digit());
    let has_no_unit =
        |pair: &[&str]| is_number(&pair[0]) && pair[1].starts_with(|first: char| first.is_ascii_digit());
    if words.last().is_none_or(is_number) || words.windows(2).any(has_no_unit) {
        return None;
    }
    Some(words.join(" "))
}

/// A duration of [ISO 8601](https://en.wikipedia.org/wiki/ISO_8601#Durations), such as `p1dt12h`, with units as people write them.
fn iso_8601(text: &str) -> Option<String> {
    let designated = text.strip_prefix('p')?;
    let (date, time) = designated.split_once('t').unwrap_or((designated, ""));
    Some(format!("{} {time}", date.replace('m', "mo ")))
}

/// The shortest text that parses as the same duration.
pub fn shown(span: Duration) -> String {
    let mut left = span.as_secs();
    let mut text = String::new();
    for (letter, seconds) in [('d', DAY), ('h', HOUR), ('m', MINUTE), ('s', 1)] {
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
}
