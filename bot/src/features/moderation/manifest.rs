//! The manifest of moderation.

use twilight_model::guild::Permissions;

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
    ends::{TEMPBAN_END, TIMEOUT_RENEWAL, TempbanEnds, TimeoutRenewals},
    log::ModLogs,
    rows::mod_case,
    settings::ModerationSettings,
};
use crate::{
    interactions::feature::{Expected, Feature},
    postgres::guild_table::guild_tables,
    settings::section::Choices as _,
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
        &commands::case::Case,
        &commands::case_list::History,
        &commands::case_list::Modlog,
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
    expected: &[
        Expected {
            kind: TEMPBAN_END,
            cancel: Some(Permissions::BAN_MEMBERS),
            cancelled: |tx, guild_id, case_id| Box::pin(mod_case::make_permanent(tx, (guild_id, case_id))),
        },
        Expected::fixed(TIMEOUT_RENEWAL),
    ],
    settings: &[&ModerationSettings::SECTION],
    timers: |registry, _| registry.with(TempbanEnds).with(TimeoutRenewals),
    tables: guild_tables![
        "warning",
        "case_note",
        "mod_case",
        "member_warnings",
        "warning_threshold",
        "mod_guild",
    ],
    ..Feature::NOTHING
};
