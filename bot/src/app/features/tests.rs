use std::collections::BTreeSet;

use twilight_model::{
    application::command::{CommandOption, CommandOptionType, CommandType},
    guild::Permissions,
};
use twilight_validate::command::command as validate;

use super::{COMMANDS, effect_kinds, tables};
use crate::{
    config::Config, features::FEATURES, outbox::kind::AnyEffectKind, settings::Settings,
    support::i18n::Language,
};

/// Subcommands, and whole commands, that change no setting of a server.
const NO_SETTINGS: &[&str] = &[
    "card mine",
    "levels reset",
    "levels reward list",
    "levels reward sync",
    "levels show",
    "levels undo",
    "massban",
    "undo",
    "warning edit",
    "warning remove",
    "warning threshold list",
    "xp",
];
/// Those that change settings of sections, which have pages of their own.
const SECTIONS: &[&str] = &["levels announce", "levels departed", "settings"];

/// The names of a command's subcommands, or of the command if it has none.
fn leaves(name: &str, options: &[CommandOption]) -> Vec<String> {
    let subs = options.iter().filter(|option| {
        use CommandOptionType::{SubCommand, SubCommandGroup};
        matches!(option.kind, SubCommand | SubCommandGroup)
    });
    let leaves: Vec<String> = subs
        .flat_map(|sub| {
            let name = format!("{name} {}", sub.name);
            leaves(&name, sub.options.as_deref().unwrap_or_default())
        })
        .collect();
    if leaves.is_empty() {
        vec![name.to_owned()]
    } else {
        leaves
    }
}

/// A new subcommand is on a page of the website, or on a list above. `tests/it/web/every_setting.rs` looks at the tables.
#[test]
fn every_setting_that_a_command_changes_has_a_form() {
    let pages = FEATURES.iter().flat_map(|feature| feature.pages);
    let forms: BTreeSet<String> = pages
        .flat_map(|page| page.subcommands())
        .map(|form| format!("{} {}", form.command.name(), form.path.join(" ")))
        .collect();
    let definitions = COMMANDS.definitions();
    // Commands that ask for the permission to change settings, and those that have a form.
    let commands = definitions.iter().filter(|definition| {
        let permissions = definition.default_member_permissions;
        let changes_settings = permissions.is_some_and(|all| all.contains(Permissions::MANAGE_GUILD));
        let has_form = || {
            let name = format!("{} ", definition.name);
            forms.iter().any(|form| form.starts_with(&name))
        };
        definition.kind == CommandType::ChatInput && (changes_settings || has_form())
    });
    let all: Vec<String> = commands
        .flat_map(|definition| leaves(&definition.name, &definition.options))
        .collect();
    let others = || NO_SETTINGS.iter().chain(SECTIONS);
    let is_of = |leaf: &str, other: &str| leaf == other || leaf.starts_with(&format!("{other} "));
    for leaf in &all {
        let listed = others().any(|other| is_of(leaf, other));
        assert!(
            listed != forms.contains(leaf),
            "{leaf} needs a form, or is on a list"
        );
    }
    for form in &forms {
        assert!(all.contains(form), "{form} is no subcommand");
    }
    for other in others() {
        assert!(all.iter().any(|leaf| is_of(leaf, other)), "{other} is no command");
    }
}

#[test]
fn every_definition_is_one_that_discord_takes() {
    let definitions = COMMANDS.definitions();
    for definition in &definitions {
        validate(definition).unwrap_or_else(|fault| panic!("{}: {fault}", definition.name));
        let texts = match definition.kind {
            CommandType::ChatInput => definition.description_localizations.as_ref(),
            _ => definition.name_localizations.as_ref(),
        };
        assert!(
            texts.is_some_and(|texts| texts.contains_key("de")),
            "{}",
            definition.name
        );
    }
    let names: BTreeSet<_> = definitions
        .iter()
        .map(|definition| (u8::from(definition.kind), definition.name.as_str()))
        .collect();
    assert_eq!(names.len(), definitions.len(), "each name once");
}

#[test]
fn every_path_for_programs_is_described() {
    let described: serde_json::Value =
        serde_json::from_str(include_str!("../../features/api/openapi.json")).expect("JSON");
    let described = described["paths"].as_object().expect("paths");
    let pages = FEATURES.iter().flat_map(|feature| feature.pages);
    let served: BTreeSet<&str> = pages
        .map(|page| page.pattern())
        .filter(|path| path.starts_with("/api/") && path.contains('{'))
        .collect();
    assert_eq!(served, described.keys().map(String::as_str).collect());
}

#[test]
fn every_section_has_defaults_and_texts() {
    let sections: Vec<_> = super::sections().collect();
    let names: BTreeSet<&str> = sections.iter().map(|section| section.name).collect();
    assert!(!names.is_empty() && names.len() == sections.len(), "{names:?}");
    for section in sections {
        let defaults = section.defaults();
        assert!(section.fields.len() <= 25, "a menu has no more options");
        assert_eq!(defaults.len(), section.fields.len(), "{}", section.name);
        for setting in section.settings() {
            let default = &defaults[setting.field.name];
            assert!(setting.field.kind.accepts(default), "{setting}: {default}");
            for language in Language::ALL {
                // A text that is missing panics.
                for text in [
                    setting.label(language),
                    setting.hint(language),
                    section.title(language),
                ] {
                    assert!(
                        !text.is_empty() && text.chars().count() <= 100,
                        "{setting}: {text}"
                    );
                }
            }
        }
    }
}

#[test]
fn no_kind_of_effect_or_table_is_there_twice() {
    let settings = Settings::new(&Config::defaults().levels);
    let kinds = effect_kinds(&settings);
    let names: BTreeSet<&str> = kinds.iter().map(AnyEffectKind::name).collect();
    assert_eq!(names.len(), kinds.iter().count());
    let all = tables();
    let names: BTreeSet<&str> = all.iter().map(|table| table.name).collect();
    assert_eq!(names.len(), all.len());
}
