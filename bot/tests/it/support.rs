//! Scenes for the tests: a real PostgreSQL, a simulated Discord, the bot between them.

pub(crate) mod asking;
pub(crate) mod boards;
pub(crate) mod bot;
pub(crate) mod browser;
pub(crate) mod commit_cutter;
pub(crate) mod effects;
pub(crate) mod fired;
pub(crate) mod forms;
pub(crate) mod ledger;
pub(crate) mod moderators;
pub(crate) mod pgbouncer;
pub(crate) mod rows;
pub(crate) mod scrape;
pub(crate) mod session;
pub(crate) mod standby;
pub(crate) mod stock;
mod template;
pub(crate) mod unsteady;

use std::{path::Path, time::Duration};

use eventide::{
    config::Config,
    postgres::{
        Store,
        embedded::{Options, PrivatePostgres, StopMode},
    },
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use self::template::Content;

/// How long anything that a test waits for may take. Far longer than it does: a test that hits it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Whether tests repeat what they do as often as the project promises, which takes long: `make test-all` does. Otherwise they do it a few
/// times.
pub(crate) fn full_counts() -> bool {
    std::env::var_os("EVENTIDE_TEST_FULL").is_some_and(|value| !value.is_empty())
}

/// A private PostgreSQL in its own directory, with the current schema.
pub(crate) struct Scene {
    directory: TempDir,
    pub(crate) postgres: PrivatePostgres,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same with these settings of the server.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let postgres = start(directory.path(), Content::Schema, settings).await;
        Self { directory, postgres }
    }

    /// A separate pool on the scene's database.
    pub(crate) fn store(&self) -> Store {
        Store::new(self.postgres.connection(), &Config::defaults().database).expect("a pool")
    }

    /// Stop the server in order, do something to its files, and start it again.
    pub(crate) async fn while_stopped(self, work: impl FnOnce()) -> Self {
        let Self { directory, postgres } = self;
        postgres.stop(StopMode::Fast).await.expect("PostgreSQL stops");
        work();
        let options = Options {
            settings: vec![("fsync".to_owned(), "off".to_owned())],
            ..options(directory.path())
        };
        let postgres = PrivatePostgres::start(&options).await.expect("PostgreSQL starts");
        Self { directory, postgres }
    }

    pub(crate) async fn stop(self) {
        self.postgres
            .stop(StopMode::Immediate)
            .await
            .expect("PostgreSQL stops");
    }
}

/// A server with the empty database `eventide`.
pub(crate) async fn start_postgres(directory: &Path) -> PrivatePostgres {
    start_postgres_with(directory, &[]).await
}

/// The same with these settings.
pub(crate) async fn start_postgres_with(directory: &Path, settings: &[(&str, &str)]) -> PrivatePostgres {
    start(directory, Content::Database, settings).await
}

/// A server without durability, which the test's data does not need: a kill of the bot does not affect it. Compressing its log would take
/// more time than writing it.
async fn start(directory: &Path, content: Content, settings: &[(&str, &str)]) -> PrivatePostgres {
    let settings = [&[("fsync", "off"), ("wal_compression", "off")], settings].concat();
    let options = Options {
        settings: settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        ..options(directory)
    };
    template::place(content, &options).await;
    PrivatePostgres::start(&options).await.expect("PostgreSQL starts")
}

/// A server there, of the version that PATH names first.
pub(crate) fn options(directory: &Path) -> Options {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Options {
        data_directory: directory.to_owned(),
        search_path: std::env::split_paths(&path).collect(),
        ..Options::default()
    }
}

/// Wait until a server that was killed is gone with all its processes: one that lives on for a moment would answer.
pub(crate) async fn gone(connection: &tokio_postgres::Config) {
    until("the server is gone", async || {
        let error = connection.connect(tokio_postgres::NoTls).await.err()?;
        error.as_db_error().is_none().then_some(())
    })
    .await;
}

/// Wait until `condition` holds.
pub(crate) async fn until<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "timed out waiting until {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
