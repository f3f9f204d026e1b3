//! Backup and restore of one schema, by PostgreSQL's own programs.
//!
//! A backup is a file in `pg_dump`'s custom format, which `pg_restore` reads too, and its manifest beside it: `FILE` and
//! `FILE.manifest.json`. Rows, checkpoints and the manifest's counts are of one moment. Both have their names only when they are whole
//! and on the disk, the manifest last: a backup without a manifest does not count as one. The moment of the last backup is the newest
//! manifest's `started_at`.

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

/// Why there is no backup, or nothing was restored. Each is one line.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The file system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried, to be read before the path.
        doing: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file is there already; a backup never replaces one.
    #[error("{} already exists: give another name, or a directory for a new name each time", .0.display())]
    Exists(PathBuf),
    /// It is not known how to connect.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// The database could not be asked.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// The restore cannot be done there.
    #[error("database: {0}")]
    Restoring(#[from] RestoringError),
    /// No program that would do.
    #[error("{0}")]
    NoProgram(String),
    /// A program failed.
    #[error("{program} failed: {message}")]
    Program {
        /// Its name.
        program: &'static str,
        /// What it said.
        message: String,
    },
    /// There is nothing of Eventide's.
    #[error(
        "the schema {0:?} has no migration history of Eventide's, so Eventide's tables are not there: set database.schema (DB_SCHEMA)"
    )]
    NotOurs(String),
    /// There is no manifest, or it cannot be read.
    #[error("{} is not the manifest of a backup: {why}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file is not what was written.
    #[error("{} is not the backup that its manifest describes: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// The dump was made by a newer version.
    #[error(
        "the backup has the migration {name}, which this binary does not have: restore with Eventide {eventide}, which made it, or \
         a newer one"
    )]
    Newer {
        /// The first migration that is not known.
        name: String,
        /// The version that made the backup.
        eventide: String,
    },
    /// The schema has something in it.
    #[error(
        "the schema {schema:?} is not empty ({contents}): pass --replace to replace it, or restore into another database.schema (DB_SCHEMA)"
    )]
    NotEmpty {
        /// The schema.
        schema: String,
        /// What is in it.
        contents: String,
    },
    /// The restored schema could not be brought up to date.
    #[error("the backup is restored, but it could not be brought up to date: {0}")]
    Migrate(#[from] MigrateError),
    /// The operator stopped it.
    #[error("stopped by {0}; nothing was changed")]
    Stopped(&'static str),
}

impl BackupError {
    /// For `map_err` on what the file system answers.
    fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

/// Run `work`, which waits for the file system, where it holds up no other task.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
