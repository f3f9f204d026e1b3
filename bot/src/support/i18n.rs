//! Texts for members, in their language: one catalogue per language, in [Fluent](https://projectfluent.org/fluent/guide/).

use std::{collections::HashMap, sync::LazyLock};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::langid;

/// A language with a catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// `en`
    English,
    /// `de`
    German,
}

/// A catalogue.
struct Catalogue {
    bundle: FluentBundle<FluentResource>,
    /// The thousands separator.
    thousands: char,
}

impl Language {
    /// All supported languages.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language of one of Discord's [locales](https://docs.discord.com/developers/reference#locales), such as `de` or `en-GB`.
    pub fn of_locale(locale: &str) -> Option<Self> {
        match locale.split('-').next()? {
            "de" => Some(Self::German),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// The language of a locale that was stored with an effect or a timer: English for one that this version does not have.
    pub fn of_stored(locale: &str) -> Self {
        Self::of_locale(locale).unwrap_or(Self::English)
    }

    /// Its code, which is also a locale.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Discord's locales for this language.
    pub const fn locales(self) -> &'static [&'static str] {
        match self {
            Self::English => &["en-US", "en-GB"],
            Self::German => &["de"],
        }
    }

    const fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("../../locales/en.ftl"),
            Self::German => include_str!("../../locales/de.ftl"),
        }
    }

    /// A text without values.
    pub fn text(self, key: &str) -> String {
        self.filled(key, &[])
    }

    /// A text with its values.
    pub fn filled(self, key: &str, values: &[(&'static str, Value)]) -> String {
        let bundle = &self.catalogue().bundle;
        let pattern = bundle.get_message(key).and_then(|message| message.value());
        let Some(pattern) = pattern else {
            debug_assert!(false, "no text {key} in {self:?}");
            return key.to_owned();
        };
        let mut arguments = FluentArgs::with_capacity(values.len());
        for (name, value) in values {
            arguments.set(*name, value.as_fluent());
        }
        let mut faults = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&arguments), &mut faults);
        debug_assert!(faults.is_empty(), "{key} in {self:?}: {faults:?}");
        text.into_owned()
    }

    /// A number with thousands separators.
    pub fn number(self, number: u64) -> String {
        let digits = number.to_string();
        let mut written = String::with_capacity(digits.len() * 4 / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                written.push(self.catalogue().thousands);
            }
            written.push(digit);
        }
        written
    }

    fn catalogue(self) -> &'static Catalogue {
        static CATALOGUES: LazyLock<HashMap<Language, Catalogue>> = LazyLock::new(|| {
            Language::ALL
                .into_iter()
                .map(|language| (language, Catalogue::of(language)))
                .collect()
        });
        &CATALOGUES[&self]
    }
}

/// A value for a placeholder of a text.
#[derive(Clone, Debug)]
pub enum Value {
    /// Inserted unchanged.
    Text(String),
    /// Selects singular or plural.
    Count(u64),
}

impl Value {
    fn as_fluent(&self) -> FluentValue<'_> {
        match self {
            Self::Text(text) => FluentValue::from(text.as_str()),
            Self::Count(count) => FluentValue::from(*count),
        }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Catalogue {
    fn of(language: Language) -> Self {
        let (id, thousands) = match language {
            Language::English => (langid!("en"), ','),
            Language::German => (langid!("de"), '.'),
        };
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        // The isolation marks around each value are for bidirectional text, and Discord shows them in code.
        bundle.set_use_isolating(false);
        let resource = FluentResource::try_new(language.source().to_owned()).map_err(|(_, faults)| faults);
        let resource = resource.expect("a test has read every catalogue");
        bundle.add_resource(resource).expect("no key stands twice");
        Self { bundle, thousands }
    }
}

#[cfg(test)]
mod tests {
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
}
