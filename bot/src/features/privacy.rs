//! Access to and erasure of stored member and guild data.

pub(crate) mod command;
pub mod guild_changes;
pub mod guild_sync;
pub mod retention;
pub mod rows;

use crate::{interactions::feature::Feature, postgres::guild_table::guild_tables};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[&command::Privacy],
    timers: |registry, process| {
        registry
            .with_job(guild_sync::job(process.store, process.rest))
            .with_job(retention::job(
                process.store,
                process.config.privacy.retention,
                process.tables,
            ))
    },
    tables: guild_tables!["erased"],
    ..Feature::NOTHING
};
