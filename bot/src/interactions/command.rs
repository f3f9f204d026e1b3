//! The trait of slash commands, and the list of all of them.

use std::{collections::HashMap, sync::OnceLock};

use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use twilight_model::{
    application::command::{Command as Definition, CommandOption, CommandOptionChoice, CommandOptionType},
    id::{Id, marker::GuildMarker},
};

use super::{
    CommandContext, CommandError, Services,
    feature::{Expected, Feature, RowSetting, Undo},
    menu::{Menu, Of},
    payload::{BadOption, InteractionPayload},
    reply::Reply,
};
use crate::{
    interactions::define,
    postgres::{Store, StoreError},
    settings::section::Section,
};

/// A slash command.
pub trait Command: Sync {
    /// The name, which is the same in every language.
    fn name(&self) -> &'static str;

    /// The definition for Discord.
    fn definition(&self) -> Definition {
        define::describe(self.name()).build()
    }

    /// Whether only the user sees the response.
    fn is_private(&self) -> bool {
        false
    }

    /// The entry of the menu of members or of messages that leads to the command.
    fn menu(&self) -> Option<Menu> {
        None
    }

    /// Run the command.
    fn run(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> impl Future<Output = Result<Reply, CommandError>> + Send;

    /// Handle a button, a menu or a modal whose `custom_id` is the command's name, or starts with it and a colon.
    fn component(
        &self,
        _context: &mut CommandContext,
        _services: &Services,
    ) -> impl Future<Output = Result<Reply, CommandError>> + Send {
        async { Err(CommandError::Stale) }
    }

    /// Handle the [entry](Self::menu) of the menu of a member or a message. Only the user sees the response.
    fn chosen(
        &self,
        _context: &mut CommandContext,
        _services: &Services,
    ) -> impl Future<Output = Result<Reply, CommandError>> + Send {
        async { Err(CommandError::Stale) }
    }

    /// The choices for an option that is being typed.
    fn autocomplete(
        &self,
        _context: &mut CommandContext,
        _services: &Services,
    ) -> impl Future<Output = Result<Vec<CommandOptionChoice>, CommandError>> + Send {
        async { Ok(Vec::new()) }
    }
}

/// A [`Command`] of any type, for the lists of them: its futures are boxed.
pub trait AnyCommand: Sync {
    /// See [`Command::name`].
    fn name(&self) -> &'static str;

    /// See [`Command::definition`].
    fn definition(&self) -> Definition;

    /// See [`Command::is_private`].
    fn is_private(&self) -> bool;

    /// See [`Command::menu`].
    fn menu(&self) -> Option<Menu>;

    /// See [`Command::run`].
    fn run<'a>(
        &'a self,
        context: &'a mut CommandContext,
        services: &'a Services,
    ) -> BoxFuture<'a, Result<Reply, CommandError>>;

    /// See [`Command::component`].
    fn component<'a>(
        &'a self,
        context: &'a mut CommandContext,
        services: &'a Services,
    ) -> BoxFuture<'a, Result<Reply, CommandError>>;

    /// See [`Command::chosen`].
    fn chosen<'a>(
        &'a self,
        context: &'a mut CommandContext,
        services: &'a Services,
    ) -> BoxFuture<'a, Result<Reply, CommandError>>;

    /// See [`Command::autocomplete`].
    fn autocomplete<'a>(
        &'a self,
        context: &'a mut CommandContext,
        services: &'a Services,
    ) -> BoxFuture<'a, Result<Vec<CommandOptionChoice>, CommandError>>;
}

impl<C: Command> AnyCommand for C {
    fn name(&self) -> &'static str {
        Command::name(self)
    }

    fn definition(&self) -> Definition {
        Command::definition(self)
    }

    fn is_private(&self) -> bool {
        Command::is_private(self)
    }

    fn menu(&self) -> Option<Menu> {
        Command::menu(self)
    }

    fn run<'a>(
        &'a self,
        context: &'a mut CommandContext,
        services: &'a Services,
    ) -> BoxFuture<'a, Result<Reply, CommandError>> {
        Box::pin(Command::run(self, context, services))
    }

    fn component<'a>(
        &'a self,
        context: &'a mut CommandContext,
        services: &'a Services,
    ) -> BoxFuture<'a, Result<Reply, CommandError>> {
        Box::pin(Command::component(self, context, services))
    }

    fn chosen<'a>(
        &'a self,
        context: &'a mut CommandContext,
        services: &'a Services,
    ) -> BoxFuture<'a, Result<Reply, CommandError>> {
        Box::pin(Command::chosen(self, context, services))
    }

    fn autocomplete<'a>(
        &'a self,
        context: &'a mut CommandContext,
        services: &'a Services,
    ) -> BoxFuture<'a, Result<Vec<CommandOptionChoice>, CommandError>> {
        Box::pin(Command::autocomplete(self, context, services))
    }
}

