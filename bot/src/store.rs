//! The store: the only part that touches the pool, and one file a table for its statements.
//!
//! A statement has a name, which stands in its first line as a comment (so `pg_stat_statements` leads back to the source) and
//! is its label in the metrics. It is prepared once a connection.

pub mod connect;
pub mod error;
pub mod member_xp;
pub mod migrations;
pub mod shard_checkpoint;

use std::time::Duration;

use deadpool_postgres::{Hook, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Status};
use futures_util::future::BoxFuture;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_postgres::{Row, types::ToSql};

use self::connect::{Name, Target};
pub use self::error::StoreError;
use crate::{config::Database, metrics};

/// Idle connections are looked for at least this often.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

/// A statement with its name.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// The name: a function's in this module's files.
    pub name: &'static str,
    /// The text, which opens with the name.
    pub sql: &'static str,
}

/// A [`Statement`] whose text opens with its name.
macro_rules! statement {
    ($name:literal, $sql:literal) => {
        $crate::store::Statement {
            name: $name,
            sql: concat!("-- ", $name, "\n", $sql),
        }
    };
}
use statement;

/// The parameters of a statement.
pub type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Connections to PostgreSQL, in two shares: a flood of reads takes none of the flushes' connections.
#[derive(Clone, Debug)]
pub struct Store {
    share: Share,
    flushes: Pool,
    others: Pool,
    name: Name,
    idle_timeout: Duration,
    slow_query: Duration,
}

/// Whose connections a store hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    Flushes,
    Others,
}

/// A transaction under way.
pub struct Tx<'a> {
    inner: deadpool_postgres::Transaction<'a>,
    slow_query: Duration,
}

impl Store {
    /// A pool that connects to `target` when first asked to.
    ///
    /// # Errors
    ///
    /// [`StoreError::Pool`] when the settings contradict each other.
    pub fn new(target: impl Into<Target>, database: &Database) -> Result<Self, StoreError> {
        let statement_timeout = database.statement_timeout.as_millis();
        let timeouts = format!(
            "-c statement_timeout={statement_timeout} -c idle_in_transaction_session_timeout={statement_timeout}",
        );
        let name = Name::default();
        name.set("");
        let target = target.into().named(&name).with(|config| {
            let options = format!("{} {timeouts}", config.get_options().unwrap_or_default());
            config.options(options.trim());
        });
        let others = database.pool_size.saturating_sub(database.flush_connections);
        Ok(Self {
            share: Share::Others,
            flushes: pool(&target, database, database.flush_connections)?,
            others: pool(&target, database, others)?,
            name,
            idle_timeout: database.idle_timeout,
            slow_query: database.slow_query,
        })
    }

    /// The same store on the connections that are kept for flushes.
    #[must_use]
    pub fn for_flushes(&self) -> Self {
        Self {
            share: Share::Flushes,
            ..self.clone()
        }
    }

    /// Tell PostgreSQL's administrator which shards the process runs, by the name of every connection.
    pub fn name_shards(&self, first: u32, last: u32, count: u32) {
        self.name.set(&format!("shards {first}-{last}/{count}"));
        // What is open has the old name. Nothing is lost: it is opened again when it is needed.
        self.close_unused(Duration::ZERO);
    }

    /// Open the flushes' connections, so that the first flush, which a heartbeat can be waiting for, does not have to.
    pub async fn open_for_flushes(&self) -> Result<(), StoreError> {
        let store = self.for_flushes();
        let mut open = Vec::new();
        for _ in 0..self.flushes.status().max_size {
            open.push(store.connection().await?);
        }
        Ok(())
    }

