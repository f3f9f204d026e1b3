//! What can keep the schema from being what it should be.

use std::{error::Error, time::Duration};

use thiserror::Error;
use tokio_postgres::error::{ErrorPosition, SqlState};

use crate::{
    postgres::{error::one_line, session},
    support::error_chain::in_one_line,
};

/// Why the schema could not be looked at or changed.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// The database could not be reached or asked.
    #[error("{}", one_line(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// It cannot be connected to.
    #[error("{place}: {}", one_line(error))]
    Connect {
        /// Host, port and database.
        place: String,
        /// What happened.
        error: tokio_postgres::Error,
    },
    /// The session is not bound to the schema.
    #[error("{}", session::ELSEWHERE)]
    Elsewhere,
    /// The database cannot hold every character.
    #[error(
        "the encoding of database {database} is {encoding} and must be UTF8: an encoding cannot be changed, so create another database \
         and give it in DATABASE_URL: {create}"
    )]
    Encoding {
        /// The database.
        database: String,
        /// Its encoding.
        encoding: String,
        /// The statement that creates a database which fits.
        create: String,
    },
    /// Something takes connections there, and says nothing.
    #[error(
        "PostgreSQL did not answer within database.connection_timeout_ms ({} ms)",
        .0.as_millis()
    )]
    Unanswered(Duration),
    /// The role lacks a right.
    #[error("the role {role} lacks the privilege to {what}; grant it with: {grant}")]
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
        "the migration lock was acquired and is not held: the connection goes through a pooler that gives every statement another session; connect directly to PostgreSQL to migrate"
    )]
    NotLocked,
    /// A file cannot be a migration.
    #[error("the migration {name} {fault}")]
    File {
        /// The file's name without its ending.
        name: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A migration that was applied is not the one that this binary has.
    #[error(
        "migration {name} was changed after it was applied to this database: restore the file as it was shipped, and put the \
         change into a new one"
    )]
    Divergent {
        /// The file's name without its ending.
        name: String,
    },
    /// Under the number of a migration that was applied, this binary has another one.
    #[error(
        "migration {name} was applied to this database, but this binary has {here} under that number: give {here} the next free \
         number"
    )]
    Renamed {
        /// The file's name without its ending, as it was applied.
        name: String,
        /// The name of this binary's.
        here: String,
    },
    /// A migration that was applied is not in this binary.
    #[error(
        "migration {name} was applied to this database, but this binary does not have it: start the newer version of Eventide that contains it"
    )]
    Missing {
        /// The file's name without its ending.
        name: String,
    },
    /// The schema asks for more than this binary knows.
    #[error(
        "the schema {schema} needs the migration {needed}, and this binary's newest is {newest}: it is too old; start a version of \
         Eventide that has it"
    )]
    TooOld {
        /// The schema.
        schema: String,
        /// The migration that it needs, or its number.
        needed: String,
        /// The newest migration's name.
        newest: String,
    },
    /// The newest migrations are not in this binary, so it cannot take them back.
    #[error(
        "this binary does not have the migration {name}, so it cannot undo it: run `eventide migrate down` with the version of Eventide that contains it"
    )]
    Foreign {
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
    /// What is in the schema was made by another program.
    #[error(
        "the schema {schema} belongs to another program ({what}): set database.schema (DB_SCHEMA) to a schema for Eventide alone, which it \
         creates"
    )]
    ForeignSchema {
        /// The schema.
        schema: String,
        /// What shows it.
        what: String,
    },
    /// The row of a migration that was applied cannot be read.
    #[error(
        "the row of migration {version} in refinery_schema_history was changed by hand and cannot be read"
    )]
    History {
        /// The migration's number.
        version: i32,
    },
    /// Migrations are outstanding, and nobody asked to apply them.
    #[error(
        "the schema lacks migration {name}, and database.migrate_on_start is off: run `eventide migrate up`"
    )]
    Outstanding {
        /// The file's name without its ending.
        name: String,
    },
    /// There is no migration of that number.
    #[error("there is no migration {version}: this binary's newest is {newest}")]
    NoSuchVersion {
        /// The number.
        version: i32,
        /// The newest migration's name.
        newest: String,
    },
    /// The schema is beyond the version that was asked for.
    #[error("the schema is already at {at}: to go back, run `eventide migrate down --steps {steps}`")]
    Beyond {
        /// The newest migration that is applied.
        at: String,
        /// How many are too many.
        steps: usize,
    },
    /// A migration failed; its transaction was rolled back.
    #[error("migration {name} failed and was rolled back: {reason}")]
    Failed {
        /// The file's name without its ending.
        name: String,
        /// What PostgreSQL said.
        reason: String,
    },
    /// A migration that runs outside of a transaction failed in its middle.
    #[error(
        "migration {name} failed at its line {line}; what it did before that stays, and the next `eventide migrate up` starts it again: {reason}"
    )]
    Interrupted {
        /// The file's name without its ending.
        name: String,
        /// Where the statement begins.
        line: usize,
        /// What PostgreSQL said.
        reason: String,
    },
    /// A migration cannot be undone.
    #[error("migration {name} has no undo")]
    NoUndo {
        /// The file's name without its ending.
        name: String,
    },
    /// An undo failed; nothing was undone.
    #[error("the undo of migration {name} failed, and nothing was undone: {reason}")]
    UndoFailed {
        /// The file's name without its ending.
        name: String,
        /// What PostgreSQL said.
        reason: String,
    },
    /// Somebody works with the tables that are to be taken away.
    #[error("Eventide still runs on this schema, so nothing was undone: first stop {}", .0.join(", "))]
    InUse(Vec<String>),
}

/// PostgreSQL's own error among the causes of another.
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

/// What PostgreSQL said about a file's text, and at which of its lines.
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

/// Whether a lock was not had in time.
pub(super) fn is_locked(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}
