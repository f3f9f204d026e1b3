//! The panel for guild-wide settings.

mod audit_page;
pub(crate) mod command;
mod pages;
mod parts;
mod sections;

use twilight_model::guild::Permissions;

use crate::{
    interactions::feature::{Feature, TakeBack, Undo},
    settings::{
        history::{changed_by, take_back},
        mod_log::LogSettings,
        section::Choices as _,
    },
};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[&command::Settings],
    pages: pages::PAGES,
    undos: &[undo("settings"), undo("settings_import"), undo("settings_undo")],
    settings: &[&LogSettings::SECTION],
    ..Feature::NOTHING
};

const fn undo(action: &'static str) -> Undo {
    Undo {
        action,
        permissions: Permissions::MANAGE_GUILD,
        words: |request, language| {
            let names: Vec<String> = changed_by(request).into_keys().collect();
            language.filled("undo-settings", &[("settings", names.join(", ").into())])
        },
        take_back: TakeBack::AtOnce(|tx, _, (request, _)| {
            Box::pin(
                async move { Ok(!changed_by(request).is_empty() && take_back(tx, request).await?.is_ok()) },
            )
        }),
    }
}
