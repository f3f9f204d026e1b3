//! The manifest of a feature. Lists of commands, effects, timers, settings and tables are derived from the manifests.

use hyper::http::Extensions;

use super::command::Command;
use crate::{
    config::Config,
    discord::rest::Rest,
    outbox::{kind::EffectKind, timers::Registry},
    postgres::{Store, guild_table::GuildTable},
    settings::{Settings, section::Section},
};

/// The manifest of a feature.
#[derive(Clone, Copy)]
pub(crate) struct Feature {
    /// Its slash commands.
    pub(crate) commands: &'static [&'static dyn Command],
    /// Its kinds of effects in a process with these settings.
    pub(crate) effects: fn(&Settings) -> Vec<Box<dyn EffectKind>>,
    /// Adds its timers and periodic jobs.
    pub(crate) timers: fn(Registry, &Process<'_>) -> Registry,
    /// Its sections of settings.
    pub(crate) settings: &'static [&'static Section],
    /// Adds the state that it keeps in a process.
    pub(crate) state: fn(&mut Extensions, &Config),
    /// Its tables with guild data, in the order in which they are emptied.
    pub(crate) tables: &'static [GuildTable],
}

/// What timers and jobs need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process<'a> {
    pub(crate) config: &'a Config,
    pub(crate) store: &'a Store,
    pub(crate) rest: &'a Rest,
    pub(crate) settings: &'a Settings,
    /// All tables with guild data, of all features.
    pub(crate) tables: &'a [&'static GuildTable],
}

impl Feature {
    /// A manifest without any content.
    pub(crate) const NOTHING: Self = Self {
        commands: &[],
        effects: |_| Vec::new(),
        timers: |registry, _| registry,
        settings: &[],
        state: |_, _| {},
        tables: &[],
    };
}
