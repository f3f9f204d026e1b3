//! Values as text for a page, with names in place of IDs.

use serde_json::Value as Json;

use crate::{
    discord::guilds::listing::Listing,
    settings::section::{
        Setting,
        field::{Kind, Named},
    },
    support::{i18n::Language, text::limits::excerpt},
};

/// Characters of a text in a table.
const EXCERPT_CHARS: usize = 120;

/// A value; null is the default.
pub(super) fn value(setting: Setting, value: &Json, listing: &Listing, language: Language) -> String {
    let kind = setting.field.kind;
    let Named { roles, channels } = kind.named(value);
    let roles = roles.iter().map(|id| match listing.role(*id) {
        Some(name) => format!("@{}", name.as_plain()),
        None => id.to_string(),
    });
    let channels = channels.iter().map(|id| match listing.channel(*id) {
        Some(name) => format!("#{}", name.as_plain()),
        None => id.to_string(),
    });
    let names: Vec<String> = roles.chain(channels).collect();
    match (kind, value.as_str()) {
        _ if !names.is_empty() => names.join(", "),
        _ if !kind.accepts(value) => language.text("settings-page-default"),
        (Kind::Text(_) | Kind::Template(_) | Kind::Mark(_), Some(text)) if !text.is_empty() => {
            format!("“{}”", excerpt(text, EXCERPT_CHARS))
        }
        _ => kind.shown(value, language),
    }
}

/// The same for a setting that this version may not know, by its name.
pub(super) fn named(
    setting: Option<Setting>,
    stored: &Json,
    listing: &Listing,
    language: Language,
) -> String {
    match setting {
        _ if stored.is_null() => language.text("settings-page-default"),
        Some(setting) => value(setting, stored, listing, language),
        None => excerpt(&stored.to_string(), EXCERPT_CHARS),
    }
}

/// The section and the label of a setting, or its name if this version does not know it.
pub(super) fn label(setting: Option<Setting>, name: &str, language: Language) -> String {
    match setting {
        Some(setting) => format!("{}: {}", setting.section.title(language), setting.label(language)),
        None => name.to_owned(),
    }
}
