//! Commands: <https://docs.discord.com/developers/interactions/application-commands>.

use std::collections::HashSet;

use serde_json::Value;

use super::{Faults, Field, component::check_listed_choices};
use crate::rest::Answer;

/// The kind of a command that is written.
const CHAT_INPUT: u64 = 1;
/// The kind of the command that opens an activity.
pub(in crate::rest) const ENTRY_POINT: u64 = 4;
const SUB_COMMAND: u64 = 1;
const SUB_COMMAND_GROUP: u64 = 2;
/// How many commands of each kind there may be in a scope.
const MOST: [(u64, usize); 4] = [(CHAT_INPUT, 100), (2, 15), (3, 15), (ENTRY_POINT, 1)];
/// Names, descriptions and values of a command with all that is in it, in characters.
const LONGEST_COMMAND: usize = 8_000;

/// The kind of a command; a definition without one is of the first.
pub(in crate::rest) fn kind(command: &Value) -> u64 {
    command["type"].as_u64().unwrap_or(CHAT_INPUT)
}

/// What is wrong with a command, if anything.
pub(in crate::rest) fn check(command: &Value) -> Result<(), Answer> {
    let faults = Faults::default();
    check_command(&faults.root(command));
    faults.answer()
}

/// What is wrong with a list of all commands of a scope, if anything.
pub(in crate::rest) fn check_all(commands: &Value) -> Result<(), Answer> {
    let faults = Faults::default();
    let root = faults.root(commands);
    if !commands.is_array() {
        root.list(0..=0);
        return faults.answer();
    }
    let mut names = HashSet::new();
    for command in root.items() {
        check_command(&command);
        if !names.insert((kind(command.value), command.value["name"].as_str())) {
            command.fault(
                "APPLICATION_COMMANDS_DUPLICATE_NAME",
                "Application command names must be unique",
            );
        }
    }
    let of_kind = |wanted| root.items().filter(|it| kind(it.value) == wanted).count();
    let over = MOST.into_iter().find(|&(wanted, most)| of_kind(wanted) > most);
    faults.answer()?;
    match over {
        Some((_, most)) => {
            let message = format!("Maximum number of application commands reached ({most}).");
            Err(Answer::error(400, 30_032, &message))
        }
        None => Ok(()),
    }
}

fn check_command(command: &Field<'_>) {
    let description = command.at("description");
    match kind(command.value) {
        CHAT_INPUT => {
            check_names(command, true);
            check_descriptions(command);
            check_options(&command.at("options"));
        }
        2 | 3 => {
            check_names(command, false);
            if description.chars() > 0 {
                let message = "Context menu commands cannot have description";
                description.fault("APPLICATION_COMMAND_INVALID_DESCRIPTION", message);
            }
        }
        ENTRY_POINT => {
            check_names(command, false);
            description.text(0..=100);
        }
        _ => {
            let message = "Value must be one of {1, 2, 3, 4}.";
            command.at("type").fault("BASE_TYPE_CHOICES", message);
        }
    }
    if size(command.value) > LONGEST_COMMAND {
        let message = "Command exceeds maximum size (8000)";
        command.fault("APPLICATION_COMMAND_TOO_LARGE", message);
    }
}

/// The names of a command or option in all languages. What is written in a message has small letters and no spaces.
fn check_names(named: &Field<'_>, written: bool) {
    let name = named.at("name");
    if name.is_missing() {
        name.missing();
    }
    let localized = named.at("name_localizations");
    for name in localized.values().chain([name]) {
        name.text(1..=32);
        let is_written = |text: &str| {
            text.chars()
                .all(|char| char.is_alphanumeric() || matches!(char, '-' | '_' | '\''))
                && text.to_lowercase() == *text
        };
        if written && name.value.as_str().is_some_and(|text| !is_written(text)) {
            let message = "Command name is invalid";
            name.fault("APPLICATION_COMMAND_INVALID_NAME", message);
        }
    }
}

fn check_descriptions(described: &Field<'_>) {
    described.at("description").required_text(1..=100);
    for text in described.at("description_localizations").values() {
        text.text(1..=100);
    }
}

fn check_options(options: &Field<'_>) {
    options.list(0..=25);
    let mut names = HashSet::new();
    let mut optional_before = false;
    for option in options.items() {
        check_names(&option, true);
        check_descriptions(&option);
        if !names.insert(option.value["name"].as_str()) {
            option.fault(
                "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
                "Option name already exists",
            );
        }
        let is_sub = matches!(
            option.value["type"].as_u64(),
            Some(SUB_COMMAND | SUB_COMMAND_GROUP)
        );
        if is_sub {
            check_options(&option.at("options"));
            continue;
        }
        let required = option.value["required"] == true;
        if required && optional_before {
            option.fault(
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            );
        }
        optional_before |= !required;
        let choices = option.at("choices");
        check_listed_choices(&choices);
        if option.value["autocomplete"] == true && choices.items().next().is_some() {
            option.fault(
                "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_WITH_CHOICES",
                "Options with autocomplete cannot have choices",
            );
        }
        option.at("min_length").number(0..=6_000);
        option.at("max_length").number(1..=6_000);
    }
}

/// The characters of names, descriptions and values. Of a text in several languages the longest counts.
fn size(named: &Value) -> usize {
    let longest = |name: &str, localizations: &str| {
        let own = named[name].as_str();
        let others = named[localizations].as_object().into_iter().flatten();
        own.into_iter()
            .chain(others.filter_map(|(_, text)| text.as_str()))
            .map(|text| text.chars().count())
            .max()
            .unwrap_or(0)
    };
    let value = named["value"].as_str().map_or(0, |text| text.chars().count());
    let inner = ["options", "choices"].into_iter();
    let inner = inner.flat_map(|list| named[list].as_array().into_iter().flatten());
    longest("name", "name_localizations")
        + longest("description", "description_localizations")
        + value
        + inner.map(size).sum::<usize>()
}
