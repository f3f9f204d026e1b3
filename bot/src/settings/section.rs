//! Sections: settings that a feature owns, each with one definition.
//!
//! A feature describes its settings by a struct with their defaults ([`Choices`]) and by one [`Field`] for each. `/settings`,
//! `eventide settings`, the checks, the storage in `guild_section`, and the removal of deleted roles and channels follow from these.

mod chosen;
pub mod field;

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value as Json};
use strsim::damerau_levenshtein;
use thiserror::Error;

pub use self::chosen::Chosen;
use self::field::{Field, Named};
use super::{GuildSettings, change::Change, history::Snapshot};
use crate::support::{i18n::Language, text::limits::excerpt};

/// More typos than this make a different word.
const MAX_SLIPS: usize = 3;
/// Characters of a wrong name that are quoted.
const SHOWN_CHARS: usize = 40;

/// The settings of a section, with their defaults. Each field of the struct has a [`Field`] of the same name.
pub trait Choices: Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The definitions.
    const SECTION: Section;
}

/// A section.
pub struct Section {
    /// The word in `guild_section.section`, and before the dot in the names of its settings.
    pub name: &'static str,
    /// The settings, in the order in which they are shown.
    pub fields: &'static [Field],
    defaults: fn() -> Map<String, Json>,
}

/// A setting of a section.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The section.
    pub section: &'static Section,
    /// Its definition.
    pub field: &'static Field,
}

/// There is no setting with this name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no setting {name:?}: {hint}")]
pub struct NoSuchSetting {
    /// What was written, truncated.
    pub name: String,
    /// What was probably meant, or what there is.
    pub hint: String,
}

impl Section {
    /// A section with the settings of this struct.
    pub const fn of<C: Choices>(name: &'static str, fields: &'static [Field]) -> Self {
        Self {
            name,
            fields,
            defaults: defaults::<C>,
        }
    }

    /// A section of columns of `guild_settings`.
    pub(super) const fn of_columns(name: &'static str, fields: &'static [Field]) -> Self {
        Self {
            name,
            fields,
            defaults: Map::new,
        }
    }

    /// Its settings.
    pub fn settings(&'static self) -> impl Iterator<Item = Setting> {
        self.fields
            .iter()
            .map(move |field| Setting { section: self, field })
    }

    /// The setting with this name, without the section's.
    pub fn setting(&'static self, name: &str) -> Option<Setting> {
        self.settings().find(|setting| setting.field.name == name)
    }

    /// Its title: the text `SECTION-settings`.
    pub fn title(&self, language: Language) -> String {
        language.text(&format!("{}-settings", self.name))
    }

    /// The defaults of its settings.
    pub fn defaults(&self) -> Map<String, Json> {
        (self.defaults)()
    }
}

fn defaults<C: Choices>() -> Map<String, Json> {
    match serde_json::to_value(C::default()) {
        Ok(Json::Object(defaults)) => defaults,
        // A test looks at every section.
        _ => Map::new(),
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Section").field(&self.name).finish()
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.section.name, self.field.name)
    }
}

impl Setting {
    /// The setting with this name, such as `moderation.require_reason`.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn find(sections: impl Iterator<Item = &'static Section>, name: &str) -> Result<Self, NoSuchSetting> {
        let all: Vec<Self> = sections.flat_map(Section::settings).collect();
        let written = name.trim().to_lowercase();
        if let Some(found) = all.iter().find(|setting| setting.to_string() == written) {
            return Ok(*found);
        }
        let slips = |setting: &&Self| damerau_levenshtein(&setting.to_string(), &written);
        let near = all
            .iter()
            .filter(|setting| written.len() < 2 * SHOWN_CHARS && slips(setting) <= MAX_SLIPS)
            .min_by_key(slips);
        let hint = near.map_or_else(
            || {
                let section = written.split('.').next().unwrap_or_default();
                let of_section = all.iter().filter(|setting| setting.section.name == section);
                let mut names: Vec<String> = of_section.map(Self::to_string).collect();
                if names.is_empty() {
                    names = all.iter().map(Self::to_string).collect();
                }
                format!("there are {}", names.join(", "))
            },
            |near| format!("did you mean {near}?"),
        );
        Err(NoSuchSetting {
            name: excerpt(name, SHOWN_CHARS),
            hint,
        })
    }

    /// Its label: the text `SECTION-setting-NAME`.
    pub fn label(self, language: Language) -> String {
        language.text(&self.key())
    }

    /// What it does, in one sentence: the text `SECTION-setting-NAME-hint`.
    pub fn hint(self, language: Language) -> String {
        language.text(&format!("{}-hint", self.key()))
    }

    fn key(self) -> String {
        let name = self.field.name.replace('_', "-");
        format!("{}-setting-{name}", self.section.name)
    }

    /// The value that a guild with this row and these sections chose, if it can be used.
    pub fn chosen_in(self, row: &Snapshot) -> Option<Json> {
        let value = row.get(&self.to_string())?;
        self.field.kind.accepts(value).then(|| value.clone())
    }

    /// The value that holds without a choice; `usual` are the settings of a guild that has chosen nothing.
    pub fn usual(self, usual: &GuildSettings) -> Json {
        match self.field.column {
            Some(column) => (column.usual)(usual),
            None => self
                .section
                .defaults()
                .remove(self.field.name)
                .unwrap_or_default(),
        }
    }

    /// The change to a value that it accepts; `None` is the default.
    pub fn change(self, value: Option<Json>) -> Change {
        match self.field.column {
            Some(column) => (column.change)(value),
            None => Change::Section {
                section: self.section.name.into(),
                field: self.field.name.into(),
                value,
            },
        }
    }

    /// The value that a guild chose, if it can be used.
    pub fn chosen(self, settings: &GuildSettings) -> Option<Json> {
        let value = settings.sections.value(self.section.name, self.field.name)?;
        self.field.kind.accepts(value).then(|| value.clone())
    }

    /// The value that holds for a guild.
    pub fn value(self, settings: &GuildSettings) -> Json {
        let default = || {
            self.section
                .defaults()
                .remove(self.field.name)
                .unwrap_or_default()
        };
        self.chosen(settings).unwrap_or_else(default)
    }

    /// The roles and channels that a guild's value names.
    pub fn named(self, settings: &GuildSettings) -> Named {
        self.chosen(settings)
            .map(|value| self.field.kind.named(&value))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
