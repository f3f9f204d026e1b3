//! What is derived from the manifests of the features.

use std::sync::Arc;

use hyper::http::Extensions;

use crate::{
    config::Config,
    discord::rest::Rest,
    features::FEATURES,
    interactions::{Services, command::Commands, feature::Process},
    outbox::{
        self,
        kind::{AnyEffectKind, EffectKinds},
        pruning,
        timers::Registry,
    },
    pipeline,
    postgres::{Store, guild_table::GuildTable},
    settings::{self, Settings, notice::Notices, section::Section},
    web::route::Route,
};

/// All commands.
pub static COMMANDS: Commands = Commands::new(FEATURES);

/// All tables with guild data, in the order in which they are emptied when a guild's data is deleted.
pub fn guild_tables() -> Vec<&'static GuildTable> {
    let own = [pipeline::TABLES, outbox::TABLES, settings::TABLES];
    let of_features = FEATURES.iter().map(|feature| feature.tables);
    own.into_iter().chain(of_features).flatten().collect()
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
        tables: &guild_tables(),
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
pub(super) fn state(config: &Config) -> Extensions {
    let mut state = Extensions::new();
    for feature in FEATURES {
        (feature.state)(&mut state, config);
    }
    state
}

/// All kinds of effects in a process with these settings.
pub fn effect_kinds(settings: &Settings) -> EffectKinds {
    let own: Vec<Box<dyn AnyEffectKind>> = vec![Box::new(Notices(settings.clone()))];
    let of_features = FEATURES.iter().flat_map(|feature| (feature.effects)(settings));
    EffectKinds::new(own.into_iter().chain(of_features).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use twilight_validate::command::command as validate;

    use super::{COMMANDS, effect_kinds};
    use crate::{
        config::Config,
        features::{FEATURES, privacy::rows::member},
        outbox::kind::AnyEffectKind,
        settings::Settings,
        support::i18n::Language,
        telemetry::metrics::labels,
    };

    #[test]
    fn every_definition_is_one_that_discord_takes() {
        let definitions = COMMANDS.definitions();
        for definition in &definitions {
            validate(definition).unwrap_or_else(|fault| panic!("{}: {fault}", definition.name));
            let texts = definition.description_localizations.as_ref();
            assert!(
                texts.is_some_and(|texts| texts.contains_key("de")),
                "{}",
                definition.name
            );
        }
        let names: BTreeSet<&str> = definitions
            .iter()
            .map(|definition| definition.name.as_str())
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

    /// Guards erasures: what a new kind of effect delivers is either the member's own data or an action of the server's staff.
    #[test]
    fn every_kind_of_effect_is_erased_or_staffs() {
        const STAFFS: [&str; 17] = [
            "notice",
            "punishment",
            "timeout_lift",
            "warned",
            "mod_action",
            "mod_lift",
            "mod_message",
            "mod_case_log",
            "mod_case_log_edit",
            "mod_log",
            "channel_lock",
            "channel_unlock",
            "channel_slowmode",
            "channel_slowmode_end",
            "role_change",
            "nick_change",
            "purge",
        ];
        let decided: BTreeSet<&str> = member::EFFECTS.into_iter().chain(STAFFS).collect();
        assert_eq!(decided, labels::EFFECT_KINDS.iter().copied().collect());
        assert!(member::EFFECTS.iter().all(|kind| !STAFFS.contains(kind)));
    }

    #[test]
    fn every_kind_of_effect_is_a_label() {
        let settings = Settings::new(&Config::defaults().levels);
        let kinds = effect_kinds(&settings);
        let names: BTreeSet<&str> = kinds.iter().map(AnyEffectKind::name).collect();
        assert_eq!(names, labels::EFFECT_KINDS.iter().copied().collect());
    }
}
