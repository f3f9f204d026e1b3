//! Backup and restore of one schema, with PostgreSQL's own programs.
//!
//! A backup consists of a file in `pg_dump`'s custom format, which `pg_restore` can read too, and a manifest beside it: `FILE` and
//! `FILE.manifest.json`. Rows, checkpoints and the manifest's counts come from one snapshot. Both files get their names only when they are
//! complete and on disk, the manifest last: a file without a manifest is not a backup. The time of the last backup is `started_at` in the
//! newest manifest.

pub mod age;
mod file;
pub mod last_backup;
mod manifest;
mod program;
mod progress;
mod renamer;
mod restore;
pub mod restoring;
mod retention;
pub mod snapshot;
mod take;

use std::{io, path::PathBuf};

use thiserror::Error;

pub use self::{
    file::Out,
    manifest::Manifest,
    progress::Progress,
    restore::{Plan, Restored},
    take::take,
};
use crate::postgres::{
    StoreError, backup::restoring::RestoringError, connect::ConnectError, migrations::MigrateError,
};

/// Why a backup or restore failed. Each message is one line.
#[derive(Debug, Error)]
pub enum BackupError {
    /// A file operation failed.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The operation, as text before the path.
        doing: &'static str,
        /// The path.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file exists; backups never overwrite files.
    #[error("{} already exists: give another name, or a directory for a new name each time", .0.display())]
    Exists(PathBuf),
    /// The connection settings are not usable.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// A query failed.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// The backup cannot be restored there.
    #[error("database: {0}")]
    Restoring(#[from] RestoringError),
    /// No suitable program was found.
    #[error("{0}")]
    NoProgram(String),
    /// A program failed.
    #[error("{program} failed: {message}")]
    Program {
        /// The name of the program.
        program: &'static str,
        /// Its error message.
        message: String,
    },
    /// The schema is not Eventide's.
    #[error(
        "the schema {0:?} has no migration history of Eventide's, so Eventide's tables are not there: set database.schema (DB_SCHEMA)"
    )]
    NotOurs(String),
    /// The manifest is missing or unreadable.
    #[error("{} is not the manifest of a backup: {why}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file does not match its manifest.
    #[error("{} is not the backup that its manifest describes: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The difference.
        why: String,
    },
    /// The backup was made by a newer version.
    #[error(
        "the backup has the migration {name}, which this binary does not have: restore with Eventide {eventide}, which made it, or \
         a newer one"
    )]
    Newer {
        /// The first unknown migration.
        name: String,
        /// The version that made the backup.
        eventide: String,
    },
    /// The schema is not empty.
    #[error(
        "the schema {schema:?} is not empty ({contents}): pass --replace to replace it, or restore into another database.schema (DB_SCHEMA)"
    )]
    NotEmpty {
        /// The schema.
        schema: String,
        /// Its contents.
        contents: String,
    },
    /// Migrations that are newer than the backup failed.
    #[error("the backup is restored, but it could not be brought up to date: {0}")]
    Migrate(#[from] MigrateError),
    /// The operator cancelled it.
    #[error("stopped by {0}; nothing was changed")]
    Stopped(&'static str),
}

impl BackupError {
    /// Convert an error of a file operation, for `map_err`.
    fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

/// Run `work`, which blocks on the file system, on a thread where it does not delay other tasks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
