//! Which of Discord's applications the process has the token of, and that it is the one whose state the tables hold.
//!
//! Sessions, effects that wait, given roles and the day's identifies mean nothing to another application: they are reset when one
//! takes the tables over, as after the restore of a backup for a bot to try things with. While a process of the other application
//! runs, that is refused.

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

/// The pause between two checks that the other application's process is gone.
const POLL: Duration = Duration::from_millis(500);

/// Take the tables for the application.
///
/// # Errors
///
/// [`StoreError::Unfit`] while a process of another application runs. One that was killed is waited for.
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

/// See that no other application has claimed the tables until this process entered the fleet. From then on its claim is refused.
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
