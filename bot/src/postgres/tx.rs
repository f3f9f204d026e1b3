//! A transaction and its operations.

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
    Params, Statement, Store, StoreError,
    statement::{Watch, Whose, statement},
};
use crate::telemetry::metrics;

/// A transaction in progress.
pub struct Tx<'a> {
    pub(crate) inner: deadpool_postgres::Transaction<'a>,
    pub(crate) prepared: bool,
    pub(crate) watch: Watch,
    /// The kinds of effects that it has added.
    pub(crate) effects: Mutex<Vec<&'static str>>,
    /// Whether it has armed timers.
    pub(crate) timers: AtomicBool,
    /// Whose settings it has changed.
    pub(crate) settings: Mutex<Vec<Whose>>,
}

impl Store {
    /// This happens after the commit: a transaction that is rolled back has added none.
    pub(super) fn announce(&self, effects: &[&'static str]) {
        for kind in effects {
            metrics::effects_added_total(*kind).increment(1);
        }
        if !effects.is_empty() {
            self.effects.notify_one();
        }
    }
}

impl Tx<'_> {
    /// Record that effects of these kinds were added, to announce them after the commit.
    pub(crate) fn adds_effects(&self, kinds: &[&'static str]) {
        self.effects_to_announce().extend(kinds);
    }

    /// Record that timers were armed, to announce them after the commit.
    pub(super) fn arms_timers(&self) {
        self.timers.store(true, Ordering::Relaxed);
    }

    /// Run a statement in the transaction.
    pub async fn query(&self, statement: Statement, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        self.note(statement, params);
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

    /// Run a statement that returns no rows. Returns the number of affected rows.
    pub async fn execute(&self, statement: Statement, params: Params<'_>) -> Result<u64, StoreError> {
        self.note(statement, params);
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

    /// Note whose settings a statement changes, so that this process reads them again after the commit.
    fn note(&self, statement: Statement, params: Params<'_>) {
        if let Some(guild_id) = statement.changed_guild(params) {
            let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
            settings.push(guild_id);
        }
    }

    /// Whether [`Tx::copy_in`] is available: a pooler does not keep prepared statements, which COPY requires.
    pub(crate) const fn can_copy(&self) -> bool {
        self.prepared
    }

    /// Send rows by `COPY … FROM STDIN (FORMAT binary)` with columns of these types. Returns the number of rows.
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

    /// Run `work`, which may be rejected without ending the transaction: after the inner error, only the changes of `work` are rolled back.
    ///
    /// # Errors
    ///
    /// The connection is no longer usable.
    pub(crate) async fn attempt<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Result<T, StoreError>, StoreError> {
        // Savepoints of the same name form a stack, whose innermost one is used.
        const BEGIN: Statement = statement!("attempt", [], "SAVEPOINT attempt");
        const KEEP: Statement = statement!("attempt_keep", [], "RELEASE SAVEPOINT attempt");
        const UNDO: Statement = statement!("attempt_undo", [], "ROLLBACK TO SAVEPOINT attempt");
        let announced = self.effects_to_announce().len();
        self.execute(BEGIN, &[]).await?;
        let done = work.await;
        match &done {
            Ok(_) => {}
            // Without a SQLSTATE, the connection has failed.
            Err(error) if error.sqlstate().is_none() => return done.map(Ok),
            Err(_) => {
                self.execute(UNDO, &[]).await?;
                self.effects_to_announce().truncate(announced);
            }
        }
        self.execute(KEEP, &[]).await?;
        Ok(done)
    }

    /// Check deferred constraints immediately from now on.
    pub(crate) async fn check_constraints_at_once(&self) -> Result<(), StoreError> {
        const AT_ONCE: Statement = statement!("constraints_at_once", [], "SET CONSTRAINTS ALL IMMEDIATE");
        self.execute(AT_ONCE, &[]).await.map(drop)
    }

    fn effects_to_announce(&self) -> MutexGuard<'_, Vec<&'static str>> {
        self.effects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
