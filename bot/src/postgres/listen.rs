//! A dedicated connection that listens for changes of settings, the fleet and timers:
//! <https://www.postgresql.org/docs/current/sql-listen.html>. What this process changes itself it knows without it: see
//! [`Store::listen`].
//!
//! Notifications are applied by the connection's own future in the order in which the server sends them, so the answer to a ping
//! comes after every change that was announced before it. [`Listener::trusted_until`] relies on that: while pings are answered, cached
//! settings are at most a second older than the tables.

use std::{
    fmt,
    sync::{Arc, OnceLock, PoisonError},
    time::Duration,
};

use thiserror::Error;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_postgres::Client;
use twilight_model::id::{Id, marker::GuildMarker};

use super::{
    Store, StoreError,
    connect::{Name, Target},
    statement::Whose,
};
use crate::{
    support::{backoff::Backoff, ids, shutdown},
    telemetry::metrics,
};

/// The interval of pings. Nothing else detects a half-open connection: the operating system needs minutes.
const PING_EVERY: Duration = Duration::from_millis(250);

/// How long cached settings may be served after a ping was sent. A change is visible within a second.
const TRUST: Duration = Duration::from_secs(1);

/// A connection that does not answer within this time is closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Subscribes to the channels of the migrations' triggers.
const LISTEN: &str = "-- settings_listen\nLISTEN eventide_guild_settings; LISTEN eventide_fleet";

/// The payload for a change in the fleet.
const FLEET: &str = "@fleet";

/// The payload for a timer that is due soon, which `timer::arm` sends.
const TIMERS: &str = "@timers";

/// Its arrival proves that LISTEN is in force and that nothing between this process and the server drops notifications.
const SAY: &str =
    "-- settings_confirm\nSELECT pg_notify('eventide_guild_settings', current_schema() || ' ' || $1::text)";

const PING: &str = "-- settings_ping\nSELECT 1";

/// Receives notifications.
pub trait Listener: fmt::Debug + Send + Sync {
    /// The settings of one guild have changed, or those of all.
    fn settings_changed(&self, guild_id: Option<Id<GuildMarker>>);

    /// Cached settings may be served until this moment; with `None`, changes may have been missed.
    fn trusted_until(&self, until: Option<Instant>);

    /// Something has changed in the fleet.
    fn fleet_changed(&self);

    /// Timers were added or changed.
    fn timers_changed(&self);
}

/// Why there are no notifications.
#[derive(Debug, Error)]
enum ListenError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("PostgreSQL does not answer on the connection for settings notifications")]
    Silent,
    #[error(
        "LISTEN does not receive what NOTIFY sends: there is a pooler in front of PostgreSQL; set database.pooler = \"transaction\" and database.direct_url"
    )]
    NotHeard,
}

impl From<tokio_postgres::Error> for ListenError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Notify `listener` of every change, over a dedicated connection, until `stop` is true or its sender is dropped. Of settings that
    /// this store or one of its clones changes, it is notified directly, before the change returns. A store has one listener: another one takes its place.
    pub fn listen(
        &self,
        listener: Arc<dyn Listener>,
        stop: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send + use<> {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&listener));
        listen(self.direct.clone(), listener, stop)
    }

    /// Tell the listener whose settings have changed. PostgreSQL's notification comes later than the answer to the COMMIT.
    pub(super) fn tell(&self, changed: impl IntoIterator<Item = Whose>) {
        let listener = self
            .listener
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(listener) = listener {
            for guild_id in changed {
                listener.settings_changed(guild_id);
            }
        }
    }
}

/// Notify `settings` of every change until `stop` is true or its sender is dropped. While there is no connection, settings are cached for
/// at most a second, and connecting is retried.
async fn listen(target: Option<Target>, listener: Arc<dyn Listener>, mut stop: watch::Receiver<bool>) {
    metrics::settings_listening().set(0.0);
    if let Some(target) = target {
        tokio::select! {
            () = shutdown::stopped(&mut stop) => {}
            () = listen_with_retries(target, &listener) => {}
        }
    } else {
        tracing::warn!(
            "no connection that bypasses the pooler; reloading settings every second: set database.direct_url"
        );
        shutdown::stopped(&mut stop).await;
    }
    changes_may_be_missed(&*listener);
}

