//! Errors of the database: one line each, without any value of a statement.

use std::{error::Error, io, time::Duration};

use deadpool_postgres::{HookError, PoolError, TimeoutType};
use thiserror::Error;
use tokio_postgres::error::SqlState;

use crate::support::error_chain::in_one_line;

/// A failed operation on the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The connection failed during COMMIT: it is not yet known whether the transaction took effect.
    #[error("connection lost during COMMIT: {}", one_line(.0))]
    Commit(#[source] tokio_postgres::Error),
    /// A statement or a connection failed; the transaction has not taken effect.
    #[error("{}", one_line(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// There was no answer within the time limit: the server may be gone. The transaction has not taken effect.
    #[error("PostgreSQL did not answer within {} ms; the connection is given up", .0.as_millis())]
    Silence(Duration),
    /// There was no answer to COMMIT: it is not yet known whether the transaction took effect.
    #[error("PostgreSQL did not answer a COMMIT within {} ms; the connection is given up", .0.as_millis())]
    SilentCommit(Duration),
    /// No connection was available.
    #[error("{0}")]
    Pool(String),
    /// The contents of the schema, or the role's privileges on it, do not fit the command.
    #[error("{0}")]
    Unfit(String),
    /// The work in a transaction failed and would fail again. The transaction has not taken effect.
    #[error("{0}")]
    Rejected(String),
}

/// The message if connecting timed out.
pub(crate) const NO_ANSWER: &str = "PostgreSQL did not answer within database.connection_timeout_ms";

impl StoreError {
    /// The SQLSTATE, if the server returned one: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    pub fn sqlstate(&self) -> Option<&SqlState> {
        match self {
            Self::Commit(error) | Self::Postgres(error) => error.code(),
            Self::Silence(_) | Self::SilentCommit(_) | Self::Pool(_) | Self::Unfit(_) | Self::Rejected(_) => {
                None
            }
        }
    }

    /// Whether it is unknown if there still is a server.
    pub(crate) const fn is_silence(&self) -> bool {
        matches!(self, Self::Silence(_) | Self::SilentCommit(_))
    }

    /// Whether the connection is no longer usable: there is no answer, its session is ending, or it is read-only. A session keeps the
    /// `default_transaction_read_only` with which it started, and a server that was demoted to a standby remains one.
    pub(crate) fn ends_connection(&self) -> bool {
        self.is_silence() || self.sqlstate().is_some_and(ends_session)
    }

    /// Whether to retry immediately, because the server aborted this transaction due to a conflict.
    pub fn is_conflict(&self) -> bool {
        matches!(
            self.sqlstate(),
            Some(&SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE)
        )
    }

    /// Whether PostgreSQL rejected the data, and would reject it again: because of a value, a constraint, a trigger, a missing privilege,
    /// or a damaged page. This does not include servers that are unavailable, busy or shutting down.
    pub fn refuses_data(&self) -> bool {
        self.sqlstate().is_some_and(refuses_data)
    }

    /// Whether the server is unavailable, or reports that it cannot serve requests now: a later attempt may succeed.
    pub fn is_unavailable(&self) -> bool {
        !matches!(self, Self::Rejected(_)) && self.sqlstate().is_none_or(is_of_the_server)
    }

    /// Whether there is no connection, or it was lost: the same statement may succeed on another one.
    pub(crate) fn is_of_the_connection(&self) -> bool {
        match self {
            Self::Pool(_) | Self::Silence(_) | Self::SilentCommit(_) => true,
            Self::Commit(error) | Self::Postgres(error) => match error.code() {
                // Another connection to the same server is read-only as well.
                Some(state) => ends_session(state) && *state != SqlState::READ_ONLY_SQL_TRANSACTION,
                None => error.is_closed() || error.source().is_some_and(<dyn Error>::is::<io::Error>),
            },
            Self::Unfit(_) | Self::Rejected(_) => false,
        }
    }

    /// Whether a row already exists.
    pub fn is_unique_violation(&self) -> bool {
        self.sqlstate() == Some(&SqlState::UNIQUE_VIOLATION)
    }

    /// Whether a lock was not acquired within `lock_timeout`.
    pub(crate) fn is_lock_timeout(&self) -> bool {
        self.sqlstate() == Some(&SqlState::LOCK_NOT_AVAILABLE)
    }

    /// A bounded label for metrics, one of [`crate::telemetry::metrics::labels::ERROR_CLASSES`]: the class of the SQLSTATE, or of an error
    /// without one.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Pool(_) => "pool",
            Self::Unfit(_) | Self::Rejected(_) => "other",
            Self::Commit(error) | Self::Postgres(error) if super::connect::tls_in_words(error).is_some() => {
                "tls"
            }
            Self::Commit(error) | Self::Postgres(error) => class_of(error.code()),
            Self::Silence(_) | Self::SilentCommit(_) => "silence",
        }
    }
}

