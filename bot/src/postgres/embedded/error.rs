//! Why the private PostgreSQL does not run: each error is one line with advice.

use std::{io, path::PathBuf};

use crate::postgres::embedded::{
    binaries::OLDEST_MAJOR,
    packages::{install, install_some},
};

/// Why the private PostgreSQL does not run. Each message is one line and contains no secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file operation failed: the disk is full or read-only, permissions are missing, or a file is in the place of a directory.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The operation, as text before the path.
        doing: &'static str,
        /// The path.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// There is no suitable `initdb` and `postgres`.
    #[error(
        "found no PostgreSQL {OLDEST_MAJOR} or later in {searched}{refused}; type: {} \
         (or name its directory in database.binaries_directory, or an existing PostgreSQL in DATABASE_URL)",
        install_some("postgresql", OLDEST_MAJOR)
    )]
    NoBinaries {
        /// Where they were searched.
        searched: String,
        /// The unsuitable programs, as a clause, or nothing.
        refused: String,
    },
    /// The data was written by a major version that is not installed.
    #[error(
        "{} was made by PostgreSQL {cluster}, and of its programs only {installed} are installed; type: {} (then it goes on as before; how to \
         move to a newer version by backup and restore is in deploy/README.md, PostgreSQL's next version)",
        path.display(),
        install("postgresql", *cluster)
    )]
    OtherMajor {
        /// The cluster.
        path: PathBuf,
        /// Its major version.
        cluster: u32,
        /// The installed versions.
        installed: String,
    },
    /// Another process uses the data directory.
    #[error("{} is in use by another eventide (process {pid}); stop that one or set database.data_directory", path.display())]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// The other process, from its lock file.
        pid: String,
    },
    /// Another process uses the data directory, and its server does not answer.
    #[error(
        "{} is in use by another eventide (process {pid}), whose PostgreSQL does not answer after {seconds} s: {message}",
        path.display()
    )]
    HolderNotReady {
        /// The data directory.
        path: PathBuf,
        /// The other process, from its lock file.
        pid: String,
        /// How long this process has waited.
        seconds: u64,
        /// The last message.
        message: String,
    },
    /// A directory is a link made by a user who is neither root nor the owner of its target.
    #[error(
        "{} is a link that another user made to a directory that is not theirs; root does not follow it; remove it, or make it as root",
        path.display()
    )]
    StrangersLink {
        /// The link.
        path: PathBuf,
    },
    /// There is a directory in the place of the cluster, but it is not a cluster.
    #[error("{} exists but contains no PostgreSQL data (no PG_VERSION); move it away", path.display())]
    NotACluster {
        /// The directory.
        path: PathBuf,
    },
    /// The cluster belongs to another user.
    #[error("{} belongs to the user {owner}; run eventide as {owner}, or set database.data_directory", path.display())]
    OtherOwner {
        /// The cluster.
        path: PathBuf,
        /// The owner's name or number.
        owner: String,
    },
    /// The cluster belongs to root, and PostgreSQL does not run as root.
    #[error("{path} belongs to root, and PostgreSQL does not run as root; type: chown -R {account}: {path}", path = path.display())]
    OwnedByRoot {
        /// The cluster.
        path: PathBuf,
        /// The account that the server would run as.
        account: String,
    },
    /// PostgreSQL does not run as root, and there is no other account.
    #[error(
        "PostgreSQL does not run as root, and there is no user postgres or nobody; type: useradd --system postgres"
    )]
    NoAccount,
    /// The server's account cannot enter the directory of its cluster.
    #[error("the user {account} cannot enter {}; let it through (chmod o+x) or set database.data_directory", path.display())]
    Unreachable {
        /// The directory.
        path: PathBuf,
        /// The account that the server runs as.
        account: String,
    },
    /// Every possible name of the socket's directory is used by another user.
    #[error("{} must belong to this user alone with mode 0700, since it holds the socket; remove it", path.display())]
    UnsafeSocketDirectory {
        /// The last name that was tried.
        path: PathBuf,
    },
    /// The name of a setting would break the line in the settings file.
    #[error("{name:?} is not the name of a PostgreSQL setting")]
    BadSetting {
        /// The name.
        name: String,
    },
    /// `initdb` failed.
    #[error("initdb could not make {}: {message}", path.display())]
    Initdb {
        /// The cluster.
        path: PathBuf,
        /// Its last message.
        message: String,
    },
    /// The server ended while starting.
    #[error("PostgreSQL did not start on {}: {message}", path.display())]
    Start {
        /// The cluster.
        path: PathBuf,
        /// Its last message.
        message: String,
    },
    /// The server runs but does not accept connections.
    #[error("PostgreSQL (process {pid}) does not answer after {seconds} s: {message}; see {}", log.display())]
    NotReady {
        /// The process ID of the server.
        pid: i32,
        /// How long this process has waited.
        seconds: u64,
        /// The last error of a connection attempt.
        message: String,
        /// The directory of the server's log.
        log: PathBuf,
    },
    /// The server does not end.
    #[error("PostgreSQL (process {pid}) does not stop")]
    NotStopped {
        /// The process ID of the server.
        pid: i32,
    },
    /// A statement that prepares the database failed.
    #[error("PostgreSQL refused a statement of the preparation: {0}")]
    Statement(#[from] tokio_postgres::Error),
}

impl Error {
    /// Convert an error of a file operation, for `map_err`.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
