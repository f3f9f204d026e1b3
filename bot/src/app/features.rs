//! The features of the bot.

use crate::{
    features::{basics, levels, moderation, privacy, server_settings},
    interactions::command::Commands,
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
