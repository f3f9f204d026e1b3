//! Schema migrations: refinery's files from `migrations/`, embedded in the binary.
//!
//! refinery takes no lock, and of several processes that start together all but one would fail. So the migrations run on a
//! connection of their own under an advisory lock whose key includes the schema:
//! <https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS>.

use std::collections::BTreeMap;

use refinery::{Migration, Runner};
use thiserror::Error;
use tokio_postgres::Client;

use super::{connect::Target, error::one_line};
use crate::{
    causes::in_one_line,
    task::{self, Task},
};

mod embedded {
    refinery::embed_migrations!("../migrations");
}

/// Why the schema could not be brought up to date.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// The database could not be reached or asked.
    #[error("{}", one_line(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// A migration that was applied is not the one that this binary has.
    #[error(
        "migration {name} was changed after it was applied to this database: restore the file as it was shipped, and put the \
         change into a new one"
    )]
    Divergent {
        /// The file's name without its ending.
        name: String,
    },
    /// A migration that was applied is not in this binary.
    #[error(
        "migration {name} was applied to this database, but this binary does not have it: start the newer version of Eventide \
         that brought it"
    )]
    Missing {
        /// The file's name without its ending.
        name: String,
    },
    /// A migration is older than one that was applied already.
    #[error(
        "migration {name} is older than one that was applied to this database already: give it the next free number"
    )]
    OutOfOrder {
        /// The file's name without its ending.
        name: String,
    },
    /// A migration failed; its transaction was rolled back.
    #[error("migration {name} failed and was rolled back: {reason}")]
    Failed {
        /// The file's name without its ending.
        name: String,
        /// What PostgreSQL said.
        reason: String,
    },
}

/// A migration, and since when it is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The file's name without its ending.
    pub name: String,
    /// When it was applied, in RFC 3339; `None` when it was not.
    pub applied_on: Option<String>,
}

/// Every migration that the binary or the database has.
///
/// # Errors
///
/// [`MigrateError::Divergent`], [`MigrateError::Missing`] and [`MigrateError::OutOfOrder`] for a history that does not fit.
pub async fn status(target: impl Into<Target>) -> Result<Vec<Status>, MigrateError> {
    let mut session = Session::open(target.into()).await?;
    let applied = session.applied().await?;
    let runner = embedded::migrations::runner();
    check(runner.get_migrations(), &applied)?;
    let mut all: Vec<&Migration> = runner.get_migrations().iter().collect();
    all.sort();
    Ok(all
        .into_iter()
        .map(|migration| Status {
            name: file_name(migration),
            applied_on: applied
                .iter()
                .find(|a| a.version() == migration.version())
                .and_then(|a| a.applied_on())
                .map(ToString::to_string),
        })
        .collect())
}

/// Apply what is missing. Returns the names of the migrations that were applied.
///
/// # Errors
///
/// See [`MigrateError`]. What was applied before a failing migration stays applied.
pub async fn up(target: impl Into<Target>) -> Result<Vec<String>, MigrateError> {
    let mut session = Session::open(target.into()).await?;
    session.lock().await?;
    let runner: Runner = embedded::migrations::runner();
    let applied = session.applied().await?;
    check(runner.get_migrations(), &applied)?;
    let report = runner
        .run_async(&mut session.client)
        .await
        .map_err(|error| failed(&error, runner.get_migrations(), applied.len()))?;
    let mut names: Vec<&Migration> = report.applied_migrations().iter().collect();
    names.sort();
    Ok(names.into_iter().map(file_name).collect())
}

/// Drop everything, for a demo on a server of its own.
pub async fn start_over(target: impl Into<Target>) -> Result<(), MigrateError> {
    let session = Session::open(target.into()).await?;
    session
        .client
        .batch_execute("-- start_over\nDROP SCHEMA public CASCADE; CREATE SCHEMA public")
        .await?;
    Ok(())
}

/// A connection of its own: what it locks is unlocked when it ends.
struct Session {
    client: Client,
    _connection: Task<()>,
}

impl Session {
    async fn open(target: Target) -> Result<Self, MigrateError> {
        let target = target.with(|config| {
            config.application_name("eventide migrate");
        });
        let (client, connection) = target.connect().await?;
        let connection = task::spawn("migration connection", async {
            if let Err(error) = connection.await {
                tracing::debug!(error = one_line(&error), "the migration connection ended");
            }
        });
        Ok(Self {
            client,
            _connection: connection,
        })
    }

    async fn lock(&self) -> Result<(), MigrateError> {
        const KEY: &str = "hashtextextended('eventide migrate ' || current_schema(), 0)";
        let tried = self
            .client
            .query_one(
                &format!("-- migrate_try_lock\nSELECT pg_try_advisory_lock({KEY})"),
                &[],
            )
            .await?;
        if !tried.get::<_, bool>(0) {
            tracing::info!("another process is migrating the schema; waiting for it");
            let lock = format!("-- migrate_lock\nSELECT pg_advisory_lock({KEY})");
            self.client.batch_execute(&lock).await?;
        }
        Ok(())
    }

    async fn applied(&mut self) -> Result<Vec<Migration>, MigrateError> {
        let exists = self
            .client
            .query_one(
                "-- migrate_history\nSELECT to_regclass('refinery_schema_history') IS NOT NULL",
                &[],
            )
            .await?;
        if !exists.get::<_, bool>(0) {
            return Ok(Vec::new());
        }
        let runner = embedded::migrations::runner();
        runner
            .get_applied_migrations_async(&mut self.client)
            .await
            .map_err(|error| failed(&error, &[], 0))
    }
}

/// Whether the history fits the files.
fn check(files: &[Migration], applied: &[Migration]) -> Result<(), MigrateError> {
    let by_version: BTreeMap<_, &Migration> = files.iter().map(|file| (file.version(), file)).collect();
    for migration in applied {
        let Some(file) = by_version.get(&migration.version()) else {
            return Err(MigrateError::Missing {
                name: file_name(migration),
            });
        };
        if file.checksum() != migration.checksum() || file.name() != migration.name() {
            return Err(MigrateError::Divergent {
                name: file_name(migration),
            });
        }
    }
    let newest = applied.iter().map(Migration::version).max();
    let skipped = by_version
        .values()
        .find(|file| Some(file.version()) < newest && !applied.iter().any(|a| a.version() == file.version()));
    match skipped {
        Some(file) => Err(MigrateError::OutOfOrder {
            name: file_name(file),
        }),
        None => Ok(()),
    }
}

fn file_name(migration: &Migration) -> String {
    format!("V{}__{}", migration.version(), migration.name())
}

/// The error of the migration that came after `done` others.
fn failed(error: &refinery::Error, files: &[Migration], done: usize) -> MigrateError {
    let report_len = error
        .report()
        .map_or(0, |report| report.applied_migrations().len());
    let mut files: Vec<&Migration> = files.iter().collect();
    files.sort();
    let name = files
        .get(done + report_len)
        .map_or_else(|| "history".to_owned(), |file| file_name(file));
    MigrateError::Failed {
        name,
        reason: in_one_line(error),
    }
}
