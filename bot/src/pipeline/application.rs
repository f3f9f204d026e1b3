//! Which of Discord's applications the token belongs to, and whether the tables hold the state of this application.
//!
//! Sessions, pending effects, given roles and the day's identifies are of no use to another application: they are reset when it takes the
//! tables over, for example after a backup was restored for a test bot. While a process of the other application is running, this is
//! refused.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use twilight_model::id::{Id, marker::ApplicationMarker};

use crate::{
    config::Config,
    pipeline::{
        fleet::identity,
        rows::application::{self, Claimed},
    },
    postgres::{Store, StoreError, connect::quoted},
};

/// The delay between two checks whether the other application's process has ended.
const POLL: Duration = Duration::from_millis(500);

/// Claim the tables for the application.
///
/// # Errors
///
/// [`StoreError::Unfit`] while a process of another application is running. If it was killed, this waits for its lease to expire.
pub async fn claim(
    store: &Store,
    config: &Config,
    application_id: Id<ApplicationMarker>,
) -> Result<(), StoreError> {
    let me = identity::this_process(config.fleet.capacity);
    let lease = config.fleet.lease;
    let deadline = Instant::now() + lease + lease / 2;
    loop {
        match application::claim(store, application_id, &me, lease).await? {
            Claimed::Ours => return Ok(()),
            Claimed::From {
                application_id: before,
                sessions,
                effects,
            } => {
                tracing::warn!(
                    application.id = application_id.get(),
                    application.before = before.get(),
                    sessions,
                    effects,
                    "the token is of another application than before: its sessions are not resumed, its effects are set aside (eventide \
                     effects --failed shows them), and the roles that it gave are not taken"
                );
                return Ok(());
            }
            Claimed::InUse {
                application_id: other,
                host,
            } => {
                if Instant::now() >= deadline {
                    return Err(in_use(config, application_id, other, &host));
                }
                sleep(POLL).await;
            }
        }
    }
}

/// Check that no other application claimed the tables before this process joined the fleet. Later claims are refused.
///
/// # Errors
///
/// [`StoreError::Unfit`] if one has.
pub async fn expect(
    store: &Store,
    config: &Config,
    application_id: Id<ApplicationMarker>,
) -> Result<(), StoreError> {
    match application::of(store).await? {
        Some(other) if other != application_id => {
            Err(in_use(config, application_id, other, "started just now"))
        }
        _ => Ok(()),
    }
}

fn in_use(
    config: &Config,
    application_id: Id<ApplicationMarker>,
    other: Id<ApplicationMarker>,
    host: &str,
) -> StoreError {
    StoreError::Unfit(format!(
        "the schema {} is in use by the application {other} ({host}), and the token is of the application {application_id}: set \
         database.schema (DB_SCHEMA) to another schema for each bot, or stop the processes of the other application first",
        quoted(&config.database.schema)
    ))
}
