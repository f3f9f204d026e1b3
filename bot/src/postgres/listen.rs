//! A connection of its own that hears of changed settings, and of changes in the fleet: <https://www.postgresql.org/docs/current/sql-listen.html>.
//!
//! News are applied by the connection's own future, in the order in which the server sends them, so what is answered to a ping
//! comes after every change that was told before it. That is what [`Settings::trust_until`] rests on: as long as pings are answered,
//! what is remembered is at most a second older than the tables.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use thiserror::Error;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_postgres::Client;

use super::{
    StoreError,
    connect::{Name, Target},
};
use crate::{
    settings::Settings,
    support::{backoff::Backoff, ids, shutdown},
    telemetry::metrics,
};

/// How often the connection is asked whether it is still there. A half-open one shows in no other way: the system finds out after
/// minutes.
const PING_EVERY: Duration = Duration::from_millis(250);

/// How long after a ping was sent what is remembered may be served. The promise is that a change is seen within a second.
const TRUST: Duration = Duration::from_secs(1);

/// A connection that does not answer for so long is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for the news of the migration's triggers.
const LISTEN: &str = "-- settings_listen\nLISTEN eventide_guild_settings; LISTEN eventide_fleet";

/// What is said when something has changed in the fleet.
const FLEET: &str = "@fleet";

/// What is said when a timer was armed that is due soon, as `timer::arm` says it.
const TIMERS: &str = "@timers";

/// What is heard of it proves that LISTEN was in force before, and that nothing between here and the server kept it from us.
const SAY: &str =
    "-- settings_confirm\nSELECT pg_notify('eventide_guild_settings', current_schema() || ' ' || $1::text)";

const PING: &str = "-- settings_ping\nSELECT 1";

/// Who is told.
#[derive(Clone, Debug)]
pub struct News {
    /// Forgets what was changed.
    pub settings: Settings,
    /// Looks at the fleet.
    pub fleet: Arc<Notify>,
    /// Looks for timers.
    pub timers: Arc<Notify>,
}

/// Why nothing is heard.
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

/// Keep `settings` told of every change, until `stop` is true or nobody is left to say so. While the server cannot be heard, nothing
/// is remembered for longer than a second, and it is tried again.
pub(super) async fn listen(target: Option<Target>, news: News, mut stop: watch::Receiver<bool>) {
    let settings = &news.settings;
    metrics::settings_listening().set(0.0);
    if let Some(target) = target {
        tokio::select! {
            () = shutdown::stopped(&mut stop) => {}
            () = again_and_again(target, &news) => {}
        }
    } else {
        tracing::warn!(
            "no connection that bypasses the pooler; reloading settings every second: set database.direct_url"
        );
        shutdown::stopped(&mut stop).await;
    }
    deaf(settings);
}

