//! The lists of what the features add to the bot: commands, timers, state, and kinds of effects.

use hyper::http::Extensions;

use crate::{
    config::Config,
    discord::rest::Rest,
    features::{
        basics,
        levels::{
            self,
            card::Cards,
            effects::{announcement::LevelUps, roles::kind::RewardRoles},
        },
        moderation::{
            self,
            effects::{
                punishment::{Punishments, TimeoutLifts},
                warned::DirectWarnings,
            },
            log::ModLogs,
        },
        privacy, server_settings,
        welcome::effect::Welcomes,
    },
    interactions::command::Commands,
    outbox::{kind::EffectKinds, pruning, timers::Registry},
    postgres::Store,
    settings::{Settings, notice::Notices},
};

/// Every command there is, by name.
pub static COMMANDS: Commands = Commands::new(&[
    &basics::about::About,
    &levels::commands::card::Card,
    &basics::help::Help,
    &levels::commands::leaderboard::Leaderboard,
    &levels::commands::levels::Levels,
    &basics::ping::Ping,
    &privacy::command::Privacy,
    &levels::commands::rank::Rank,
    &server_settings::command::Settings,
    &moderation::commands::warn::Warn,
    &moderation::commands::warning::Warning,
    &moderation::commands::warnings::Warnings,
    &levels::commands::xp::Xp,
]);

/// What is done at its time, by one process of the fleet.
pub fn timers(config: &Config, store: &Store, rest: &Rest, settings: &Settings) -> Registry {
    Registry::default()
        .with(levels::boosts::Removal)
        .with_job(levels::adjust::mass::job(store, settings))
        .with_job(privacy::guild_sync::job(store, rest))
        .with_job(privacy::retention::job(store, config.privacy.retention))
        .with_job(pruning::job(store, config.effects.keep_failed))
}

/// What features keep in a process.
pub(super) fn state(config: &Config) -> Extensions {
    let mut state = Extensions::new();
    state.insert(Cards::new(&config.discord.cdn_url));
    state
}

/// Every kind of effect there is, for a process with these settings.
pub fn effect_kinds(settings: &Settings) -> EffectKinds {
    EffectKinds::new(vec![
        Box::new(LevelUps(settings.clone())),
        Box::new(RewardRoles(settings.clone())),
        Box::new(Notices(settings.clone())),
        Box::new(Punishments(settings.clone())),
        Box::new(TimeoutLifts),
        Box::new(DirectWarnings),
        Box::new(ModLogs),
        Box::new(Welcomes(settings.clone())),
    ])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use twilight_validate::command::command as validate;

    use super::{COMMANDS, effect_kinds};
    use crate::{config::Config, outbox::kind::EffectKind, settings::Settings, telemetry::metrics::labels};

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
    fn every_kind_of_effect_is_a_label() {
        let settings = Settings::new(&Config::defaults().levels);
        let kinds = effect_kinds(&settings);
        let names: BTreeSet<&str> = kinds.iter().map(EffectKind::name).collect();
        assert_eq!(names, labels::EFFECT_KINDS.iter().copied().collect());
    }
}