/// Options by command and the names of groups and subcommands.
type Options = HashMap<(&'static str, Vec<String>), Vec<CommandOption>>;

/// All commands.
pub struct Commands {
    features: &'static [&'static Feature],
    /// It is built on first use, because definitions contain texts in every language.
    options: OnceLock<Options>,
}

impl std::fmt::Debug for Commands {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_list()
            .entries(self.iter().map(AnyCommand::name))
            .finish()
    }
}

impl Commands {
    /// The commands of these features.
    pub(crate) const fn new(features: &'static [&'static Feature]) -> Self {
        Self {
            features,
            options: OnceLock::new(),
        }
    }

    /// All commands.
    pub fn iter(&self) -> impl Iterator<Item = &'static dyn AnyCommand> {
        let features = self.features.iter();
        features.flat_map(|feature| feature.commands.iter().copied())
    }

    /// Every kind of timer that is shown to the staff of a server.
    pub(crate) fn expected(&self) -> impl Iterator<Item = &'static Expected> {
        let features = self.features.iter();
        features.flat_map(|feature| feature.expected)
    }

    /// How changes are undone.
    pub(crate) fn undos(&self) -> impl Iterator<Item = &'static Undo> {
        let features = self.features.iter();
        features.flat_map(|feature| feature.undos)
    }

    /// The rows with this name and key in the history of settings.
    pub(crate) fn row_setting<'a>(&self, name: &'a str) -> Option<(&'static RowSetting, &'a str)> {
        let (name, key) = name.split_once(':')?;
        let mut settings = self.features.iter().flat_map(|feature| feature.row_settings);
        Some((settings.find(|setting| setting.name == name)?, key))
    }

    /// All rows of a guild that are settings, by name and key.
    pub(crate) async fn row_settings(
        &self,
        store: &Store,
        guild_id: Id<GuildMarker>,
    ) -> Result<Vec<(String, Json)>, StoreError> {
        let mut found = Vec::new();
        for setting in self.features.iter().flat_map(|feature| feature.row_settings) {
            let rows = (setting.read)(store, guild_id).await?.into_iter();
            found.extend(rows.map(|(key, value)| (format!("{}:{key}", setting.name), value)));
        }
        Ok(found)
    }

    /// Do what follows from settings with these names, after they were taken back or taken from a file.
    pub(crate) async fn follow_up(
        &self,
        services: &Services,
        guild_id: Id<GuildMarker>,
        names: &[String],
    ) -> Result<(), StoreError> {
        for feature in self.features {
            (feature.follow_up)(services, guild_id, names).await?;
        }
        Ok(())
    }

    /// Every section of settings.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &'static Section> {
        let features = self.features.iter();
        features.flat_map(|feature| feature.settings.iter().copied())
    }

    /// The definitions of all commands for Discord, and of the entries of menus that lead to them.
    pub fn definitions(&self) -> Vec<Definition> {
        let of_command = |command: &dyn AnyCommand| {
            let own = command.definition();
            let menu = command.menu().map(|menu| menu.definition(&own));
            std::iter::once(own).chain(menu)
        };
        self.iter().flat_map(of_command).collect()
    }

    /// Find a command by name.
    pub fn find(&self, name: &str) -> Option<&'static dyn AnyCommand> {
        self.iter().find(|command| command.name() == name)
    }

    /// The command to which this entry of a menu leads.
    pub(crate) fn find_menu(&self, of: Of, name: &str) -> Option<&'static dyn AnyCommand> {
        self.iter()
            .find(|command| command.menu().is_some_and(|menu| menu.is(of, name)))
    }

    /// A given option that does not match the command's definition: Discord shows old definitions for some time.
    pub fn unusable(
        &'static self,
        command: &dyn AnyCommand,
        payload: &InteractionPayload,
    ) -> Option<BadOption> {
        let options = self.options.get_or_init(|| {
            let mut all = Options::default();
            for command in self.iter() {
                add(&mut all, command.name(), &[], command.definition().options);
            }
            all
        });
        let path = payload.subcommand().into_iter().map(str::to_owned).collect();
        let defined = options.get(&(command.name(), path))?;
        payload.given().find_map(|(name, kind)| {
            let option = defined.iter().find(|option| option.name == name);
            match option {
                Some(option) => (kind != Some(option.kind)).then_some(BadOption(&option.name)),
                None => Some(BadOption("?")),
            }
        })
    }
}

fn add(all: &mut Options, command: &'static str, path: &[String], options: Vec<CommandOption>) {
    let (nested, own): (Vec<_>, Vec<_>) = options.into_iter().partition(|option| {
        matches!(
            option.kind,
            CommandOptionType::SubCommand | CommandOptionType::SubCommandGroup
        )
    });
    for option in nested {
        let path = [path, &[option.name]].concat();
        add(all, command, &path, option.options.unwrap_or_default());
    }
    all.insert((command, path.to_vec()), own);
}
