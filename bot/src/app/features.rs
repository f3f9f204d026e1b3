//! What is derived from the manifests of the features.

use std::sync::Arc;

use hyper::http::Extensions;

pub use crate::features::effect_kinds;
use crate::{
    config::Config,
    discord::rest::Rest,
    features::{FEATURES, privacy::rows::member::MemberData},
    interactions::{self, Services, command::Commands, feature::Process},
    outbox::{self, pruning, timers::Registry},
    pipeline,
    postgres::{
        Store,
        table::{self, Table},
    },
    settings::{self, Settings, section::Section},
    web::{self, route::Route},
};

/// All commands.
pub static COMMANDS: Commands = Commands::new(FEATURES);

/// All tables. Rows of a guild or a member are locked and deleted in this order (docs/invariants.md).
pub fn tables() -> Vec<&'static Table> {
    let before = [
        table::TABLES,
        pipeline::TABLES,
        settings::TABLES,
        interactions::TABLES,
    ];
    let of_features = FEATURES.iter().map(|feature| feature.tables);
    let all = before
        .into_iter()
        .chain(of_features)
        .chain([outbox::TABLES, web::TABLES]);
    all.flatten().collect()
}

/// What `/privacy` exports and erases, with these settings.
pub fn member_data(settings: &Settings) -> MemberData {
    MemberData {
        tables: tables(),
        own_effects: effect_kinds(settings).of_members(),
    }
}

/// Every section of settings.
pub(super) fn sections() -> impl Iterator<Item = &'static Section> {
    COMMANDS.sections()
}

/// The kinds of timers that `/scheduled` has words for.
pub fn scheduled_kinds() -> Vec<&'static str> {
    COMMANDS.expected().map(|expected| expected.kind).collect()
}

/// The timers and jobs of all features.
pub fn timers(config: &Config, store: &Store, rest: &Rest, settings: &Settings) -> Registry {
    let process = Process {
        config,
        store,
        rest,
        settings,
        tables: &tables(),
    };
    let own = Registry::default().with_job(pruning::job(store, config.effects.keep_failed));
    FEATURES
        .iter()
        .fold(own, |registry, feature| (feature.timers)(registry, &process))
}

/// The pages of all features.
pub(super) fn pages(services: &Arc<Services>) -> Vec<Route> {
    let pages = FEATURES.iter().flat_map(|feature| feature.pages);
    pages.map(|page| page.route(services)).collect()
}

/// The state that features keep in a process.
pub(super) fn state(config: &Config, settings: &Settings) -> Extensions {
    let mut state = Extensions::new();
    state.insert(member_data(settings));
    for feature in FEATURES {
        (feature.state)(&mut state, config);
    }
    state
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use twilight_model::application::command::CommandType;
    use twilight_validate::command::command as validate;

    use super::{COMMANDS, effect_kinds, tables};
    use crate::{
        config::Config, features::FEATURES, outbox::kind::AnyEffectKind, settings::Settings,
        support::i18n::Language,
    };

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
            serde_json::from_str(include_str!("../features/api/openapi.json")).expect("JSON");
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
}