    /// Close what nobody has used for `database.idle_timeout_ms`, until `stop` is true or nobody is left to say so.
    ///
    /// deadpool closes nothing by itself before its connection is asked for again.
    pub async fn close_idle(self, mut stop: watch::Receiver<bool>) {
        if self.idle_timeout.is_zero() {
            // An error is a sender that has gone, which is an end as well.
            drop(stop.wait_for(|stop| *stop).await);
            return;
        }
        let mut looks = interval(self.idle_timeout.min(LONGEST_LOOK) / 2);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                _ = looks.tick() => self.close_unused(self.idle_timeout),
            }
        }
    }

    fn close_unused(&self, since: Duration) {
        for pool in [&self.flushes, &self.others] {
            let closed = pool
                .retain(|_, metrics| metrics.last_used() < since)
                .removed
                .len();
            if closed > 0 {
                tracing::debug!(pool.closed = closed, "closed connections that nobody used");
            }
        }
    }

    /// A connection of the pool, which is given back when dropped.
    async fn connection(&self) -> Result<Object, StoreError> {
        let asked = Instant::now();
        #[expect(clippy::disallowed_methods, reason = "this is the store")]
        let connection = match self.share {
            Share::Flushes => self.flushes.get().await,
            Share::Others => self.others.get().await,
        };
        metrics::pool_wait_seconds().record(asked.elapsed());
        connection.map_err(StoreError::from)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.query(statement!("ping", "SELECT 1"), &[]).await.map(drop)
    }

    /// Run one statement outside of any transaction.
    pub async fn query(&self, statement: Statement, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        let connection = self.connection().await?;
        let prepared = connection.prepare_cached(statement.sql).await?;
        timed(statement, self.slow_query, connection.query(&prepared, params)).await
    }

    /// Run `work` in a transaction, and commit it when it returns `Ok`.
    ///
    /// `name` labels the metrics. It is not tried again here: whether it may be depends on what it does.
    ///
    /// # Errors
    ///
    /// [`StoreError::Commit`] when the connection failed during COMMIT: the transaction may or may not have taken effect.
    /// Any other error: it has not.
    pub async fn transaction<T, F>(&self, name: &'static str, work: F) -> Result<T, StoreError>
    where
        F: for<'t> FnOnce(&'t Tx<'_>) -> BoxFuture<'t, Result<T, StoreError>> + Send,
    {
        let mut connection = self.connection().await?;
        let started = Instant::now();
        let tx = Tx {
            inner: connection.transaction().await?,
            slow_query: self.slow_query,
        };
        let done = match work(&tx).await {
            Ok(done) => done,
            Err(error) => {
                // A failed rollback means a broken connection, which rolls back by itself; the first error is the telling one.
                drop(tx.inner.rollback().await);
                return Err(error);
            }
        };
        tx.inner.commit().await.map_err(StoreError::Commit)?;
        metrics::transaction_seconds(name).record(started.elapsed());
        Ok(done)
    }

    /// Copy the pool's state into its gauges.
    pub fn observe(&self) {
        let (size, in_use) = self.pool_usage();
        let status = [&self.flushes, &self.others].map(Pool::status);
        let sum = |of: fn(&Status) -> usize| status.iter().map(of).sum::<usize>();
        #[expect(clippy::cast_precision_loss, reason = "pool sizes are small")]
        {
            metrics::pool_size().set(size as f64);
            metrics::pool_max_size().set(sum(|status| status.max_size) as f64);
            metrics::pool_in_use().set(in_use as f64);
            metrics::pool_waiting().set(sum(|status| status.waiting) as f64);
        }
    }

    /// Sizes of the pool: connections open, and in use.
    pub fn pool_usage(&self) -> (usize, usize) {
        let status = [&self.flushes, &self.others].map(Pool::status);
        let in_use = |status: &Status| status.size.saturating_sub(status.available);
        (
            status.iter().map(|status| status.size).sum(),
            status.iter().map(in_use).sum(),
        )
    }

    /// Close every connection that nobody holds, and refuse to give out more.
    pub fn close(&self) {
        self.flushes.close();
        self.others.close();
    }
}

/// One share of the pool.
fn pool(target: &Target, database: &Database, size: usize) -> Result<Pool, StoreError> {
    let manager = Manager::from_connect(
        tokio_postgres::Config::new(),
        target.clone(),
        ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        },
    );
    Pool::builder(manager)
        .max_size(size.max(1))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(database.connection_timeout))
        .create_timeout(Some(database.connection_timeout))
        .recycle_timeout(Some(database.recycle_timeout))
        .post_create(Hook::sync_fn(|_, _| {
            metrics::pool_connections_created_total().increment(1);
            Ok(())
        }))
        .build()
        .map_err(|error| StoreError::Pool(error.to_string()))
}

impl Tx<'_> {
    /// Run a statement in the transaction.
    pub async fn query(&self, statement: Statement, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        let prepared = self.inner.prepare_cached(statement.sql).await?;
        timed(statement, self.slow_query, self.inner.query(&prepared, params)).await
    }

    /// Run a statement whose rows nobody needs; returns how many it touched.
    pub async fn execute(&self, statement: Statement, params: Params<'_>) -> Result<u64, StoreError> {
        let prepared = self.inner.prepare_cached(statement.sql).await?;
        timed(statement, self.slow_query, self.inner.execute(&prepared, params)).await
    }
}

/// Run a query with the time it takes under its name, never with its values.
async fn timed<T>(
    statement: Statement,
    slow_query: Duration,
    query: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, StoreError> {
    let started = Instant::now();
    let result = query.await;
    let elapsed = started.elapsed();
    metrics::query_seconds(statement.name).record(elapsed);
    if elapsed >= slow_query {
        metrics::slow_queries_total(statement.name).increment(1);
        let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(
            query.name = statement.name,
            query.duration_ms = duration_ms,
            "slow query"
        );
    }
    result.map_err(StoreError::from)
}
