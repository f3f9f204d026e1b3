//! Reading more rows than fit into memory.

use std::pin::pin;

use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio_postgres::Row;

use super::{Params, Statement, Store, StoreError};

impl Store {
    /// Pass each row of a query to `each`. All rows are from one snapshot. The session's timeouts do not apply, however long `each` takes.
    ///
    /// # Errors
    ///
    /// The query or `each` failed.
    pub(crate) async fn stream<E>(
        &self,
        statement: Statement,
        params: Params<'_>,
        mut each: impl FnMut(&Row) -> Result<(), E> + Send,
    ) -> Result<(), E>
    where
        E: From<StoreError> + Send,
    {
        let (mut connection, _watch) = self.connection().await?;
        let tx = connection.transaction().await.map_err(StoreError::from)?;
        self.session.begin(tx.client()).await.map_err(StoreError::from)?;
        tx.batch_execute(
            "-- stream\nSET TRANSACTION READ ONLY; SET LOCAL statement_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0",
        )
        .await
        .map_err(StoreError::from)?;
        let rows = tx.query_typed_raw(statement.sql, statement.typed(params));
        let rows = rows.await.map_err(StoreError::from)?;
        let mut rows = pin!(rows.map_err(StoreError::from));
        while let Some(row) = rows.next().await {
            each(&row?)?;
        }
        Ok(())
    }
}
