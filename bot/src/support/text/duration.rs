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
mod tests;
