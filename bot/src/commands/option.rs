//! Options of commands, with their names and descriptions in every language.

use twilight_model::application::command::{CommandOption, CommandOptionType, CommandOptionValue};
use twilight_util::builder::command::{StringBuilder, SubCommandBuilder, SubCommandGroupBuilder};

use super::in_other_languages;
use crate::language::Language;

/// An option `name`, whose texts are `KEY` and `KEY-description` of the catalogues.
pub(super) fn option(name: &'static str, key: &str, kind: CommandOptionType) -> CommandOption {
    let description = format!("{key}-description");
    let mut option = StringBuilder::new(name, Language::English.text(&description))
        .name_localizations(in_other_languages(key))
        .description_localizations(in_other_languages(&description))
        .build();
    option.kind = kind;
    option
}

/// The same, without which Discord does not send the command.
pub(super) fn required(name: &'static str, key: &str, kind: CommandOptionType) -> CommandOption {
    CommandOption {
        required: Some(true),
        ..option(name, key, kind)
    }
}

/// A whole number between two others.
pub(super) fn between(option: CommandOption, least: i64, most: i64) -> CommandOption {
    CommandOption {
        min_value: Some(CommandOptionValue::Integer(least)),
        max_value: Some(CommandOptionValue::Integer(most)),
        ..option
    }
}

/// A text of at most so many characters, and at least one.
pub(super) fn at_most(option: CommandOption, characters: u16) -> CommandOption {
    CommandOption {
        min_length: Some(1),
        max_length: Some(characters),
        ..option
    }
}

/// A text that is one of these words, each with the key of what is shown.
pub(super) fn one_of<'a>(
    option: CommandOption,
    words: impl IntoIterator<Item = (&'static str, &'a str)>,
) -> CommandOption {
    let words: Vec<_> = words.into_iter().collect();
    let mut choices = StringBuilder::new("x", "x").choices(
        words
            .iter()
            .map(|(word, key)| (Language::English.text(key), *word)),
    );
    for (_, key) in &words {
        choices = choices.choice_localizations(&Language::English.text(key), in_other_languages(key));
    }
    CommandOption {
        choices: choices.build().choices,
        ..option
    }
}

/// A subcommand, whose description is `KEY-description` of the catalogues.
pub(super) fn subcommand(name: &'static str, key: &str) -> SubCommandBuilder {
    let description = format!("{key}-description");
    SubCommandBuilder::new(name, Language::English.text(&description))
        .description_localizations(in_other_languages(&description))
}

/// A group of subcommands, described the same way.
pub(super) fn group(
    name: &'static str,
    key: &str,
    subcommands: impl IntoIterator<Item = SubCommandBuilder>,
) -> CommandOption {
    let description = format!("{key}-description");
    SubCommandGroupBuilder::new(name, Language::English.text(&description))
        .description_localizations(in_other_languages(&description))
        .subcommands(subcommands)
        .build()
}
