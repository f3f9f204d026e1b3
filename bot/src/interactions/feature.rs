//! The manifest of a feature. Lists of commands, pages, effects, timers, settings and tables are derived from the manifests.

use std::{collections::HashMap, future::ready};

use futures_util::future::BoxFuture;
use hyper::http::Extensions;
use serde_json::Value as Json;
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{GuildMarker, InteractionMarker, UserMarker},
    },
};

use super::{
    CommandContext, CommandError, Services,
    command::AnyCommand,
    page::AnyPage,
    reply::Reply,
    scheduled::{Subject, Wanted},
};
use crate::{
    config::Config,
    discord::rest::Rest,
    flush::reaction::AnyReaction,
    outbox::{kind::AnyEffectKind, timers::Registry},
    postgres::{Store, StoreError, Tx, request::undo::Undoable, table::Table},
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
    /// Its reactions to events.
    pub(crate) events: &'static [&'static dyn AnyReaction],
    /// Its kinds of effects in a process with these settings.
    pub(crate) effects: fn(&Settings) -> Vec<Box<dyn AnyEffectKind>>,
    /// Adds its timers and periodic jobs.
    pub(crate) timers: fn(Registry, &Process<'_>) -> Registry,
    /// How its timers are shown to the staff of a server, and how staff change them.
    pub(crate) expected: &'static [Expected],
    /// How `/undo` takes back its changes.
    pub(crate) undos: &'static [Undo],
    /// Its sections of settings.
    pub(crate) settings: &'static [&'static Section],
    /// What is called a setting in the history although it is in rows of the feature's own.
    pub(crate) row_settings: &'static [RowSetting],
    /// Does what follows from settings with these names, after they were taken back or taken from a file.
    pub(crate) follow_up: FollowUp,
    /// Adds the state that it keeps in a process.
    pub(crate) state: fn(&mut Extensions, &Config),
    /// Its tables, in the order in which they are emptied.
    pub(crate) tables: &'static [Table],
}

/// A kind of timer, as the staff of a server sees it in `/scheduled`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// The name of the kind. Its words are the text `scheduled-KIND`, with the timer's ID as `id`, and `user` and `role` of its subject.
    pub(crate) kind: &'static str,
    /// Changes or cancels such a timer, with the checks of the command that armed it; `None` if it cannot be changed.
    pub(crate) reschedule: Option<Reschedule>,
    /// Finds the subjects of such timers by their IDs; `None` if the ID says everything.
    pub(crate) subjects: Option<Subjects>,
}

/// Changes or cancels a timer, and what it is about.
type Reschedule =
    for<'a> fn(&'a CommandContext, &'a Services, Wanted) -> BoxFuture<'a, Result<Reply, CommandError>>;

type Subjects = for<'a> fn(
    &'a Store,
    Id<GuildMarker>,
    Vec<i64>,
) -> BoxFuture<'a, Result<HashMap<i64, Subject>, StoreError>>;

impl Expected {
    /// A kind that cannot be changed or cancelled.
    pub(crate) const fn fixed(kind: &'static str) -> Self {
        Self {
            kind,
            reschedule: None,
            subjects: None,
        }
    }

    /// A kind that staff can change and cancel.
    pub(crate) const fn of_staff(kind: &'static str, reschedule: Reschedule) -> Self {
        Self {
            kind,
            reschedule: Some(reschedule),
            subjects: None,
        }
    }

    /// The same with subjects.
    pub(crate) const fn about(mut self, subjects: Subjects) -> Self {
        self.subjects = Some(subjects);
        self
    }
}

/// How the requests with one action are undone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Undo {
    /// The action of the requests.
    pub(crate) action: &'static str,
    /// The permissions of the command, which the undo needs, too.
    pub(crate) permissions: Permissions,
    /// The change in words.
    pub(crate) words: fn(&Undoable, Language) -> String,
    pub(crate) take_back: TakeBack,
}

/// How a change is taken back.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TakeBack {
    /// In the transaction of the undo, from what the request kept: restore what was there before. False, without a change, if it was
    /// changed since.
    AtOnce(AtOnce),
    /// By a request of the feature's own, which answers the command and may take longer.
    InSteps(InSteps),
}

type AtOnce =
    for<'t> fn(&'t Tx<'_>, &'t Settings, (&'t Undoable, By)) -> BoxFuture<'t, Result<bool, StoreError>>;

type InSteps = for<'a> fn(
    &'a CommandContext,
    &'a Services,
    Id<InteractionMarker>,
) -> BoxFuture<'a, Result<Reply, CommandError>>;

/// Rows in the history of settings and in files, each with a key: `NAME:KEY`. They are undone as the manifest says, like other changes, and
/// taken from a file by their command.
#[derive(Clone, Copy)]
pub(crate) struct RowSetting {
    pub(crate) name: &'static str,
    /// The keys and values of a guild.
    pub(crate) read: ReadRows,
    pub(crate) command: &'static dyn AnyCommand,
    /// The options with which the command gives the row with a key this value, in Discord's format; `None` if it cannot have it.
    pub(crate) options: fn(&str, &Json) -> Option<Json>,
    /// Refuses what one of these commands would be refused for, before the first of them is carried out.
    pub(crate) check: CheckRows,
    /// The label of the row with a key.
    pub(crate) label: fn(&str, Language) -> String,
    /// A value for Discord.
    pub(crate) shown: fn(&Json, Language) -> Option<String>,
}

type ReadRows =
    for<'a> fn(&'a Store, Id<GuildMarker>) -> BoxFuture<'a, Result<Vec<(String, Json)>, StoreError>>;

type CheckRows = for<'a> fn(&'a [CommandContext], &'a Services) -> BoxFuture<'a, Result<(), CommandError>>;

type FollowUp =
    for<'a> fn(&'a Services, Id<GuildMarker>, &'a [String]) -> BoxFuture<'a, Result<(), StoreError>>;

/// Who undoes something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By {
    pub(crate) user_id: Id<UserMarker>,
    pub(crate) interaction_id: Id<InteractionMarker>,
    pub(crate) language: Language,
}

/// What timers and jobs need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process<'a> {
    pub(crate) config: &'a Config,
    pub(crate) store: &'a Store,
    pub(crate) rest: &'a Rest,
    pub(crate) settings: &'a Settings,
    /// The tables of all features and of the engine.
    pub(crate) tables: &'a [&'static Table],
}

impl Feature {
    /// A manifest without any content.
    pub(crate) const NOTHING: Self = Self {
        commands: &[],
        pages: &[],
        events: &[],
        effects: |_| Vec::new(),
        timers: |registry, _| registry,
        expected: &[],
        undos: &[],
        settings: &[],
        row_settings: &[],
        follow_up: |_, _, _| Box::pin(ready(Ok(()))),
        state: |_, _| {},
        tables: &[],
    };
}
