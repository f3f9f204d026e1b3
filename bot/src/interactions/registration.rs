//! Registering the commands with Discord, only if they have changed, since Discord allows 200 new ones per day and server.
//!
//! <https://docs.discord.com/developers/interactions/application-commands#registering-a-command>

pub mod rows;

use std::{fmt::Write as _, time::Duration};

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio::sync::watch;
use twilight_http::{request::Request, routing::Route};
use twilight_model::{
    application::command::Command as Definition,
    id::{
        Id,
        marker::{ApplicationMarker, GuildMarker},
    },
};

use crate::{
    config,
    discord::rest::{Priority, Rest, RestError},
    interactions::command::Commands,
    postgres::{Store, StoreError},
    support::{backoff::Backoff, error_chain::in_one_line, shutdown::stopped_within},
};

/// The delay before a failed registration is retried; it is doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// Discord's type of Entry Point commands.
const ENTRY_POINT: u8 = 4;

/// Why the commands could not be registered.
#[derive(Debug, Error)]
pub enum RegistrationError {
    /// Discord returned an error.
    #[error("Discord: {0}")]
    Rest(#[from] RestError),
    /// The last registration could not be read or recorded.
    #[error("database: {0}")]
    Store(#[from] StoreError),
}

/// The result of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The commands were registered.
    Now,
    /// They were already registered.
    Before,
}

/// Register the commands if they differ from the last registration, or in any case with `force`. With a test server, they are only
/// registered there, where they are available immediately.
pub async fn sync(
    store: &Store,
    rest: &Rest,
    commands: &Commands,
    guild_id: Option<Id<GuildMarker>>,
    force: bool,
) -> Result<Registered, RegistrationError> {
    let definitions = commands.definitions();
    let application_id = application_id(rest).await?;
    let hash = hash_of(application_id, &definitions);
    if !force && rows::hash(store, guild_id).await?.as_deref() == Some(&hash) {
        return Ok(Registered::Before);
    }
    let client = rest.builders().interaction(application_id);
    match guild_id {
        None => set_global(rest, application_id, &definitions).await?,
        Some(guild_id) => {
            let request = client.set_guild_commands(guild_id, &definitions);
            drop(rest.send(Priority::Command, request).await?);
        }
    }
    rows::note(store, guild_id, &hash).await?;
    Ok(Registered::Now)
}

/// Replace the global commands. An Entry Point command, which opens the application's activity, was created by Discord, which rejects a
/// list without it (50240).
async fn set_global(
    rest: &Rest,
    application_id: Id<ApplicationMarker>,
    definitions: &[Definition],
) -> Result<(), RestError> {
    let client = rest.builders().interaction(application_id);
    let known: Vec<Value> = rest
        .send(Priority::Command, client.global_commands())
        .await?
        .model()?;
    let ours = definitions
        .iter()
        .map(|definition| serde_json::to_value(definition).expect("definitions are JSON"));
    let kept = known.into_iter().filter(|command| command["type"] == ENTRY_POINT);
    let all: Vec<Value> = ours.chain(kept).collect();
    let route = Route::SetGlobalCommands {
        application_id: application_id.get(),
    };
    let request = Request::builder(&route).json(&all).build();
    let request = request.map_err(|error| RestError::Invalid {
        reason: in_one_line(&error),
    })?;
    rest.send_raw(Priority::Command, &request).await.map(drop)
}

/// A registered command, with the fields that are compared.
#[derive(Clone, Debug, Deserialize)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// The description in English.
    #[serde(default)]
    pub description: String,
}

/// The commands registered with Discord.
pub async fn registered(
    rest: &Rest,
    guild_id: Option<Id<GuildMarker>>,
) -> Result<Vec<Known>, RegistrationError> {
    let application_id = application_id(rest).await?;
    let client = rest.builders().interaction(application_id);
    let answer = match guild_id {
        None => rest.send(Priority::Command, client.global_commands()).await?,
        Some(guild_id) => {
            let request = client.guild_commands(guild_id);
            rest.send(Priority::Command, request).await?
        }
    };
    Ok(answer.model()?)
}

/// Register the commands when the process starts, and retry until it succeeds or `stop` is true.
pub async fn keep(
    store: Store,
    rest: Rest,
    commands: &Commands,
    config: config::Commands,
    mut stop: watch::Receiver<bool>,
) {
    let mut backoff = Backoff::between(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        match sync(&store, &rest, commands, config.test_guild, false).await {
            Ok(Registered::Now) => {
                tracing::info!(
                    commands = commands.iter().count(),
                    guild.id = config.test_guild.map(Id::get),
                    "slash commands registered with Discord"
                );
                return;
            }
            Ok(Registered::Before) => return,
            Err(error) => {
                let wait = backoff.pause();
                if backoff.is_worth_a_line() {
                    tracing::warn!(%error, "slash commands could not be registered; retrying");
                }
                if stopped_within(&mut stop, wait).await {
                    return;
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct Application {
    id: Id<ApplicationMarker>,
}

/// The application ID of the token.
pub(crate) async fn application_id(rest: &Rest) -> Result<Id<ApplicationMarker>, RestError> {
    let request = rest.builders().current_user_application();
    let application: Application = rest.send(Priority::Command, request).await?.model()?;
    Ok(application.id)
}

/// The hash that is recorded for a registration. It includes the application: with a different token, or in a restored copy of the
/// database, nothing is registered yet.
fn hash_of(application_id: Id<ApplicationMarker>, definitions: &[Definition]) -> String {
    let body = serde_json::to_vec(definitions).expect("definitions are JSON");
    let mut digest = Sha256::new();
    digest.update(application_id.get().to_le_bytes());
    digest.update(body);
    let mut hash = String::with_capacity(64);
    for byte in digest.finalize() {
        write!(hash, "{byte:02x}").expect("a String takes everything");
    }
    hash
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::hash_of;
    use crate::app::features::COMMANDS;

    #[test]
    fn a_change_changes_the_hash() {
        let mut definitions = COMMANDS.definitions();
        let before = hash_of(Id::new(1), &definitions);
        assert_eq!(hash_of(Id::new(1), &definitions), before);
        assert_ne!(hash_of(Id::new(2), &definitions), before, "another application");
        definitions[0].description.push('!');
        assert_ne!(hash_of(Id::new(1), &definitions), before);
    }
}
