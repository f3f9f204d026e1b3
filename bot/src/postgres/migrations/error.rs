//! Errors of migrations.

use std::{error::Error, time::Duration};

use thiserror::Error;
use tokio_postgres::error::{ErrorPosition, SqlState};

use crate::{
    postgres::{error::one_line, session},
    support::error_chain::in_one_line,
};

/// Why the schema could not be examined or migrated.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// A query or the connection failed.
    #[error("{}", one_line(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// A connection could not be opened.
    #[error("{place}: {}", one_line(error))]
    Connect {
        /// The host, port and database.
        place: String,
        /// The error.
        error: tokio_postgres::Error,
    },
    /// The session is not in the schema.
    #[error("{}", session::ELSEWHERE)]
    Elsewhere,
    /// The database's encoding does not support all characters.
    #[error(
        "the encoding of database {database} is {encoding} and must be UTF8: an encoding cannot be changed, so create another database \
         and give it in DATABASE_URL: {create}"
    )]
    Encoding {
        /// The database.
        database: String,
        /// Its encoding.
        encoding: String,
        /// The statement that creates a suitable database.
        create: String,
    },
    /// There was no answer after connecting.
    #[error(
        "PostgreSQL did not answer within database.connection_timeout_ms ({} ms)",
        .0.as_millis()
    )]
    Unanswered(Duration),
    /// The role lacks a privilege.
    #[error("the role {role} lacks the privilege to {what}; grant it with: {grant}")]
    Rights {
        /// The role.
        role: String,
        /// The forbidden action.
        what: String,
        /// The statement that grants it.
        grant: String,
    },
    /// The session does not hold the lock that it took.
    #[error(
        "the migration lock was acquired and is not held: the connection goes through a pooler that gives every statement another session; connect directly to PostgreSQL to migrate"
    )]
    NotLocked,
    /// A file is not a valid migration.
    #[error("the migration {name} {fault}")]
    File {
        /// The file's name without its extension.
        name: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// An applied migration differs from this binary's.
    #[error(
        "migration {name} was changed after it was applied to this database: restore the file as it was shipped, and put the \
         change into a new one"
    )]
    Divergent {
        /// The file's name without its extension.
        name: String,
    },
    /// This binary has a different migration with the number of an applied one.
    #[error(
        "migration {name} was applied to this database, but this binary has {here} under that number: give {here} the next free \
         number"
    )]
    Renamed {
        /// The name of the applied migration's file, without its extension.
        name: String,
        /// The name of this binary's migration.
        here: String,
    },
    /// This binary does not have an applied migration.
    #[error(
        "migration {name} was applied to this database, but this binary does not have it: start the newer version of Eventide that contains it"
    )]
    Missing {
        /// The file's name without its extension.
        name: String,
    },
    /// The schema requires a newer binary.
    #[error(
        "the schema {schema} needs the migration {needed}, and this binary's newest is {newest}: it is too old; start a version of \
         Eventide that has it"
    )]
    TooOld {
        /// The schema.
        schema: String,
        /// The name or number of the required migration.
        needed: String,
        /// The name of the newest migration.
        newest: String,
    },
    /// This binary cannot undo the newest migrations because it does not have them.
    #[error(
        "this binary does not have the migration {name}, so it cannot undo it: run `eventide migrate down` with the version of Eventide that contains it"
    )]
    Foreign {
        /// The file's name without its extension.
        name: String,
    },
    /// A migration is older than one that is already applied.
    #[error(
        "migration {name} is older than one that was applied to this database already: give it the next free number"
    )]
    OutOfOrder {
        /// The file's name without its extension.
        name: String,
    },
    /// The objects in the schema belong to another program.
    #[error(
        "the schema {schema} belongs to another program ({what}): set database.schema (DB_SCHEMA) to a schema for Eventide alone, which it \
         creates"
    )]
    ForeignSchema {
        /// The schema.
        schema: String,
        /// The evidence.
        what: String,
    },
    /// A row of the history cannot be read.
    #[error(
        "the row of migration {version} in refinery_schema_history was changed by hand and cannot be read"
    )]
    History {
        /// The migration's number.
        version: i32,
    },
    /// Migrations are pending, and applying them was not requested.
    #[error(
        "the schema lacks migration {name}, and database.migrate_on_start is off: run `eventide migrate up`"
    )]
    Outstanding {
        /// The file's name without its extension.
        name: String,
    },
    /// There is no migration with this number.
    #[error("there is no migration {version}: this binary's newest is {newest}")]
    NoSuchVersion {
        /// The number.
        version: i32,
        /// The name of the newest migration.
        newest: String,
    },
    /// The schema is newer than the requested version.
    #[error("the schema is already at {at}: to go back, run `eventide migrate down --steps {steps}`")]
    Beyond {
        /// The newest applied migration.
        at: String,
        /// The number of migrations after the requested version.
        steps: usize,
    },
    /// A migration failed; its transaction was rolled back.
    #[error("migration {name} failed and was rolled back: {reason}")]
    Failed {
        /// The file's name without its extension.
        name: String,
        /// PostgreSQL's error.
        reason: String,
    },
    /// A migration outside of a transaction failed partway.
    #[error(
        "migration {name} failed at its line {line}; what it did before that stays, and the next `eventide migrate up` starts it again: {reason}"
    )]
    Interrupted {
        /// The file's name without its extension.
        name: String,
        /// The line at which the statement starts.
        line: usize,
        /// PostgreSQL's error.
        reason: String,
    },
    /// A migration cannot be undone.
    #[error("migration {name} has no undo")]
    NoUndo {
        /// The file's name without its extension.
        name: String,
    },
    /// An undo failed; nothing was undone.
    #[error("the undo of migration {name} failed, and nothing was undone: {reason}")]
    UndoFailed {
        /// The file's name without its extension.
        name: String,
        /// PostgreSQL's error.
        reason: String,
    },
    /// Other processes use the tables that would be dropped.
    #[error("Eventide still runs on this schema, so nothing was undone: first stop {}", .0.join(", "))]
    InUse(Vec<String>),
}

/// The error from PostgreSQL in the chain of sources.
pub(super) fn postgres_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a tokio_postgres::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// PostgreSQL's error about a file, with the line in it.
pub(super) fn reason(error: &(dyn Error + 'static), sql: &str) -> String {
    let Some(error) = postgres_error(error) else {
        return in_one_line(error);
    };
    let line = match error.as_db_error().and_then(|db| db.position()) {
        Some(ErrorPosition::Original(position)) => {
            let before = sql.chars().take(*position as usize);
            format!(
                "line {}: ",
                1 + before.filter(|character| *character == '\n').count()
            )
        }
        _ => String::new(),
    };
    let hint = if is_locked(error) {
        "; another session holds a lock on one of its tables: end that one, or wait for it, and try again"
    } else {
        ""
    };
    format!("{line}{}{hint}", one_line(error))
}

/// Whether a lock was not acquired in time.
pub(super) fn is_locked(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}
