//! Schema migrations: refinery's files from `migrations/`, embedded in the binary.
//!
//! refinery takes no lock, and of several processes that start together all but one would fail. So the migrations run on a
//! connection of their own under an advisory lock whose key includes the schema:
//! <https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS>.

use std::collections::BTreeMap;

use refinery::{Migration, Runner};
use thiserror::Error;
use tokio_postgres::Client;

use super::{
    connect::{self, Target, quoted},
    error::one_line,
    session,
};
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
    /// Something takes connections there, and says nothing.
    #[error(
        "PostgreSQL did not answer within database.connection_timeout_ms ({} ms)",
        .0.as_millis()
    )]
    Unanswered(std::time::Duration),
    /// The role lacks a right.
    #[error("the role {role} may not {what}; somebody who may give it the right types: {grant}")]
    Rights {
        /// The role.
        role: String,
        /// What it may not do.
        what: String,
        /// The statement that lets it.
        grant: String,
    },
    /// The lock that keeps other processes from migrating at the same time is not there.
    #[error(
        "the lock for migrations was taken and is not held: the connection goes through a pooler that hands every statement to \
         another session; connect directly to PostgreSQL to migrate"
    )]
    NotLocked,
    /// The session is not bound to the schema.
    #[error("{}", session::ELSEWHERE)]
    Elsewhere,
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
    session.ensure_schema().await?;
    let runner: Runner = embedded::migrations::runner();
    let applied = session.applied().await?;
    check(runner.get_migrations(), &applied)?;
    if applied.len() == runner.get_migrations().len() {
        // refinery would need the right to make its table even now, and a role that only runs the bot does not have it.
        return Ok(Vec::new());
    }
    session.may_create().await?;
    let report = runner
        .run_async(&mut session.client)
        .await
        .map_err(|error| failed(&error, runner.get_migrations(), applied.len()))?;
    let mut names: Vec<&Migration> = report.applied_migrations().iter().collect();
    names.sort();
    Ok(names.into_iter().map(file_name).collect())
}

/// Drop everything in the schema, for a demo on a server of its own.
pub async fn start_over(target: impl Into<Target>) -> Result<(), MigrateError> {
    let session = Session::open(target.into()).await?;
    let schema = quoted(&session.schema);
    session
        .client
        .batch_execute(&format!(
            "-- start_over\nDROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"
        ))
        .await?;
    Ok(())
}

/// A connection of its own: what it locks is unlocked when it ends.
struct Session {
    client: Client,
    schema: String,
    _connection: Task<()>,
}

impl Session {
    async fn open(target: Target) -> Result<Self, MigrateError> {
        let target = target.with(|config| {
            config.application_name(connect::process_name("migrate"));
        });
        let patience = target.patience();
        let (client, connection) = tokio::time::timeout(patience, target.connect())
            .await
            .map_err(|_elapsed| MigrateError::Unanswered(patience))??;
        let connection = task::spawn("migration connection", async {
            if let Err(error) = connection.await {
                tracing::debug!(error = one_line(&error), "the migration connection ended");
            }
        });
        if !session::is_in(&client, target.schema()).await? {
            return Err(MigrateError::Elsewhere);
        }
        Ok(Self {
            client,
            schema: target.schema().to_owned(),
            _connection: connection,
        })
    }

    /// Keep every other process from migrating this schema until the session ends.
    async fn lock(&self) -> Result<(), MigrateError> {
        let key = self
            .client
            .query_one(
                "-- migrate_key\nSELECT hashtextextended('eventide migrate ' || $1::text, 0)",
                &[&self.schema],
            )
            .await?
            .get::<_, i64>(0);
        let tried = self
            .client
            .query_one("-- migrate_try_lock\nSELECT pg_try_advisory_lock($1)", &[&key])
            .await?;
        if !tried.get::<_, bool>(0) {
            tracing::info!("another process is migrating the schema; waiting for it");
            self.client
                .query_one("-- migrate_lock\nSELECT pg_advisory_lock($1)", &[&key])
                .await?;
        }
        // A pooler in transaction mode locks in one session and goes on in another.
        let held = self
            .client
            .query_one(
                "-- migrate_locked
                 SELECT EXISTS (
                     SELECT FROM pg_locks
                     WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid() AND objsubid = 1
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                       AND classid::bigint = ($1::bigint >> 32) & 4294967295
                       AND objid::bigint = $1::bigint & 4294967295
                 )",
                &[&key],
            )
            .await?;
        held.get::<_, bool>(0)
            .then_some(())
            .ok_or(MigrateError::NotLocked)
    }

    /// Make the schema if there is none.
    async fn ensure_schema(&self) -> Result<(), MigrateError> {
        let row = self
            .client
            .query_one(
                "-- migrate_schema
                 SELECT current_user::text, current_database()::text, n.oid IS NOT NULL,
                        coalesce(has_schema_privilege(n.oid, 'USAGE'), false),
                        has_database_privilege(current_database(), 'CREATE')
                 FROM (SELECT) AS one LEFT JOIN pg_namespace AS n ON n.nspname = $1",
                &[&self.schema],
            )
            .await?;
        let (role, database): (String, String) = (row.get(0), row.get(1));
        let (exists, usable, may_create) = (row.get(2), row.get(3), row.get(4));
        let schema = quoted(&self.schema);
        match (exists, usable, may_create) {
            (true, true, _) => Ok(()),
            (true, false, _) => Err(MigrateError::Rights {
                what: format!("use the schema {schema}"),
                grant: format!("GRANT USAGE ON SCHEMA {schema} TO {};", quoted(&role)),
                role: quoted(&role),
            }),
            (false, _, true) => {
                let create = format!("-- migrate_create_schema\nCREATE SCHEMA {schema}");
                Ok(self.client.batch_execute(&create).await?)
            }
            (false, _, false) => Err(MigrateError::Rights {
                what: format!("create the schema {schema}"),
                grant: format!(
                    "GRANT CREATE ON DATABASE {} TO {};",
                    quoted(&database),
                    quoted(&role)
                ),
                role: quoted(&role),
            }),
        }
    }

    /// Whether tables can be made. Since PostgreSQL 15 that is not so in `public` by itself.
    async fn may_create(&self) -> Result<(), MigrateError> {
        let row = self
            .client
            .query_one(
                "-- migrate_may_create
                 SELECT current_user::text, has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = $1",
                &[&self.schema],
            )
            .await?;
        if row.get(1) {
            return Ok(());
        }
        let (role, schema) = (quoted(row.get(0)), quoted(&self.schema));
        Err(MigrateError::Rights {
            what: format!("create tables in the schema {schema}"),
            grant: format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role};"),
            role,
        })
    }

    async fn applied(&mut self) -> Result<Vec<Migration>, MigrateError> {
        let exists = self
            .client
            .query_one(
                "-- migrate_history
                 SELECT to_regclass('refinery_schema_history') IS NOT NULL, current_user::text,
                        coalesce(has_table_privilege(to_regclass('refinery_schema_history'), 'SELECT'), false)",
                &[],
            )
            .await?;
        if !exists.get::<_, bool>(0) {
            return Ok(Vec::new());
        }
        if !exists.get::<_, bool>(2) {
            let (role, schema) = (quoted(exists.get(1)), quoted(&self.schema));
            return Err(MigrateError::Rights {
                what: format!("read the tables in the schema {schema}"),
                grant: format!(
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};"
                ),
                role,
            });
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
