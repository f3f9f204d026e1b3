//! What can keep the private PostgreSQL from running, each as one line that says what to do.

use std::{io, path::PathBuf};

use crate::postgres::embedded::{
    binaries::OLDEST_MAJOR,
    packages::{install, install_some},
};

/// Why the private PostgreSQL does not run. Each `Display` is one line and holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused: a read-only or full disk, missing rights, a file in a directory's place.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried, to be read before the path.
        doing: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// No `initdb` and `postgres` that would do.
    #[error(
        "found no PostgreSQL {OLDEST_MAJOR} or later in {searched}{refused}; type: {} \
         (or name its directory in database.binaries_directory, or an existing PostgreSQL in DATABASE_URL)",
        install_some("postgresql", OLDEST_MAJOR)
    )]
    NoBinaries {
        /// Where they were looked for.
        searched: String,
        /// What was found and does not do, as a clause, or nothing.
        refused: String,
    },
    /// The data was written by another major version than any that is installed.
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
    /// Another process holds the data directory.
    #[error("{} is in use by another eventide (process {pid}); stop that one or set database.data_directory", path.display())]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// The other process, as it wrote itself down.
        pid: String,
    },
    /// Another process holds the data directory, and its server does not answer.
    #[error(
        "{} is in use by another eventide (process {pid}), whose PostgreSQL does not answer after {seconds} s: {message}",
        path.display()
    )]
    HolderNotReady {
        /// The data directory.
        path: PathBuf,
        /// The other process, as it wrote itself down.
        pid: String,
        /// How long it was waited for.
        seconds: u64,
        /// What it did last.
        message: String,
    },
    /// There is a link in a directory's place, made by a user who is neither root nor the owner of what it leads to.
    #[error(
        "{} is a link that another user made to a directory that is not theirs; root does not follow it; remove it, or make it as root",
        path.display()
    )]
    StrangersLink {
        /// The link.
        path: PathBuf,
    },
    /// There is a directory where the cluster should be, and it is not one.
    #[error("{} exists but contains no PostgreSQL data (no PG_VERSION); move it away", path.display())]
    NotACluster {
        /// The directory.
        path: PathBuf,
    },
    /// The cluster is another user's.
    #[error("{} belongs to the user {owner}; run eventide as {owner}, or set database.data_directory", path.display())]
    OtherOwner {
        /// The cluster.
        path: PathBuf,
        /// Its owner's name, or number.
        owner: String,
    },
    /// The cluster is root's, whom PostgreSQL does not serve.
    #[error("{path} belongs to root, and PostgreSQL does not run as root; type: chown -R {account}: {path}", path = path.display())]
    OwnedByRoot {
        /// The cluster.
        path: PathBuf,
        /// The account that the server would run as.
        account: String,
    },
    /// PostgreSQL does not run as root, and there is nobody else.
    #[error(
        "PostgreSQL does not run as root, and there is no user postgres or nobody; type: useradd --system postgres"
    )]
    NoAccount,
    /// The account that the server runs as cannot enter the directory of its cluster.
    #[error("the user {account} cannot enter {}; let it through (chmod o+x) or set database.data_directory", path.display())]
    Unreachable {
        /// The directory.
        path: PathBuf,
        /// The account that the server runs as.
        account: String,
    },
    /// Every name for the socket's directory is taken by somebody else.
    #[error("{} must belong to this user alone with mode 0700, since it holds the socket; remove it", path.display())]
    UnsafeSocketDirectory {
        /// The last name that was tried.
        path: PathBuf,
    },
    /// A setting's name that would not stay one line of the settings file.
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
        /// The last thing it said.
        message: String,
    },
    /// The server ended instead of starting.
    #[error("PostgreSQL did not start on {}: {message}", path.display())]
    Start {
        /// The cluster.
        path: PathBuf,
        /// The last thing it said.
        message: String,
    },
    /// The server runs but does not accept connections.
    #[error("PostgreSQL (process {pid}) does not answer after {seconds} s: {message}; see {}", log.display())]
    NotReady {
        /// The server.
        pid: i32,
        /// How long it was waited for.
        seconds: u64,
        /// The last refusal.
        message: String,
        /// Where it writes what it does.
        log: PathBuf,
    },
    /// The server does not end.
    #[error("PostgreSQL (process {pid}) does not stop")]
    NotStopped {
        /// The server.
        pid: i32,
    },
    /// A statement of the preparation failed.
    #[error("PostgreSQL refused a statement of the preparation: {0}")]
    Statement(#[from] tokio_postgres::Error),
}

impl Error {
    /// For `map_err` on what the file system answers.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
