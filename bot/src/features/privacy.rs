//! Access to and erasure of stored member and guild data.

pub(crate) mod command;
pub mod guild_changes;
pub mod guild_sync;
pub mod retention;
pub mod rows;

use crate::{
    interactions::feature::Feature,
    postgres::table::{Table, member_table},
};

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
    tables: &[
        // An erasure would show the member again with the next message.
        member_table!("board_opt_out").kept(),
        // The record of an erasure stays. A restore keeps it, with `rows/member.rs`.
        member_table!("erased").kept(),
        // Says which guilds are to be deleted, and is the last of a guild to go.
        Table::plain("guild_departed"),
    ],
    ..Feature::NOTHING
};
