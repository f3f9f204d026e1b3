//! The settings of a session before it runs a statement: its schema and its time limits.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Object;
use futures_util::future::{join, join4};
use tokio_postgres::{Client, Row};

use super::{Params, Statement, connect, pins::Pins, statement::statement};

/// Begins a transaction with these properties whatever the role's defaults are. After a query such as that of [`Pins::for_transaction`]
/// they could not be set.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED, NOT DEFERRABLE";

/// The settings until a transaction has its pinned settings: the statement that pins them must not time out or be compiled.
const FIRST: &str = "SET LOCAL statement_timeout = 0; SET LOCAL jit = off";

/// Between two statements of a transaction, the bot only receives an answer and sends the next statement. If PostgreSQL receives nothing
/// for this long, the process is stopped or unreachable, and its row locks would block the process that takes its shards, so the session is
/// ended. `fleet.lease_seconds` is never shorter.
const BETWEEN_STATEMENTS: Duration = Duration::from_secs(2);

/// The value of `idle_in_transaction_session_timeout`:
/// <https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT>.
pub(super) fn idle_in_transaction(statement_timeout: Duration) -> Duration {
    statement_timeout.min(BETWEEN_STATEMENTS)
}

/// The error for a session that is in another schema according to [`is_in`].
pub(super) const ELSEWHERE: &str = "the session is not in database.schema: a pooler between here and PostgreSQL leaves the option \
     search_path out; set database.pooler = \"transaction\" and database.direct_url";

/// Whether a session got its schema at its start. A pooler that ignores `options` drops it silently, and the rows of several instances
/// would be mixed in one schema.
pub(super) async fn is_in(client: &Client, schema: &str) -> Result<bool, tokio_postgres::Error> {
    const SEARCH_PATH: Statement =
        statement!("session_search_path", [], "SELECT current_setting('search_path')");
    let row = client.query_typed_one(SEARCH_PATH.sql, &[]).await?;
    Ok(row.get::<_, &str>(0) == connect::quoted(schema))
}

/// When the settings are applied.
#[derive(Clone, Debug)]
pub(super) enum Session {
    /// Once, when the connection is opened: they are part of the session from its start, and RESET returns to them.
    AtStart,
    /// In every transaction: behind a pooler in transaction mode, each one may run in a different session.
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

    /// Apply the settings to a transaction that has just started.
    pub(super) async fn begin(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        match self {
            Self::AtStart => Ok(()),
            Self::InEachTransaction(pins) => {
                // They are sent in this order without waiting for answers.
                let (first, pinned) = join(client.batch_execute(FIRST), pins.for_transaction(client)).await;
                first?;
                pinned
            }
        }
    }

    /// Run a statement outside of a transaction.
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
                // They are sent in this order without waiting for answers, which takes one round trip.
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
