//! Locking channels, and their slow mode. What the bot changes of a channel is stored with what was there before, so that the end of a lock
//! restores exactly that, and only where it still is as the bot left it.

/// The commands.
pub(crate) mod commands {
    pub(crate) mod lock;
    pub(crate) mod slowmode;
    pub(crate) mod unlock;
}
/// The effects on Discord.
pub(crate) mod effects {
    mod channel;
    pub(crate) mod lock;
    pub(crate) mod slowmode;
    pub(crate) mod unlock;
}
pub(crate) mod lock;
pub(crate) mod overwrites;
/// The tables.
pub(crate) mod rows {
    pub(crate) mod lock;
    pub(crate) mod slowmode;
}
pub(crate) mod slowmode;
pub(crate) mod texts;

use crate::{
    interactions::feature::{Expected, Feature},
    postgres::table::guild_table,
};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[
        &commands::lock::Lock,
        &commands::slowmode::Slowmode,
        &commands::unlock::Unlock,
    ],
    effects: |settings| {
        vec![
            Box::new(effects::lock::Locks(settings.clone())),
            Box::new(effects::unlock::Unlocks(settings.clone())),
            Box::new(effects::slowmode::Slowmodes(settings.clone())),
            Box::new(effects::slowmode::SlowmodeEnds(settings.clone())),
        ]
    },
    timers: |registry, _| registry.with(lock::LockEnd).with(slowmode::SlowmodeEnd),
    expected: &[
        Expected::of_staff(lock::LOCK_END, commands::lock::reschedule),
        Expected::of_staff(slowmode::SLOWMODE_END, commands::slowmode::reschedule),
    ],
    tables: &[guild_table!("channel_lock"), guild_table!("channel_slowmode")],
    ..Feature::NOTHING
};
