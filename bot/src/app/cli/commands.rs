//! `eventide commands`: lists and registers the slash commands.

use std::io::Write as _;

use clap::Subcommand;

use super::CliError;
use crate::{
    app::features::COMMANDS,
    config::{Config, Problems},
    discord::rest::Rest,
    interactions::registration::{self, Registered, RegistrationError},
    postgres::database::Database,
    telemetry::logging,
};

/// What to do.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Commands {
    /// Register the commands, even if they have not changed
    Sync,
    /// Show the commands, and whether each is registered with Discord in its current form
    List,
}

async fn register(
    database: &Database,
    rest: &Rest,
    config: &Config,
) -> Result<Registered, RegistrationError> {
    let store = database.own_store(&config.database).await?;
    let done = registration::sync(&store, rest, &COMMANDS, config.commands.test_guild, true).await;
    store.close();
    done
}

/// Run the subcommand.
///
/// # Errors
///
/// Discord or the database cannot be reached, or there is no token.
pub async fn commands(what: Commands, config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let token = config.require_token().map_err(Problems::from)?;
    let rest = Rest::new(&config.discord, token);
    let guild_id = config.commands.test_guild;
    match what {
        Commands::List => {
            let known = registration::registered(&rest, guild_id).await?;
            let mut out = std::io::stdout();
            let definitions = COMMANDS.definitions();
            for definition in &definitions {
                let state = match known.iter().find(|known| known.name == definition.name) {
                    None => "not registered",
                    Some(known) if known.description == definition.description => "registered",
                    Some(_) => "registered in an older form",
                };
                writeln!(
                    out,
                    "/{:<14} {state:<20} {}",
                    definition.name, definition.description
                )?;
            }
            for known in &known {
                if !definitions.iter().any(|definition| definition.name == known.name) {
                    writeln!(
                        out,
                        "/{:<14} {:<20} {}",
                        known.name, "not this bot's", known.description
                    )?;
                }
            }
            Ok(())
        }
        Commands::Sync => {
            let database = Database::visit(&config.database).await?;
            let done = register(&database, &rest, config).await;
            database.close().await?;
            debug_assert!(!matches!(done, Ok(Registered::Before)));
            done?;
            writeln!(
                std::io::stdout(),
                "{} commands registered",
                COMMANDS.iter().count()
            )?;
            Ok(())
        }
    }
}
