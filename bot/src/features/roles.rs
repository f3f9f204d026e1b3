//! Giving and taking roles by command, also for some time, and changing nicknames.

pub(crate) mod change;
/// The commands.
pub(crate) mod commands {
    pub(crate) mod nick;
    pub(crate) mod role;
}
/// The effects on Discord.
pub(crate) mod effects {
    pub(crate) mod nick;
    pub(crate) mod role;
}
pub(crate) mod rows;
pub(crate) mod texts;

use crate::{
    interactions::feature::{Expected, Feature},
    postgres::table::member_table,
};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[&commands::nick::Nick, &commands::role::Role],
    effects: |settings| {
        vec![
            Box::new(effects::role::RoleChanges(settings.clone())),
            Box::new(effects::nick::NickChanges(settings.clone())),
        ]
    },
    timers: |registry, _| registry.with(change::RoleEnd),
    expected: &[Expected::of_staff(change::ROLE_END, commands::role::reschedule).about(rows::subjects)],
    tables: &[member_table!("temp_role").kept()],
    ..Feature::NOTHING
};
