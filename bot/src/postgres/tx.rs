//! A transaction, and what can be done in it.

use std::{
    pin::pin,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio_postgres::{
    Row,
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
};

use super::{
    Params, Statement, StoreError,
    statement::{Watch, statement},
};

/// A transaction under way.
pub struct Tx<'a> {
    pub(crate) inner: deadpool_postgres::Transaction<'a>,
    pub(crate) prepared: bool,
    pub(crate) watch: Watch,
    /// The kinds of the effects that it adds.
    pub(crate) effects: Mutex<Vec<&'static str>>,
    /// Whether it arms timers.
    pub(crate) timers: AtomicBool,
}

impl Tx<'_> {
    /// Effects of these kinds are added if it is committed.
    pub(crate) fn adds_effects(&self, kinds: &[&'static str]) {
        self.effects_to_announce().extend(kinds);
    }

    /// Timers are armed if it is committed.
    pub(super) fn arms_timers(&self) {
        self.timers.store(true, Ordering::Relaxed);
    }

    /// Run a statement in the transaction.
    pub async fn query(&self, statement: Statement, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        let query = async {
            if !self.prepared {
                return self
                    .inner
                    .query_typed(statement.sql, &statement.typed(params))
                    .await;
            }
            let prepared = self
                .inner
                .prepare_typed_cached(statement.sql, statement.types)
                .await?;
            self.inner.query(&prepared, params).await
        };
        self.watch.over(statement, query).await
    }

    /// Run a statement whose rows nobody needs; returns how many it touched.
    pub async fn execute(&self, statement: Statement, params: Params<'_>) -> Result<u64, StoreError> {
        let execute = async {
            if !self.prepared {
                return self
                    .inner
                    .execute_typed(statement.sql, &statement.typed(params))
                    .await;
            }
            let prepared = self
                .inner
                .prepare_typed_cached(statement.sql, statement.types)
                .await?;
            self.inner.execute(&prepared, params).await
        };
        self.watch.over(statement, execute).await
    }

    /// Whether [`Tx::copy_in`] can be used: a pooler keeps no prepared statement, and COPY has no other way to be sent.
    pub(crate) const fn can_copy(&self) -> bool {
        self.prepared
    }

    /// Send rows by `COPY … FROM STDIN (FORMAT binary)`, whose columns have these types; returns how many there were.
    pub(crate) async fn copy_in<'r, const COLUMNS: usize>(
        &self,
        statement: Statement,
        types: &[Type; COLUMNS],
        rows: impl Iterator<Item = [&'r (dyn ToSql + Sync); COLUMNS]> + Send,
    ) -> Result<u64, StoreError> {
        let copy = async {
            let prepared = self
                .inner
                .prepare_typed_cached(statement.sql, statement.types)
                .await?;
            let sink = self.inner.copy_in(&prepared).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, types));
            for row in rows {
                writer.as_mut().write(&row).await?;
            }
            writer.finish().await
        };
        self.watch.over(statement, copy).await
    }

    /// Do something that may be refused without ending the transaction: the inner error took back what `work` did, and nothing else.
    ///
    /// # Errors
    ///
    /// The connection is of no use any more.
    pub(crate) async fn attempt<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Result<T, StoreError>, StoreError> {
        // Several at once are a stack: the name means the innermost.
        const BEGIN: Statement = statement!("attempt", [], "SAVEPOINT attempt");
        const KEEP: Statement = statement!("attempt_keep", [], "RELEASE SAVEPOINT attempt");
        const UNDO: Statement = statement!("attempt_undo", [], "ROLLBACK TO SAVEPOINT attempt");
        let announced = self.effects_to_announce().len();
        self.execute(BEGIN, &[]).await?;
        let done = work.await;
        match &done {
            Ok(_) => {}
            // Without a SQLSTATE it is the connection that failed.
            Err(error) if error.sqlstate().is_none() => return done.map(Ok),
            Err(_) => {
                self.execute(UNDO, &[]).await?;
                self.effects_to_announce().truncate(announced);
            }
        }
        self.execute(KEEP, &[]).await?;
        Ok(done)
    }

    /// Check deferred constraints with each statement from now on.
    pub(crate) async fn check_constraints_at_once(&self) -> Result<(), StoreError> {
        const AT_ONCE: Statement = statement!("constraints_at_once", [], "SET CONSTRAINTS ALL IMMEDIATE");
        self.execute(AT_ONCE, &[]).await.map(drop)
    }

    fn effects_to_announce(&self) -> MutexGuard<'_, Vec<&'static str>> {
        self.effects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
