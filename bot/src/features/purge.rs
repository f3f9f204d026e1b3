//! Deleting many messages of a channel: they are found first, and confirmed if there are many; then one batch after the other is deleted,
//! whatever becomes of the process.

pub(crate) mod begin;
pub(crate) mod command;
pub(crate) mod effect;
pub(crate) mod filter;
pub(crate) mod rows;
pub(crate) mod scan;

use crate::{
    interactions::feature::{Expected, Feature},
    postgres::table::guild_table,
};

/// Whether Discord sends the content of messages, for which the operator has to enable an intent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadsContent(pub(crate) bool);

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[&command::Purge],
    effects: |settings| vec![Box::new(effect::Purges(settings.clone()))],
    timers: |registry, _| registry.with(begin::Forget),
    state: |state, config| {
        state.insert(ReadsContent(config.discord.message_content));
    },
    expected: &[Expected::fixed(begin::FORGET)],
    tables: &[guild_table!("purge")],
    ..Feature::NOTHING
};
