//! Values as text for a page, with names in place of IDs.

use serde_json::Value as Json;

use super::find;
use crate::{
    discord::{guilds::listing::Listing, mentions::Names},
    interactions::{Services, settings_changes},
    settings::{
        command_settings::CommandSetting,
        section::{
            Setting,
            field::{Kind, Named},
        },
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

/// The same for a setting by its name, which this version may not know.
pub(super) fn named(around: &Around<'_>, name: &str, stored: &Json) -> String {
    let Around {
        services,
        listing,
        names,
        language,
    } = *around;
    if stored.is_null() {
        return language.text("settings-page-default");
    }
    if let Some((setting, _)) = CommandSetting::find(name) {
        return names.in_text(&setting.shown(stored, language));
    }
    let row = services.commands.row_setting(name);
    if let Some(shown) = row.and_then(|(setting, _)| (setting.shown)(stored, language)) {
        return names.in_text(&shown);
    }
    match find(services, name) {
        Some(setting) => value(setting, stored, listing, language),
        None => excerpt(&stored.to_string(), EXCERPT_CHARS),
    }
}

/// The section and the label of a setting, or its name if this version does not know it.
pub(super) fn label(around: &Around<'_>, name: &str) -> String {
    around
        .names
        .in_text(&settings_changes::label(around.services, name, around.language))
}

/// What texts of settings need.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) services: &'a Services,
    pub(super) listing: &'a Listing,
    pub(super) names: &'a Names,
    pub(super) language: Language,
}
