//! The manifest of moderation.

use super::{
    commands,
    effects::{
        action::ModActions,
        action_lift::ActionLifts,
        action_message::ActionMessages,
        case_log::CaseLogs,
        punishment::{Punishments, TimeoutLifts},
        warned::DirectWarnings,
    },
    ends::{TempbanEnds, TimeoutRenewals},
    log::ModLogs,
    settings::ModerationSettings,
};
use crate::{
    interactions::feature::Feature, postgres::guild_table::guild_tables, settings::section::Choices as _,
};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[
        &commands::ban::Ban,
        &commands::ban::Softban,
        &commands::ban::Tempban,
        &commands::ban::Unban,
        &commands::removal::Kick,
        &commands::removal::Timeout,
        &commands::removal::Untimeout,
        &commands::warn::Warn,
        &commands::warning::Warning,
        &commands::warnings::Warnings,
    ],
    effects: |settings| {
        vec![
            Box::new(Punishments(settings.clone())),
            Box::new(TimeoutLifts),
            Box::new(DirectWarnings),
            Box::new(ModActions(settings.clone())),
            Box::new(ActionLifts(settings.clone())),
            Box::new(ActionMessages),
            Box::new(CaseLogs),
            Box::new(ModLogs),
        ]
    },
    settings: &[&ModerationSettings::SECTION],
    timers: |registry, _| registry.with(TempbanEnds).with(TimeoutRenewals),
    tables: guild_tables![
        "warning",
        "mod_case",
        "member_warnings",
        "warning_threshold",
        "mod_guild",
    ],
    ..Feature::NOTHING
};
