//! A private PostgreSQL: the bot creates a cluster in its data directory with the installed programs, runs it on a socket, and stops it
//! when it ends. It is for trying the bot without a database, and for small instances.
//!
//! This is not the crate `postgresql_embedded`, which does not run as root and does not find a server that a killed bot left running. Both
//! are common here (containers, `kill -9`).
//!
//! Invariants: one bot per data directory (a lock that ends with its process), next to which commands may connect; a server that already
//! runs on the cluster is adopted or stopped; as root, nothing is written inside the cluster, and the server inherits nothing of the
//! environment.

mod account;
mod attach;
mod binaries;
mod cluster;
mod diagnostics;
mod error;
mod lock;
pub(crate) mod packages;
mod paths;
mod pidfile;
mod server;
mod session;
mod settings;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub(crate) use self::binaries::debian;
use self::{
    account::Account,
    binaries::{Binaries, Installed},
    lock::{Claim, Lock, Taken},
    paths::Place,
    server::Server,
    settings::Settings,
};
pub use self::{
    attach::{Guest, Visit},
    error::Error,
};
use crate::{config::Database, support::files::Directory};

/// The settings of the private PostgreSQL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The directory of the cluster and everything related to it; created if it is missing.
    pub data_directory: PathBuf,
    /// The directory of `initdb` and `postgres`; `None` searches for them.
    pub binaries_directory: Option<PathBuf>,
    /// The directories that are searched first, those of `PATH`.
    pub search_path: Vec<PathBuf>,
    /// Settings of the server that override the built-in ones.
    pub settings: Vec<(String, String)>,
}

impl From<&Database> for Options {
    fn from(database: &Database) -> Self {
        Self {
            data_directory: database.data_directory.clone(),
            binaries_directory: database.binaries_directory.clone(),
            search_path: database.search_path.clone(),
            settings: Vec::new(),
        }
    }
}

/// The interval at which commands and guests are checked for having left.
const LEAVING_POLL: Duration = Duration::from_millis(50);

/// How the server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// Clients are disconnected, transactions are rolled back, and a checkpoint is written.
    Fast,
    /// As in a crash, nothing is written, and the next start replays the WAL. Committed data is safe.
    Immediate,
}

/// A running private PostgreSQL. [`stop`](Self::stop) stops it properly. Dropping it only signals the server to stop, without waiting.
#[derive(Debug)]
pub struct PrivatePostgres {
    place: Place,
    account: Account,
    binaries: Binaries,
    server: Server,
    adopted: bool,
    stopped: bool,
    // The last field, so that it is released after everything else.
    lock: Lock,
}

impl PrivatePostgres {
    /// Create the cluster if there is none, start the server on it or adopt one that a killed bot left running, and create the database
    /// `eventide`.
    ///
    /// As an ordinary user, the server runs as that user. As root, it runs as the owner of an existing cluster, or else as `postgres`, or
    /// else as `nobody`. If that account cannot enter the data directory, the cluster is in `/var/lib/eventide`, with a link to it.
    ///
    /// # Errors
    ///
    /// See [`Error`]. Each message is one line for the operator.
    pub async fn start(options: &Options) -> Result<Self, Error> {
        let wanted = options.data_directory.clone();
        let (data, taken) = blocking(move || {
            let data = paths::data_directory(&wanted)?;
            let taken = Claim::take(&data)?;
            Ok((data, taken))
        })
        .await?;
        let mut claim = match taken {
            Taken::Ours(claim) => claim,
            Taken::Others(pid) => {
                let path = data.path().to_owned();
                return Err(Error::InUse { path, pid });
            }
        };
        let mut waits = false;
        loop {
            let directory = Arc::clone(&data);
            let holder;
            (claim, holder) = match blocking(move || Lock::of_bot(&directory, claim)).await? {
                Ok(lock) => return Self::start_on(data, lock, options).await,
                Err(held) => held,
            };
            if !waits {
                tracing::info!(
                    holder,
                    "a command uses the private PostgreSQL; waiting for it to finish"
                );
            }
            waits = true;
            tokio::time::sleep(LEAVING_POLL).await;
        }
    }

    /// Use the server of another Eventide process, which is never stopped; if that one is starting, wait for it. If there is none, start
    /// one as [`start`](Self::start) does. A bot that starts meanwhile waits for it.
    ///
    /// # Errors
    ///
    /// See [`Error`]. Each message is one line for the operator.
    pub async fn visit(options: &Options) -> Result<Visit, Error> {
        attach::visit(options).await
    }

