use std::collections::BTreeSet;

use super::{Language, Value};
use crate::support::text::names::{
    Name,
    tests::{HOSTILE, assert_harmless},
};

/// Values chosen or typed by people.
const NAMES: [&str; 3] = ["given", "name", "server"];

fn keys(language: Language) -> BTreeSet<&'static str> {
    let messages = language.source().lines();
    messages
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split(" =").next())
        .collect()
}

/// The names of the values in a text.
fn values(language: Language, key: &str) -> BTreeSet<&'static str> {
    let opening = format!("{key} =");
    let mut lines = language
        .source()
        .lines()
        .skip_while(|line| !line.starts_with(&opening));
    let first = lines.next().expect("a text");
    let more = lines.take_while(|line| line.starts_with(' '));
    std::iter::once(first)
        .chain(more)
        .flat_map(|line| line.split('$').skip(1))
        .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next())
        .collect()
}

#[test]
fn every_language_has_every_text_with_the_same_values() {
    let english = keys(Language::English);
    assert!(english.len() > 10);
    for language in Language::ALL {
        assert_eq!(keys(language), english, "{language:?}");
        for key in &english {
            assert_eq!(
                values(language, key),
                values(Language::English, key),
                "{key} in {language:?}"
            );
        }
    }
}

#[test]
fn plurals_and_numbers() {
    let text = |language: Language, messages: u64| {
        let number = |n| Value::from(language.number(n));
        language.filled(
            "rank-reply",
            &[
                ("name", "Ada".into()),
                ("level", number(3)),
                ("rank", number(1_234)),
                ("bar", "▰▱".into()),
                ("xp", number(500)),
                ("messages", Value::Count(messages)),
                ("count", number(messages)),
                ("missing", number(270)),
                ("next", number(4)),
            ],
        )
    };
    assert!(text(Language::English, 1).contains("500 XP in one message; 270"));
    assert!(text(Language::English, 2_000).contains("#1,234**"));
    assert!(text(Language::German, 2_000).contains("500 XP in 2.000 Nachrichten"));
    assert_eq!(Language::English.number(0), "0");
}

/// A number before a plural noun must be in a plural variant, beside one for 1.
#[test]
fn a_number_before_a_plural_has_another_text_for_one() {
    const PLURALS: [&str; 14] = [
        "members",
        "messages",
        "warnings",
        "points",
        "days",
        "hours",
        "seconds",
        "Mitglieder",
        "Mitgliedern",
        "Nachrichten",
        "Verwarnungen",
        "Punkte",
        "Tage",
        "Tagen",
    ];
    for language in Language::ALL {
        let (mut found, mut has_one) = (0, false);
        for line in language.source().lines() {
            has_one = (has_one && line.starts_with(' ')) || line.contains("[one]");
            let pieces: Vec<&str> = line.split(" } ").collect();
            for pair in pieces.windows(2) {
                let is_value = pair[0].rsplit('{').next().is_some_and(|of| of.starts_with(" $"));
                let noun = pair[1].split(|c: char| !c.is_alphanumeric()).next();
                if is_value && noun.is_some_and(|noun| PLURALS.contains(&noun)) {
                    found += 1;
                    assert!(has_one && line.trim_start().starts_with("*[other]"), "{line}");
                }
            }
        }
        assert!(found > 10, "{language:?}");
    }
}

#[test]
fn locales_of_discord() {
    assert_eq!(Language::of_locale("en-GB"), Some(Language::English));
    assert_eq!(Language::of_locale("de"), Some(Language::German));
    assert_eq!(Language::of_locale("pt-BR"), None);
    for language in Language::ALL {
        for locale in language.locales() {
            assert_eq!(Language::of_locale(locale), Some(language));
        }
    }
}

/// The text around a name must not undo its escaping.
#[test]
fn a_hostile_name_is_harmless_in_every_text() {
    let name = Name::first([Some(HOSTILE)], 1).in_markdown();
    let mut tried = 0;
    for language in Language::ALL {
        for key in keys(language) {
            let used = values(language, key);
            if !used.iter().any(|value| NAMES.contains(value)) {
                continue;
            }
            let filled: Vec<_> = used
                .iter()
                .map(|value| {
                    let is_name = NAMES.contains(value);
                    (
                        *value,
                        if is_name {
                            name.clone().into()
                        } else {
                            Value::Count(2)
                        },
                    )
                })
                .collect();
            assert_harmless(&language.filled(key, &filled));
            tried += 1;
        }
    }
    assert!(tried >= 8, "{tried}");
}
