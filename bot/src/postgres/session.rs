//! What a session must be told before it runs a statement: its schema and its time limits.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Object;
use futures_util::future::{join, join4};
use tokio_postgres::{Client, Row};

use super::{Params, Statement, connect, pins::Pins, statement::statement};

/// What begins a transaction whatever the role's default is. A query such as [`Pins::for_transaction`]'s would come too late.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED, NOT DEFERRABLE";

/// What holds before a transaction pins its settings: the statement that does so must neither be ended nor compiled.
const FIRST: &str = "SET LOCAL statement_timeout = 0; SET LOCAL jit = off";

/// Nobody here takes longer from one statement of a transaction to the next than to get the answer and send it. When PostgreSQL hears
/// nothing for so long, the process does not run or is out of reach, and the rows that it has locked hold up whoever takes its
/// shards: the session is ended. `fleet.lease_seconds` is never shorter.
const BETWEEN_STATEMENTS: Duration = Duration::from_secs(2);

/// What `idle_in_transaction_session_timeout` is given:
/// <https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT>.
pub(super) fn idle_in_transaction(statement_timeout: Duration) -> Duration {
    statement_timeout.min(BETWEEN_STATEMENTS)
}

/// Why a session cannot be used that [`is_in`] another schema.
pub(super) const ELSEWHERE: &str = "the session is not in database.schema: a pooler between here and PostgreSQL leaves the option \
     search_path out; set database.pooler = \"transaction\" and database.direct_url";

/// Whether a session was given its schema at its start. A pooler told to ignore `options` drops it without a word, and the rows
/// of several instances would end up in one schema.
pub(super) async fn is_in(client: &Client, schema: &str) -> Result<bool, tokio_postgres::Error> {
    const SEARCH_PATH: Statement =
        statement!("session_search_path", [], "SELECT current_setting('search_path')");
    let row = client.query_typed_one(SEARCH_PATH.sql, &[]).await?;
    Ok(row.get::<_, &str>(0) == connect::quoted(schema))
}

/// The settings, and when they are given.
#[derive(Clone, Debug)]
pub(super) enum Session {
    /// Once, as the connection is made: they are the session's own from its beginning, and RESET goes back to them.
    AtStart,
    /// In every transaction: behind a pooler in transaction mode the next one runs in another session.
    InEachTransaction(Arc<Pins>),
}

impl Session {
    pub(super) fn in_each_transaction(schema: &str, timeout: Duration, pins: Pins) -> Self {
        let pins = pins
            .and("search_path", connect::quoted(schema))
            .and("statement_timeout", timeout.as_millis().to_string())
            .and(
                "idle_in_transaction_session_timeout",
                idle_in_transaction(timeout).as_millis().to_string(),
            );
        Self::InEachTransaction(Arc::new(pins))
    }

    /// Tell a transaction that has just begun.
    pub(super) async fn begin(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        match self {
            Self::AtStart => Ok(()),
            Self::InEachTransaction(pins) => {
                // Sent in this order without waiting for the answers.
                let (first, pinned) = join(client.batch_execute(FIRST), pins.for_transaction(client)).await;
                first?;
                pinned
            }
        }
    }

    /// Run one statement by itself.
    pub(super) async fn query(
        &self,
        connection: &Object,
        statement: Statement,
        params: Params<'_>,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        match self {
            Self::AtStart => {
                let prepared = connection
                    .prepare_typed_cached(statement.sql, statement.types)
                    .await?;
                connection.query(&prepared, params).await
            }
            Self::InEachTransaction(_) => {
                // Sent in this order without waiting for the answers: one round trip.
                let params = statement.typed(params);
                let (begun, told, rows, committed) = join4(
                    connection.batch_execute(BEGIN),
                    self.begin(connection),
                    connection.query_typed(statement.sql, &params),
                    connection.batch_execute("COMMIT"),
                )
                .await;
                begun?;
                told?;
                let rows = rows?;
                committed?;
                Ok(rows)
            }
        }
    }
}
