//! A private PostgreSQL: the bot makes a cluster below its data directory with the installed programs, runs
//! it on a socket, and stops it at its end. People who have no database try the bot with it, and small
//! instances stay on it.
//!
//! Own code rather than the crate `postgresql_embedded`: that one neither runs as root nor finds a server
//! again that a killed bot left behind, and both are everyday here (containers, `kill -9`).
//!
//! Invariants: one bot a data directory (a lock that dies with its process), beside which commands are guests; a
//! server found on the cluster is adopted or stopped, never fought; as root nothing is written inside the cluster, and the server inherits
//! nothing of the environment.

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

/// What the private PostgreSQL needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Where the cluster and all that belongs to it is kept; made if there is none.
    pub data_directory: PathBuf,
    /// Directory with `initdb` and `postgres`; `None`: they are looked for.
    pub binaries_directory: Option<PathBuf>,
    /// Directories that are looked in first, those of `PATH`.
    pub search_path: Vec<PathBuf>,
    /// Settings of the server, stronger than the built-in ones.
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

/// How often it is looked whether a command, or a guest, has left.
const LEAVING_POLL: Duration = Duration::from_millis(50);

/// How the server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// Clients are cut off, transactions rolled back, a checkpoint is written.
    Fast,
    /// As in a crash: nothing is written, the next start reads the log again. What was committed is there.
    Immediate,
}

/// A running private PostgreSQL. [`stop`](Self::stop) ends it in order; dropped without that, it is told to
/// stop and nobody waits for it.
#[derive(Debug)]
pub struct PrivatePostgres {
    place: Place,
    account: Account,
    binaries: Binaries,
    server: Server,
    adopted: bool,
    stopped: bool,
    // Last, so that it is given back after everything else is gone.
    lock: Lock,
}

impl PrivatePostgres {
    /// Makes the cluster if there is none, starts the server on it or adopts one that a killed bot left
    /// behind, and makes the database `eventide`.
    ///
    /// As an ordinary user the server runs as that user; for root, as the owner of an existing cluster, else
    /// as `postgres`, else as `nobody`. If that account cannot enter the data directory, the cluster is kept
    /// in `/var/lib/eventide`, with a link to it.
    ///
    /// # Errors
    ///
    /// See [`Error`]; each is one line for the operator.
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

    /// The server of another eventide, which is waited for if it is just starting and is never stopped or
    /// fought; or else a server as by [`start`](Self::start), which a bot that starts meanwhile waits for.
    ///
    /// # Errors
    ///
    /// See [`Error`]; each is one line for the operator.
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

    /// How to connect: the socket's directory, the role and the database `eventide`.
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

    /// The directory of the server's log, one file a weekday.
    pub fn log_directory(&self) -> PathBuf {
        self.place.cluster.join("log")
    }

    /// The server's process.
    pub const fn pid(&self) -> i32 {
        self.server.pid
    }

    /// Whether the server was found running.
    pub const fn adopted(&self) -> bool {
        self.adopted
    }

    /// Whether the server's process is there. It ends by itself only when something outside kills it.
    pub async fn is_running(&mut self) -> bool {
        self.server.lives().await
    }

    /// Stops the server and waits for its end. A fast stop that takes more than a minute becomes an immediate
    /// one. A command's own server is stopped when its guests have left.
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

    /// Stops the server and starts it again on the same socket, also when it has ended meanwhile.
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

/// Runs `work`, which waits for the file system, where it holds up no other task.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
