//! What can go wrong with the database, told in one line and without a value of any statement.

use std::time::Duration;

use deadpool_postgres::{HookError, PoolError, TimeoutType};
use thiserror::Error;
use tokio_postgres::error::SqlState;

use crate::causes::in_one_line;

/// A failed operation on the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The connection failed during COMMIT: nobody knows yet whether the transaction took effect.
    #[error("connection lost during COMMIT: {}", one_line(.0))]
    Commit(#[source] tokio_postgres::Error),
    /// A statement or a connection failed; its transaction has not taken effect.
    #[error("{}", one_line(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// Nothing came for longer than PostgreSQL lets a statement run: nobody is at the connection's other end. Its transaction has not
    /// taken effect.
    #[error("PostgreSQL did not answer within {} s (database.statement_timeout_ms and 5 s); the connection is given up", .0.as_secs())]
    Silence(Duration),
    /// The same during COMMIT: nobody knows yet whether the transaction took effect.
    #[error("PostgreSQL did not answer a COMMIT within {} s (database.statement_timeout_ms and 5 s); the connection is given up", .0.as_secs())]
    SilentCommit(Duration),
    /// No connection could be had.
    #[error("{0}")]
    Pool(String),
}

/// Why connecting ended, for people.
pub(super) const NO_ANSWER: &str = "PostgreSQL did not answer within database.connection_timeout_ms";

impl StoreError {
    /// The SQLSTATE, where the server gave one: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    pub fn sqlstate(&self) -> Option<&SqlState> {
        match self {
            Self::Commit(error) | Self::Postgres(error) => error.code(),
            Self::Silence(_) | Self::SilentCommit(_) | Self::Pool(_) => None,
        }
    }

    /// Whether it is unknown if anybody is at the connection's other end.
    pub(super) const fn is_silence(&self) -> bool {
        matches!(self, Self::Silence(_) | Self::SilentCommit(_))
    }

    /// Whether trying again at once is right: the server chose this transaction as the victim of a conflict.
    pub fn is_conflict(&self) -> bool {
        matches!(
            self.sqlstate(),
            Some(&SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE)
        )
    }

    /// A bounded label for metrics, one of [`CLASSES`]: the SQLSTATE's class, or what failed without one.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Pool(_) => "pool",
            Self::Commit(error) | Self::Postgres(error) if super::connect::tls_in_words(error).is_some() => {
                "tls"
            }
            Self::Commit(error) | Self::Postgres(error) => class_of(error.code()),
            Self::Silence(_) | Self::SilentCommit(_) => "silence",
        }
    }
}

/// Every class of an error: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
pub const CLASSES: &[&str] = &[
    "pool",
    "connection",
    "silence",
    "tls",
    "08 connection exception",
    "22 data exception",
    "23 integrity constraint violation",
    "25 invalid transaction state",
    "28 invalid authorization",
    "40 transaction rollback",
    "42 syntax error or access rule violation",
    "53 insufficient resources",
    "55 object not in prerequisite state",
    "57 operator intervention",
    "58 system error",
    "other",
];

/// A SQLSTATE's class as a label; without one the connection has failed.
pub(super) fn class_of(sqlstate: Option<&SqlState>) -> &'static str {
    match sqlstate.and_then(|code| code.code().get(..2)) {
        Some("08") => "08 connection exception",
        Some("22") => "22 data exception",
        Some("23") => "23 integrity constraint violation",
        Some("25") => "25 invalid transaction state",
        Some("28") => "28 invalid authorization",
        Some("40") => "40 transaction rollback",
        Some("42") => "42 syntax error or access rule violation",
        Some("53") => "53 insufficient resources",
        Some("55") => "55 object not in prerequisite state",
        Some("57") => "57 operator intervention",
        Some("58") => "58 system error",
        Some(_) => "other",
        None => "connection",
    }
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

/// An error with its causes in one line. The server's detail and hint are left out: they can quote values of a row.
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

/// What somebody can do about it, where that is known.
fn advice(code: &SqlState) -> Option<&'static str> {
    Some(match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "check the role and its password in DATABASE_URL, database.url_file or ~/.pgpass, and the server's pg_hba.conf"
        }
        SqlState::INVALID_CATALOG_NAME => "check the name in DATABASE_URL, or make it with CREATE DATABASE",
        SqlState::DISK_FULL => "make room on the server's disk; nothing is lost meanwhile",
        SqlState::CANNOT_CONNECT_NOW => "it is tried again",
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            "this is a standby or a read-only role: give the primary's address in DATABASE_URL"
        }
        _ => return None,
    })
}