async fn again_and_again(target: Target, news: &News) {
    let settings = &news.settings;
    let name = Name::default();
    name.set("settings");
    let target = target.named(&name);
    let mut backoff = Backoff::new();
    loop {
        let Err(error) = hear(&target, news, &mut backoff).await;
        deaf(settings);
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

/// What was not heard may have been changed.
fn deaf(settings: &Settings) {
    metrics::settings_listening().set(0.0);
    settings.distrust();
}

/// Connect and hear, until that fails.
async fn hear(
    target: &Target,
    news: &News,
    backoff: &mut Backoff,
) -> Result<std::convert::Infallible, ListenError> {
    let settings = &news.settings;
    let own = Arc::new(Own::default());
    let hearing = {
        let (news, own, schema) = (news.clone(), Arc::clone(&own), target.schema().to_owned());
        move |payload: &str| apply(payload, &schema, &news, &own)
    };
    let connecting = target.connect_and_hear(Arc::new(hearing));
    let (client, driver) = timeout(PATIENCE, connecting)
        .await
        .map_err(|_elapsed| ListenError::Silent)??;
    tokio::select! {
        ended = driver => {
            ended?;
            Err(ListenError::Silent)
        }
        failed = talk(&client, settings, &own, backoff) => failed,
    }
}

async fn talk(
    client: &Client,
    settings: &Settings,
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
    // What was read before may have been changed before.
    settings.forget_all();
    settings.trust_until(sent + TRUST);
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
        settings.trust_until(sent + TRUST);
    }
}

/// This connection's own word, and whether it was heard.
#[derive(Default)]
struct Own {
    word: OnceLock<String>,
    heard: Notify,
}

impl Own {
    fn word(&self) -> &String {
        // What no guild's number looks like.
        self.word.get_or_init(|| format!("~{:016x}", fastrand::u64(..)))
    }
}

/// One piece of news, as the migration's triggers write it. The channel is the whole database's: other schemas' are not ours.
fn apply(payload: &str, schema: &str, news: &News, own: &Own) {
    let settings = &news.settings;
    let Some((place, what)) = payload.rsplit_once(' ') else {
        return;
    };
    if place != schema {
        return;
    }
    if what == FLEET {
        news.fleet.notify_one();
    } else if what == TIMERS {
        news.timers.notify_one();
    } else if what == own.word() {
        // Stays until it is waited for.
        own.heard.notify_one();
    } else if what == "*" {
        metrics::settings_invalidations_total().increment(1);
        settings.forget_all();
    } else if let Some(guild_id) = what.parse().ok().and_then(ids::from_db) {
        metrics::settings_invalidations_total().increment(1);
        settings.forget(guild_id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt as _;
    use tokio::time::Instant;
    use twilight_model::id::{Id, marker::GuildMarker};

    use super::{News, Own, TRUST, apply};
    use crate::{
        config::Config,
        settings::{GuildSettings, Settings},
    };

    const GUILDS: [Id<GuildMarker>; 2] = [Id::new(1), Id::new(u64::MAX)];

    /// Settings that remember both guilds, and what is left of them after a payload.
    fn left(payload: &str, own: &Own) -> [bool; 2] {
        let settings = Settings::new(&Config::defaults().levels);
        settings.trust_until(Instant::now() + TRUST);
        for guild_id in GUILDS {
            settings.pretend(guild_id);
        }
        let news = News {
            settings: settings.clone(),
            fleet: Arc::default(),
            timers: Arc::default(),
        };
        apply(payload, "a schema", &news, own);
        assert_eq!(
            news.fleet.notified().now_or_never().is_some(),
            payload == "a schema @fleet",
            "{payload}"
        );
        assert_eq!(
            news.timers.notified().now_or_never().is_some(),
            payload == "a schema @timers",
            "{payload}"
        );
        GUILDS.map(|guild_id: Id<GuildMarker>| {
            let known: Option<Arc<GuildSettings>> = settings.cached(guild_id);
            known.is_some()
        })
    }

    #[test]
    fn news_concern_one_guild_or_all_of_the_own_schema() {
        let own = Own::default();
        for (payload, known) in [
            ("a schema 1", [false, true]),
            // As a BIGINT the highest snowflake is negative.
            ("a schema -1", [true, false]),
            ("a schema *", [false, false]),
            ("a schema @fleet", [true, true]),
            ("another schema @fleet", [true, true]),
            ("a schema @timers", [true, true]),
            ("another schema @timers", [true, true]),
            ("another schema 1", [true, true]),
            ("schema 1", [true, true]),
            ("a schema  1", [true, true]),
            ("a schema ~0000000000000000", [true, true]),
            ("a schema 99999999999999999999", [true, true]),
            ("a schema 0", [true, true]),
            ("", [true, true]),
            ("1", [true, true]),
        ] {
            assert_eq!(left(payload, &own), known, "{payload:?}");
            assert!(own.heard.notified().now_or_never().is_none(), "{payload:?}");
        }
        let word = format!("a schema {}", own.word());
        assert_eq!(left(&word, &own), [true, true]);
        assert!(own.heard.notified().now_or_never().is_some());
    }
}
