//! A guild's settings in sections, as they are cached.

use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
};

use serde_json::{Map, Value as Json};

use super::Choices;

/// The values of a guild's sections. A section is turned into its struct when it is first asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen(BTreeMap<Box<str>, Values>);

#[derive(Clone)]
struct Values {
    /// As stored: keys of other versions are among them.
    stored: Map<String, Json>,
    bytes: usize,
    read: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Chosen {
    /// From the rows of a guild: names of sections, and their settings as JSON.
    pub(in crate::settings) fn of_rows(rows: &[(String, String)]) -> Self {
        let values = rows.iter().map(|(section, settings)| {
            let values = Values {
                // The column takes nothing but objects.
                stored: serde_json::from_str(settings).unwrap_or_default(),
                bytes: section.len() + 4 * settings.len(),
                read: OnceLock::new(),
            };
            (section.as_str().into(), values)
        });
        Self(values.collect())
    }

    /// The settings of a section. For a value that cannot be read, the default applies, and a line is logged.
    pub fn of<C: Choices>(&self) -> Arc<C> {
        let Some(values) = self.0.get(C::SECTION.name) else {
            return Arc::new(C::default());
        };
        let read = values.read.get_or_init(|| Arc::new(read::<C>(&values.stored)));
        Arc::clone(read).downcast().unwrap_or_default()
    }

    /// A value as it is stored.
    pub(super) fn value(&self, section: &str, field: &str) -> Option<&Json> {
        self.0.get(section)?.stored.get(field)
    }

    /// The memory that it takes.
    pub(in crate::settings) fn bytes(&self) -> usize {
        self.0
            .values()
            .map(|values| size_of::<Values>() + values.bytes)
            .sum()
    }
}

fn read<C: Choices>(stored: &Map<String, Json>) -> C {
    let mut values = C::SECTION.defaults();
    for field in C::SECTION.fields {
        let Some(value) = stored.get(field.name) else {
            continue;
        };
        if field.kind.accepts(value) {
            values.insert(field.name.to_owned(), value.clone());
        } else {
            tracing::warn!(
                setting.section = C::SECTION.name,
                setting.name = field.name,
                "a setting of a guild cannot be read; its default applies"
            );
        }
    }
    serde_json::from_value(Json::Object(values)).unwrap_or_default()
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.stored == other.stored
    }
}

impl Eq for Values {}

impl fmt::Debug for Values {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stored.fmt(formatter)
    }
}