async fn listen_with_retries(target: Target, listener: &Arc<dyn Listener>) {
    let name = Name::default();
    name.set("settings");
    let target = target.named(&name);
    let mut backoff = Backoff::new();
    loop {
        let Err(error) = receive(&target, listener, &mut backoff).await;
        changes_may_be_missed(&**listener);
        metrics::settings_reconnects_total().increment(1);
        let wait = backoff.pause();
        if backoff.is_worth_a_line() {
            tracing::warn!(
                %error,
                "settings notifications unavailable; reloading every second"
            );
        }
        tokio::time::sleep(wait).await;
    }
}

/// From now on, settings are cached for a second only.
fn changes_may_be_missed(listener: &dyn Listener) {
    metrics::settings_listening().set(0.0);
    listener.trusted_until(None);
}

/// Connect and process notifications until an error occurs.
async fn receive(
    target: &Target,
    listener: &Arc<dyn Listener>,
    backoff: &mut Backoff,
) -> Result<std::convert::Infallible, ListenError> {
    let own = Arc::new(Own::default());
    let on_notification = {
        let (listener, own, schema) = (Arc::clone(listener), Arc::clone(&own), target.schema().to_owned());
        move |payload: &str| apply(payload, &schema, &*listener, &own)
    };
    let connecting = target.connect_and_listen(Arc::new(on_notification));
    let (client, driver) = timeout(PATIENCE, connecting)
        .await
        .map_err(|_elapsed| ListenError::Silent)??;
    tokio::select! {
        ended = driver => {
            ended?;
            Err(ListenError::Silent)
        }
        failed = talk(&client, &**listener, &own, backoff) => failed,
    }
}

async fn talk(
    client: &Client,
    listener: &dyn Listener,
    own: &Own,
    backoff: &mut Backoff,
) -> Result<std::convert::Infallible, ListenError> {
    let mut sent = Instant::now();
    let confirmed = async {
        client.batch_execute(LISTEN).await?;
        client
            .query_typed(SAY, &[(&own.word(), tokio_postgres::types::Type::TEXT)])
            .await?;
        Ok::<(), tokio_postgres::Error>(())
    };
    timeout(PATIENCE, confirmed)
        .await
        .map_err(|_elapsed| ListenError::Silent)??;
    timeout(PATIENCE, own.heard.notified())
        .await
        .map_err(|_elapsed| ListenError::NotHeard)?;
    // Whatever was read earlier may have changed in the meantime.
    listener.settings_changed(None);
    listener.trusted_until(Some(sent + TRUST));
    metrics::settings_listening().set(1.0);
    if backoff.tries() > 0 {
        tracing::info!("settings notifications available again");
        backoff.reset();
    }
    loop {
        sleep_until(sent + PING_EVERY).await;
        sent = Instant::now();
        timeout(PATIENCE, client.batch_execute(PING))
            .await
            .map_err(|_elapsed| ListenError::Silent)??;
        listener.trusted_until(Some(sent + TRUST));
    }
}

/// A unique payload of this connection, and whether it was received.
#[derive(Default)]
struct Own {
    word: OnceLock<String>,
    heard: Notify,
}

impl Own {
    fn word(&self) -> &String {
        // It cannot be a guild's ID.
        self.word.get_or_init(|| format!("~{:016x}", fastrand::u64(..)))
    }
}

/// Process one payload, in the format of the migrations' triggers. The channel belongs to the whole database; payloads of other schemas are
/// ignored.
fn apply(payload: &str, schema: &str, listener: &dyn Listener, own: &Own) {
    let Some((place, what)) = payload.rsplit_once(' ') else {
        return;
    };
    if place != schema {
        return;
    }
    if what == FLEET {
        listener.fleet_changed();
    } else if what == TIMERS {
        listener.timers_changed();
    } else if what == own.word() {
        // The permit is kept until it is waited for.
        own.heard.notify_one();
    } else if what == "*" {
        metrics::settings_invalidations_total().increment(1);
        listener.settings_changed(None);
    } else if let Some(guild_id) = what.parse().ok().and_then(ids::from_db) {
        metrics::settings_invalidations_total().increment(1);
        listener.settings_changed(Some(guild_id));
    }
}

#[cfg(test)]
mod tests;
