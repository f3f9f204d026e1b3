//! The commands: one file each, and one line in [`ALL`].

mod about;
mod card;
mod current;
mod define;
mod help;
mod leaderboard;
mod levels;
mod ping;
mod privacy;
mod rank;
pub mod registration;
mod settings;
mod warn;
mod warning;
mod warnings;
mod xp;

use std::{collections::HashMap, sync::LazyLock};

use futures_util::future::BoxFuture;
use twilight_model::application::command::{
    Command as Definition, CommandOption, CommandOptionChoice, CommandOptionType, CommandType,
};
use twilight_util::builder::command::CommandBuilder;

use crate::{
    interactions::{
        Around, Question, Refusal,
        asked::{Asked, BadOption},
        reply::Reply,
    },
    language::Language,
};

/// A slash command.
pub trait Command: Sync {
    /// Its name, the same in every language.
    fn name(&self) -> &'static str;

    /// What Discord is told of it.
    fn definition(&self) -> Definition {
        describe(self.name()).build()
    }

    /// Whether only the asker sees the answer.
    fn is_private(&self) -> bool {
        false
    }

    /// Answer a question.
    fn run<'a>(
        &'a self,
        question: &'a mut Question,
        around: &'a Around,
    ) -> BoxFuture<'a, Result<Reply, Refusal>>;

    /// Answer a button, a menu or a modal whose `custom_id` is the command's name, or begins with it and a colon.
    fn press<'a>(
        &'a self,
        _question: &'a mut Question,
        _around: &'a Around,
    ) -> BoxFuture<'a, Result<Reply, Refusal>> {
        Box::pin(async { Err(Refusal::Stale) })
    }

    /// What to choose from, while an option is being typed.
    fn complete<'a>(
        &'a self,
        _question: &'a mut Question,
        _around: &'a Around,
    ) -> BoxFuture<'a, Result<Vec<CommandOptionChoice>, Refusal>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// Every command there is, by name.
pub const ALL: &[&dyn Command] = &[
    &about::About,
    &card::Card,
    &help::Help,
    &leaderboard::Leaderboard,
    &levels::Levels,
    &ping::Ping,
    &privacy::Privacy,
    &rank::Rank,
    &settings::Settings,
    &warn::Warn,
    &warning::Warning,
    &warnings::Warnings,
    &xp::Xp,
];

/// The command of this name.
pub fn find(name: &str) -> Option<&'static dyn Command> {
    ALL.iter().copied().find(|command| command.name() == name)
}

/// An option that was given and that the command's definition does not have so: Discord shows a definition of before for a while.
pub fn unusable(command: &dyn Command, asked: &Asked) -> Option<BadOption> {
    /// The options by their command and the names down to the subcommand.
    type Options = HashMap<(&'static str, Vec<String>), Vec<CommandOption>>;
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
    static OPTIONS: LazyLock<Options> = LazyLock::new(|| {
        let mut all = Options::default();
        for command in ALL {
            add(&mut all, command.name(), &[], command.definition().options);
        }
        all
    });
    let path = asked.subcommand().into_iter().map(str::to_owned).collect();
    let defined = OPTIONS.get(&(command.name(), path))?;
    asked.given().find_map(|(name, kind)| {
        let option = defined.iter().find(|option| option.name == name);
        match option {
            Some(option) => (kind != Some(option.kind)).then_some(BadOption(&option.name)),
            None => Some(BadOption("?")),
        }
    })
}

/// Begin a definition, with its description in every language.
fn describe(name: &'static str) -> CommandBuilder {
    let key = format!("{name}-description");
    CommandBuilder::new(name, Language::English.text(&key), CommandType::ChatInput)
        .description_localizations(in_other_languages(&key))
}

/// A text in every language but English, by Discord's locales.
fn in_other_languages(key: &str) -> impl Iterator<Item = (String, String)> {
    let others = Language::ALL
        .into_iter()
        .filter(|language| *language != Language::English);
    let texts = others.flat_map(|language| {
        let locales = language.locales().iter();
        locales.map(move |locale| (*locale, language))
    });
    texts.map(|(locale, language)| (locale.to_owned(), language.text(key)))
}