/// The class of a SQLSTATE as a label; without a SQLSTATE the connection has failed.
pub(crate) fn class_of(sqlstate: Option<&SqlState>) -> &'static str {
    match sqlstate.and_then(|code| code.code().get(..2)) {
        Some("08") => "08 connection exception",
        Some("22") => "22 data exception",
        Some("23") => "23 integrity constraint violation",
        Some("25") => "25 invalid transaction state",
        Some("28") => "28 invalid authorization",
        Some("40") => "40 transaction rollback",
        Some("42") => "42 syntax error or access rule violation",
        Some("53") => "53 insufficient resources",
        Some("54") => "54 program limit exceeded",
        Some("55") => "55 object not in prerequisite state",
        Some("57") => "57 operator intervention",
        Some("58") => "58 system error",
        Some("P0") => "P0 PL/pgSQL error",
        Some("XX") => "XX internal error",
        Some(_) => "other",
        None => "connection",
    }
}

/// 21 and 27 come from triggers that change the row themselves, 54 from values too large for an index, P0 from PL/pgSQL.
fn refuses_data(state: &SqlState) -> bool {
    *state == SqlState::INSUFFICIENT_PRIVILEGE
        || has_class(state, &["21", "22", "23", "27", "44", "54", "P0", "XX"])
}

/// Whether the error is about the server and not about the statement.
fn is_of_the_server(state: &SqlState) -> bool {
    *state == SqlState::READ_ONLY_SQL_TRANSACTION
        || has_class(state, &["08", "28", "40", "53", "55", "57", "58"])
}

/// 25P03, 25P04 and 57P05 are the server's timeouts for sessions and transactions.
fn ends_session(state: &SqlState) -> bool {
    const CODES: [&str; 7] = ["25006", "25P03", "25P04", "57P01", "57P02", "57P03", "57P05"];
    CODES.contains(&state.code()) || has_class(state, &["08"])
}

fn has_class(state: &SqlState, classes: &[&str]) -> bool {
    state
        .code()
        .get(..2)
        .is_some_and(|class| classes.contains(&class))
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                Self::Postgres(error)
            }
            PoolError::Timeout(TimeoutType::Wait) => Self::Pool(
                "every connection of the pool stayed in use for database.connection_timeout_ms".to_owned(),
            ),
            PoolError::Timeout(_) => Self::Pool(NO_ANSWER.to_owned()),
            PoolError::PostCreateHook(HookError::Message(message)) => Self::Pool(message.into_owned()),
            PoolError::Closed => Self::Pool("the pool is closed".to_owned()),
            other => Self::Pool(other.to_string()),
        }
    }
}

/// An error and its causes on one line. The server's detail and hint are omitted, because they can contain values of a row.
pub fn one_line(error: &tokio_postgres::Error) -> String {
    if let Some(text) = super::connect::tls_in_words(error) {
        return text;
    }
    if let Some(db) = error.as_db_error() {
        if *db.code() == SqlState::TOO_MANY_CONNECTIONS {
            return format!(
                "PostgreSQL refuses more connections ({}, SQLSTATE 53300): lower database.pool_size (PG_POOL_SIZE), or raise the \
                 server's max_connections, or the CONNECTION LIMIT of the role or database",
                db.message()
            );
        }
        if db.message().starts_with("unsupported startup parameter") {
            return format!(
                "{}: the address leads to a pooler; remove options= from it, and set database.pooler = \"transaction\" and \
                 database.direct_url",
                db.message()
            );
        }
        let told = format!("{} (SQLSTATE {})", db.message(), db.code().code());
        return match advice(db.code()) {
            Some(advice) => format!("{told}: {advice}"),
            None => told,
        };
    }
    let told = in_one_line(error);
    if told.ends_with("password missing") {
        return "PostgreSQL asks for a password and none is given: put it into DATABASE_URL, database.url_file or ~/.pgpass".to_owned();
    }
    told
}

/// Advice for known errors.
fn advice(code: &SqlState) -> Option<&'static str> {
    Some(match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "check the role and its password in DATABASE_URL, database.url_file or ~/.pgpass, and the server's pg_hba.conf"
        }
        SqlState::INVALID_CATALOG_NAME => "check the name in DATABASE_URL, or make it with CREATE DATABASE",
        SqlState::DISK_FULL => "free some space on the server's disk; nothing is lost meanwhile",
        SqlState::CANNOT_CONNECT_NOW => "the connection is retried",
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            "this is a standby or a read-only role: set DATABASE_URL to the primary's address"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
