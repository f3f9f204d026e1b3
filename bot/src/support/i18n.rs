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
mod tests;