    async fn start_on(data: Arc<Directory>, lock: Lock, options: &Options) -> Result<Self, Error> {
        let started = tokio::time::Instant::now();
        let path = paths::cluster(data.path());
        let account = blocking(move || Account::choose(&path)).await?;
        let installed = Installed::find(
            &account,
            options.binaries_directory.as_deref(),
            &options.search_path,
        )
        .await?;
        let path = paths::cluster(data.path());
        let existing = blocking(move || Ok(cluster::major(&path)?.map(|major| (path, major)))).await?;
        let binaries = match &existing {
            Some((path, major)) => installed.matching(path, *major)?,
            None => installed.preferred()?,
        };
        let place = Place::settle(&data, &account, &binaries).await?;
        let settings = Settings::new(&account, &options.settings)?;
        let adopted = if existing.is_none() {
            tracing::info!(directory = %place.cluster.display(), "creating a private PostgreSQL");
            cluster::make(&place, &account, &binaries, settings.syncs()).await?;
            None
        } else {
            Server::adopt(&place, &binaries, settings.are_in(&place)).await?
        };
        let (server, adopted) = if let Some(server) = adopted {
            (server, true)
        } else {
            let there = place.clone();
            blocking(move || settings.write(&there)).await?;
            (Server::start(&place, &account, &binaries).await?, false)
        };
        let postgres = Self {
            place,
            account,
            binaries,
            server,
            adopted,
            stopped: false,
            lock,
        };
        session::ensure_database(&postgres.place).await?;
        tracing::info!(
            postgres.pid = postgres.pid(),
            postgres.version = postgres.binaries.version,
            postgres.account = postgres.account.name,
            directory = %postgres.data_directory().display(),
            duration_ms = started.elapsed().as_millis(),
            adopted,
            "the private PostgreSQL is ready"
        );
        Ok(postgres)
    }

    /// How to connect: the directory of the socket, the role and the database `eventide`.
    pub fn connection(&self) -> tokio_postgres::Config {
        session::config(&self.place.socket, session::DATABASE)
    }

    /// PostgreSQL's data directory.
    pub fn data_directory(&self) -> &Path {
        &self.place.cluster
    }

    /// The directory of the socket, for `psql -h`.
    pub fn socket_directory(&self) -> &Path {
        &self.place.socket
    }

    /// The directory of the server's log, which has one file per weekday.
    pub fn log_directory(&self) -> PathBuf {
        self.place.cluster.join("log")
    }

    /// The process ID of the server.
    pub const fn pid(&self) -> i32 {
        self.server.pid
    }

    /// Whether the server was already running.
    pub const fn adopted(&self) -> bool {
        self.adopted
    }

    /// Whether the server's process exists. It ends by itself only if something else kills it.
    pub async fn is_running(&mut self) -> bool {
        self.server.lives().await
    }

    /// Stop the server and wait for it to end. A fast stop that takes more than a minute becomes an immediate one. If a command runs the
    /// server, it is stopped when its guests have left.
    ///
    /// # Errors
    ///
    /// [`Error::NotStopped`] if it does not end.
    pub async fn stop(mut self, mode: StopMode) -> Result<(), Error> {
        if !self.lock.is_left_alone() {
            tracing::info!("another command uses the private PostgreSQL too; waiting for it to finish");
            while !self.lock.is_left_alone() {
                tokio::time::sleep(LEAVING_POLL).await;
            }
        }
        self.server.stop(mode).await?;
        self.stopped = true;
        self.place.tidy().await;
        tracing::info!(
            postgres.pid = self.pid(),
            ?mode,
            "the private PostgreSQL has stopped"
        );
        Ok(())
    }

    /// Stop the server and start it again on the same socket, even if it has already ended.
    ///
    /// # Errors
    ///
    /// As for [`stop`](Self::stop) and [`start`](Self::start).
    pub async fn restart(&mut self, mode: StopMode) -> Result<(), Error> {
        self.server.stop(mode).await?;
        self.server = Server::start(&self.place, &self.account, &self.binaries).await?;
        self.adopted = false;
        tracing::info!(
            postgres.pid = self.pid(),
            ?mode,
            "the private PostgreSQL was restarted"
        );
        Ok(())
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        if !self.stopped
            && let Err(errno) = self.server.signal(StopMode::Fast)
        {
            tracing::warn!(postgres.pid = self.pid(), %errno, "cannot stop the private PostgreSQL");
        }
    }
}

/// Run `work`, which blocks on the file system, on a thread where it does not delay other tasks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
