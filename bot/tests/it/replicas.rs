//! `database.read_url` with real standbys: current, lagging, promoted, gone; and with servers that are not standbys.

use std::time::Duration;

use eventide::{
    config::{Config, Database as Settings, Secret},
    postgres::{Statement, Store, database::Database},
    telemetry::{
        metrics,
        task::{self, Task},
    },
};
use tokio::{sync::watch, time::Instant};

use crate::support::{
    Scene,
    bot::{command, url},
    standby::{REPLICATED, Standby},
    until,
};

/// A store with a replica, and the task that monitors it.
struct Reader {
    store: Store,
    stop: watch::Sender<bool>,
    watching: Task<()>,
}

impl Reader {
    async fn new(primary: &Scene, replica: &tokio_postgres::Config, max_lag: Duration) -> Self {
        metrics::install().expect("a recorder");
        let settings = settings(primary, replica, max_lag);
        let database = Database::open(&settings).await.expect("a database");
        let store = database.store(&settings).expect("a pool");
        let (stop, stopped) = watch::channel(false);
        let watching = task::spawn("replica", store.clone().watch_replica(stopped));
        Self {
            store,
            stop,
            watching,
        }
    }

    /// Whether a read goes to a server that is a standby.
    async fn reads_a_standby(&self) -> bool {
        let statement = Statement::new("reads_a_standby", &[], "SELECT pg_is_in_recovery()");
        self.store.read(statement, &[]).await.expect("an answer")[0].get(0)
    }

    async fn until_it_reads(&self, what: &str, a_standby: bool) {
        until(what, async || {
            (self.reads_a_standby().await == a_standby).then_some(())
        })
        .await;
    }

    /// Wait until a read goes to the primary for this reason, and see that further ones do.
    async fn until_it_falls_back(&self, reason: &str) {
        let metric = format!("eventide_read_fallbacks_total{{reason=\"{reason}\"}}");
        let before = value(&metric);
        until(reason, async || {
            let there = self.reads_a_standby().await;
            (!there && value(&metric) > before).then_some(())
        })
        .await;
        assert!(!self.reads_a_standby().await, "{reason}");
        assert!(value("eventide_replica_usable") < 1.0, "{reason}");
    }

    async fn close(self) {
        self.stop.send_replace(true);
        self.watching.join().await.expect("ended");
        self.store.close();
    }
}

fn settings(primary: &Scene, replica: &tokio_postgres::Config, max_lag: Duration) -> Settings {
    let mut settings = Config::defaults().database;
    settings.url = Some(Secret::new(url(&primary.postgres.connection())));
    settings.routes.read_url = Some(Secret::new(url(replica)));
    settings.routes.read_max_lag = max_lag;
    settings
}

fn value(metric: &str) -> f64 {
    let page = metrics::page(metrics::install().expect("a recorder"));
    page.lines()
        .find_map(|line| line.strip_prefix(metric)?.trim().parse().ok())
        .unwrap_or_default()
}

/// The doctor's findings about the replica.
async fn examined(primary: &Scene, replica: &tokio_postgres::Config) -> String {
    let output = command(&["doctor"])
        .env("DATABASE_URL", url(&primary.postgres.connection()))
        .env("DATABASE_READ_URL", url(replica))
        .env("EVENTIDE__DATABASE__READ_MAX_LAG_SECONDS", "1")
        .output()
        .await
        .expect("ran");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text
        .lines()
        .find(|line| line.split_whitespace().nth(1) == Some("replica"));
    line.expect("a line about the replica").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_is_read_while_it_is_new_enough() {
    let primary = Scene::with(REPLICATED).await;
    let connection = primary.postgres.connection();
    let standby = Standby::of(&primary.postgres).await;
    let there = standby.connection_as(&connection);
    let replica = standby.session_as(&connection).await;
    let limit = Duration::from_secs(1);
    let reader = Reader::new(&primary, &there, limit).await;
    reader.until_it_reads("a standby is read", true).await;
    let line = examined(&primary, &there).await;
    assert!(line.starts_with("ok") && line.contains(" s behind"), "{line}");

    // Nothing is written for longer than the limit: the replica counts as current nevertheless.
    let quiet = Instant::now();
    while quiet.elapsed() < limit * 2 {
        assert!(reader.reads_a_standby().await, "nothing is missing there");
    }
    assert!(value("eventide_replica_lag_seconds") < 1.0);
    assert!(value("eventide_replica_usable") > 0.0);

    replica.execute("SELECT pg_wal_replay_pause()").await;
    let write = Statement::new(
        "write",
        &[],
        "INSERT INTO member_xp (guild_id, user_id, xp) VALUES (1, 1, 1)",
    );
    reader.store.query(write, &[]).await.expect("written");
    reader.until_it_falls_back("behind").await;
    assert!(value("eventide_replica_lag_seconds") > 1.0);
    let line = examined(&primary, &there).await;
    assert!(line.starts_with("warn") && line.contains(" s behind"), "{line}");

    replica.execute("SELECT pg_wal_replay_resume()").await;
    reader.until_it_reads("it has caught up", true).await;

    replica.close().await;
    standby.stop().await;
    reader.until_it_falls_back("unreachable").await;
    reader.close().await;
    primary.stop().await;
}

/// It has the primary's name and data, but its own history from now on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_standby_is_not_read() {
    let primary = Scene::with(REPLICATED).await;
    let connection = primary.postgres.connection();
    let standby = Standby::of(&primary.postgres).await;
    let there = standby.connection_as(&connection);
    let reader = Reader::new(&primary, &there, Duration::from_secs(30)).await;
    reader.until_it_reads("a standby is read", true).await;
    let replica = standby.session_as(&connection).await;
    replica.execute("SELECT pg_promote()").await;
    // The connections to it stay.
    reader.until_it_falls_back("promoted").await;
    let line = examined(&primary, &there).await;
    assert!(line.starts_with("warn") && line.contains("promoted"), "{line}");
    replica.close().await;
    reader.close().await;
    standby.stop().await;
    primary.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_no_standby_of_the_primary_are_not_read() {
    let primary = Scene::with(REPLICATED).await;
    let other = Scene::with(REPLICATED).await;
    // The scenes are copies of one cluster, so they have one identifier. This server has another.
    let foreign = crate::support::stock::Stock::start().await;
    let reader = Reader::new(&primary, &foreign.connection(), Duration::from_secs(30)).await;
    reader.until_it_falls_back("foreign").await;
    let line = examined(&primary, &foreign.connection()).await;
    assert!(
        line.starts_with("warn") && line.contains("another database"),
        "{line}"
    );
    reader.close().await;
    foreign.stop().await;

    // A standby of a server that has the same origin and went its own way.
    let session = other.postgres.connection();
    let session = crate::support::session::Session::open(&session.into()).await;
    session
        .execute("INSERT INTO member_xp (guild_id, user_id, xp) SELECT 1, n, n FROM generate_series(1, 10000) AS n")
        .await;
    session.close().await;
    let standby = Standby::of(&other.postgres).await;
    let there = standby.connection_as(&other.postgres.connection());
    let reader = Reader::new(&primary, &there, Duration::from_secs(30)).await;
    reader.until_it_falls_back("diverged").await;
    let line = examined(&primary, &there).await;
    assert!(line.starts_with("warn") && line.contains("history"), "{line}");
    reader.close().await;
    standby.stop().await;
    other.stop().await;
    primary.stop().await;
}
