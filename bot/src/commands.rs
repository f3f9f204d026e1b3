//! The commands: one file each, and one line in [`ALL`].

mod about;
mod card;
mod define;
mod help;
mod leaderboard;
mod levels;
mod option;
mod ping;
mod privacy;
mod rank;
pub mod registration;
mod settings;
mod warn;
mod warning;
mod warnings;
mod xp;

use futures_util::future::BoxFuture;
use twilight_model::application::command::{Command as Definition, CommandOptionChoice, CommandType};
use twilight_util::builder::command::CommandBuilder;

use crate::{
    interactions::{Around, Question, Refusal, reply::Reply},
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
