//! The manifest of a feature. Lists of commands, pages, effects, timers, settings and tables are derived from the manifests.

use futures_util::future::BoxFuture;
use hyper::http::Extensions;
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::GuildMarker},
};

use super::{command::AnyCommand, page::AnyPage};
use crate::{
    config::Config,
    discord::rest::Rest,
    outbox::{kind::AnyEffectKind, timers::Registry},
    postgres::{Store, StoreError, Tx, guild_table::GuildTable},
    settings::{Settings, section::Section},
    support::i18n::Language,
};

/// The manifest of a feature.
#[derive(Clone, Copy)]
pub(crate) struct Feature {
    /// Its slash commands.
    pub(crate) commands: &'static [&'static dyn AnyCommand],
    /// Its pages of the website.
    pub(crate) pages: &'static [&'static dyn AnyPage],
    /// Its kinds of effects in a process with these settings.
    pub(crate) effects: fn(&Settings) -> Vec<Box<dyn AnyEffectKind>>,
    /// Adds its timers and periodic jobs.
    pub(crate) timers: fn(Registry, &Process<'_>) -> Registry,
    /// How its timers read to the staff of a server, and who may cancel them.
    pub(crate) expected: &'static [Expected],
    /// Its sections of settings.
    pub(crate) settings: &'static [&'static Section],
    /// Adds the state that it keeps in a process.
    pub(crate) state: fn(&mut Extensions, &Config),
    /// Its tables with guild data, in the order in which they are emptied.
    pub(crate) tables: &'static [GuildTable],
}

/// A kind of timer, as the staff of a server sees it in `/scheduled`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// The name of the kind. Its words are the text `scheduled-KIND`, with the timer's ID as `id`.
    pub(crate) kind: &'static str,
    /// The permission to cancel such a timer; `None` if it cannot be cancelled.
    pub(crate) cancel: Option<Permissions>,
    /// What else changes when one is cancelled, in the same transaction.
    pub(crate) cancelled: Cancelled,
}

/// Changes what a cancelled timer was about: the guild, and the timer's ID.
type Cancelled = for<'t> fn(&'t Tx<'_>, Id<GuildMarker>, i64) -> BoxFuture<'t, Result<(), StoreError>>;

impl Expected {
    /// A kind that cannot be cancelled.
    pub(crate) const fn fixed(kind: &'static str) -> Self {
        Self {
            kind,
            cancel: None,
            cancelled: |_, _, _| Box::pin(async { Ok(()) }),
        }
    }

    /// What is to happen.
    pub(crate) fn in_words(&self, timer_id: i64, language: Language) -> String {
        let key = format!("scheduled-{}", self.kind.replace('_', "-"));
        language.filled(&key, &[("id", timer_id.to_string().into())])
    }
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
        pages: &[],
        effects: |_| Vec::new(),
        timers: |registry, _| registry,
        expected: &[],
        settings: &[],
        state: |_, _| {},
        tables: &[],
    };
}
