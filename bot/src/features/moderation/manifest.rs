//! The manifest of moderation.

use super::{
    commands,
    effects::{
        punishment::{Punishments, TimeoutLifts},
        warned::DirectWarnings,
    },
    log::ModLogs,
    settings::ModerationSettings,
};
use crate::{
    interactions::feature::Feature, postgres::guild_table::guild_tables, settings::section::Choices as _,
};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[
        &commands::warn::Warn,
        &commands::warning::Warning,
        &commands::warnings::Warnings,
    ],
    effects: |settings| {
        vec![
            Box::new(Punishments(settings.clone())),
            Box::new(TimeoutLifts),
            Box::new(DirectWarnings),
            Box::new(ModLogs),
        ]
    },
    settings: &[&ModerationSettings::SECTION],
    tables: guild_tables![
        "warning",
        "mod_case",
        "member_warnings",
        "warning_threshold",
        "mod_guild",
    ],
    ..Feature::NOTHING
};
