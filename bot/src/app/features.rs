//! The features of the bot.

use crate::{
    config::Config,
    discord::rest::Rest,
    features::{basics, levels, moderation, privacy, server_settings},
    interactions::command::Commands,
    outbox::{pruning, timers::Registry},
    postgres::Store,
    settings::Settings,
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use twilight_validate::command::command as validate;

    use super::COMMANDS;

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
}
