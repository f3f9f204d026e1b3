//! The database of the process: an existing one, or the private PostgreSQL.

use std::{collections::BTreeSet, fmt::Display, time::Duration};

use thiserror::Error;
use tokio::{sync::oneshot, time::Instant};
use tokio_postgres::error::SqlState;

use crate::{
    config::{self, Pooler},
    postgres::{
        Store, StoreError,
        connect::{ConnectError, Target},
        embedded::{self, Guest, PrivatePostgres, Visit},
        migrations::{self, MigrateError, Migrations},
    },
    support::backoff::Backoff,
    telemetry::task::{self, Task},
};

/// How long startup waits for a server that refuses connections because it is starting as well.
pub(crate) const STARTUP_PATIENCE: Duration = Duration::from_secs(30);

/// The interval at which the private server's process is checked.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Why there is no usable database.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// The private PostgreSQL could not be started.
    #[error("{0}")]
    Private(#[from] embedded::Error),
    /// The connection settings are not usable.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// The schema could not be migrated.
    #[error("database: {0}")]
    Migrate(#[from] MigrateError),
    /// The database does not answer, or not as expected.
    #[error("database: {0}")]
    Store(#[from] StoreError),
}

/// A database that answers.
#[derive(Debug)]
pub struct Database {
    /// How to connect, possibly through a pooler.
    pub connection: Target,
    /// How to connect past any pooler, for migrations.
    pub direct: Target,
    /// A replica for reads.
    pub replica: Option<Target>,
    /// The private server, if this process runs it.
    pub private: Option<PrivatePostgres>,
    /// The private server that another process runs.
    guest: Option<Guest>,
}

impl Database {
    /// Parse the URL, or start the private PostgreSQL for this process alone. The bot uses this.
    pub async fn open(database: &config::Database) -> Result<Self, DatabaseError> {
        if let Some(given) = Self::given(database)? {
            return Ok(given);
        }
        let private = PrivatePostgres::start(&embedded::Options::from(database)).await?;
        let target = Target::from(private.connection()).in_schema(&database.schema);
        Ok(Self {
            private: Some(private),
            ..Self::at(target)
        })
    }

    /// The same for a command, which may run next to a bot: if a bot runs the private PostgreSQL, the command only connects to it and
    /// leaves it running.
    pub async fn visit(database: &config::Database) -> Result<Self, DatabaseError> {
        if let Some(given) = Self::given(database)? {
            return Ok(given);
        }
        let at = |connection: &tokio_postgres::Config| {
            Self::at(Target::from(connection).in_schema(&database.schema))
        };
        let mut visited;
        match PrivatePostgres::visit(&embedded::Options::from(database)).await? {
            Visit::Host(private) => {
                visited = at(&private.connection());
                visited.private = Some(private);
            }
            Visit::Guest(guest) => {
                visited = at(guest.connection());
                visited.guest = Some(guest);
            }
        }
        Ok(visited)
    }

    fn given(database: &config::Database) -> Result<Option<Self>, ConnectError> {
        let Some(url) = &database.url else {
            return Ok(None);
        };
        let routes = &database.routes;
        let through = |url| {
            let target = Target::open(url, database)?;
            Ok::<_, ConnectError>(match routes.pooler {
                Pooler::None => target,
                Pooler::Transaction => target.pooled(),
            })
        };
        let given = Self {
            direct: Target::open(routes.direct_url.as_ref().unwrap_or(url), database)?,
            replica: routes.read_url.as_ref().map(through).transpose()?,
            ..Self::at(through(url)?)
        };
        let targets = [&given.connection, &given.direct]
            .into_iter()
            .chain(&given.replica);
        let cautions: BTreeSet<_> = targets.flat_map(Target::cautions).collect();
        for caution in cautions {
            tracing::warn!("{caution}");
        }
        Ok(Some(given))
    }

    fn at(connection: Target) -> Self {
        Self {
            direct: connection.clone(),
            connection,
            replica: None,
            private: None,
            guest: None,
        }
    }

    /// A pool of connections.
    ///
    /// # Errors
    ///
    /// [`StoreError::Pool`] if the settings contradict each other.
    pub fn store(&self, database: &config::Database) -> Result<Store, StoreError> {
        let store = Store::new(&self.connection, database)?.with_direct(self.direct.clone());
        match &self.replica {
            Some(replica) => store.with_replica(replica.clone(), database),
            None => Ok(store),
        }
    }

    /// A pool for a command, which requires the schema to be Eventide's.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unfit`] if it is not, or a query failed.
    pub async fn own_store(&self, database: &config::Database) -> Result<Store, StoreError> {
        let store = self.store(database)?;
        migrations::expect_ours(&store, &database.schema).await?;
        Ok(store)
    }

    /// Empty the private server's database. Nothing is ever dropped in an existing database.
    ///
    /// # Errors
    ///
    /// The server returned an error. Without a private server nothing is done.
    pub async fn start_over(&self) -> Result<(), DatabaseError> {
        if self.private.is_some() {
            migrations::start_over(&self.direct).await?;
        }
        Ok(())
    }

    /// Apply all pending migrations, waiting for a server that is still starting.
    pub async fn migrate(&self) -> Result<Vec<String>, DatabaseError> {
        self.migrate_to(None).await
    }

    /// Apply pending migrations up to a version.
    pub async fn migrate_to(&self, version: Option<i32>) -> Result<Vec<String>, DatabaseError> {
        let migrations = Migrations::embedded();
        Ok(patiently(async || migrations.up(&self.direct, version).await, helps_to_wait).await?)
    }

    /// Check that the schema is up to date, without changing it.
    ///
    /// # Errors
    ///
    /// [`MigrateError::Outstanding`], or a history that does not match.
    pub async fn expect_migrated(&self) -> Result<(), DatabaseError> {
        let all = patiently(async || migrations::status(&self.direct).await, helps_to_wait).await?;
        let newer = all.iter().filter(|migration| migration.newer);
        migrations::log_newer(&newer.map(|migration| migration.name.clone()).collect::<Vec<_>>());
        match all.into_iter().find(|migration| migration.applied_on.is_none()) {
            Some(migration) => Err(MigrateError::Outstanding { name: migration.name }.into()),
            None => Ok(()),
        }
    }

    /// Start monitoring the private server, if there is one.
    pub fn watch(&mut self) -> Watch {
        let (stop, stopped) = oneshot::channel();
        let watching = keep_running(self.private.take(), stopped);
        Watch {
            stop,
            task: task::spawn("private PostgreSQL's watch", watching),
        }
    }

    /// Stop monitoring, before [`Database::close`] stops the private server.
    pub async fn unwatch(&mut self, watch: Watch) {
        drop(watch.stop);
        self.private = watch.task.join().await.flatten();
    }

    /// Stop the private server, if this process runs it.
    pub async fn close(self) -> Result<(), DatabaseError> {
        drop(self.guest);
        match self.private {
            Some(private) => Ok(private.stop(embedded::StopMode::Fast).await?),
            None => Ok(()),
        }
    }
}

/// The task that monitors a private server. It owns the server meanwhile.
#[derive(Debug)]
pub struct Watch {
    stop: oneshot::Sender<()>,
    task: Task<Option<PrivatePostgres>>,
}

/// Restart the server if anything else has stopped it. A restart in progress is finished before this returns.
async fn keep_running(
    private: Option<PrivatePostgres>,
    mut stopped: oneshot::Receiver<()>,
) -> Option<PrivatePostgres> {
    let mut private = private?;
    loop {
        tokio::select! {
            _ = &mut stopped => return Some(private),
            () = tokio::time::sleep(WATCH_INTERVAL) => {}
        }
        if private.is_running().await {
            continue;
        }
        tracing::error!("the private PostgreSQL has ended; restarting it");
        if let Err(error) = private.restart(embedded::StopMode::Immediate).await {
            tracing::error!(%error, "the private PostgreSQL cannot be started; retrying");
        }
    }
}

/// Repeat a step of the start if its connection is lost: while the bot runs, that would not end it either. The step can be repeated after
/// a COMMIT whose answer was lost.
///
/// # Errors
///
/// The step failed for another reason, or still failed after 30 seconds.
pub(crate) async fn despite_lost_connections<T>(
    step: impl AsyncFnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    patiently(step, StoreError::is_of_the_connection).await
}

/// Repeat a step of the start while waiting helps.
async fn patiently<T, E: Display>(
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
    helps_to_wait: fn(&E) -> bool,
) -> Result<T, E> {
    let deadline = Instant::now() + STARTUP_PATIENCE;
    let mut backoff = Backoff::new();
    loop {
        let error = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        if !helps_to_wait(&error) || Instant::now() >= deadline {
            return Err(error);
        }
        let wait = backoff.pause();
        if backoff.is_worth_a_line() {
            tracing::warn!(%error, "the database is not ready; retrying");
        }
        tokio::time::sleep(wait).await;
    }
}

/// Whether the server may become available: it refuses connections, or reports that it is starting up or shutting down.
fn helps_to_wait(error: &MigrateError) -> bool {
    let error = match error {
        MigrateError::Unanswered(_) => return true,
        MigrateError::Connect { error, .. } | MigrateError::Postgres(error) => error,
        _ => return false,
    };
    match error.code() {
        Some(code) => matches!(
            *code,
            SqlState::CANNOT_CONNECT_NOW
                | SqlState::TOO_MANY_CONNECTIONS
                | SqlState::ADMIN_SHUTDOWN
                | SqlState::CRASH_SHUTDOWN
        ),
        // A proxy without a server accepts connections and closes them immediately.
        None if error.is_closed() => true,
        None => std::error::Error::source(error)
            .and_then(|source| source.downcast_ref::<std::io::Error>())
            .is_some_and(may_come),
    }
}

/// Whether the host may become reachable: a container that is starting has no name and no route at first.
fn may_come(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable,
        NetworkUnreachable, NotFound, TimedOut, UnexpectedEof,
    };
    let kinds = [
        BrokenPipe,
        ConnectionAborted,
        ConnectionRefused,
        ConnectionReset,
        HostUnreachable,
        NetworkUnreachable,
        NotFound,
        TimedOut,
        UnexpectedEof,
    ];
    kinds.contains(&error.kind()) || error.to_string().starts_with("failed to lookup address")
}
