//! The store: the only module that uses the connection pool. Statements are in the features and layers that use them, one file per table,
//! such as `features/levels/rows`.
//!
//! A statement has a name. It is part of the text, as a comment, so that entries of `pg_stat_statements` can be traced to the source, and
//! it is the statement's label in the metrics. A statement is prepared once per connection.

pub mod backup;
pub mod catalog;
pub mod connect;
pub mod database;
mod dedicated;
pub mod doctor;
pub mod embedded;
pub mod error;
mod lease;
mod listen;
mod maintenance;
pub mod migrations;
mod patience;
pub mod pins;
pub mod replica;
pub mod request;
mod session;
pub(crate) mod statement;
mod streaming;
pub mod table;
pub mod timer;
mod tx;
mod usage;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use futures_util::future::BoxFuture;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};
use tokio_postgres::{IsolationLevel, Row};
use tracing::Instrument as _;

use self::{
    connect::{Name, Target},
    lease::Lease,
    maintenance::Maintenance,
    pins::Pins,
    replica::Replica,
    session::Session,
    statement::{Watch, statement},
};
pub use self::{
    error::StoreError,
    listen::Listener,
    statement::{NOTIFYING, Params, Statement},
    tx::Tx,
};
use crate::{
    config::Database,
    telemetry::{metrics, traces},
};

/// PostgreSQL cancels a statement after `database.statement_timeout_ms` and reports it. If nothing arrives for this long after that, the
/// server is considered gone, whatever the socket's state is: a proxy in between acknowledges packets even without a server.
const ANSWER_GRACE: Duration = Duration::from_secs(5);

/// Connections to PostgreSQL, in two pools, so that a flood of reads cannot take the connections for flushes.
#[derive(Clone, Debug)]
pub struct Store {
    share: Share,
    target: Target,
    flushes: Pool,
    others: Pool,
    replica: Option<Replica>,
    /// A connection that bypasses any pooler, if there is one.
    direct: Option<Target>,
    session: Session,
    /// The settings of sessions that flush.
    flush_session: Session,
    name: Name,
    idle_timeout: Duration,
    slow_query: Duration,
    usual_patience: Duration,
    patience: Duration,
    part: Option<Arc<Semaphore>>,
    /// Notified of added effects.
    effects: Arc<Notify>,
    /// Notified of armed timers.
    timers: Arc<Notify>,
    /// Notified of settings that this process has changed.
    listener: Arc<Mutex<Option<Arc<dyn Listener>>>>,
    /// Guilds whose rank buckets need maintenance.
    pub(crate) maintenance: Arc<Maintenance>,
}

/// The pool that a store uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    Flushes,
    Others,
    /// Reads that may be slightly out of date. No store uses only this pool.
    Replica,
}

impl Share {
    /// The label in metrics.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Flushes => "flushes",
            Self::Others => "others",
            Self::Replica => "replica",
        }
    }
}

impl Store {
    /// A pool of connections to `target`, which are opened on first use.
    ///
    /// # Errors
    ///
    /// [`StoreError::Pool`] if the settings contradict each other.
    pub fn new(target: impl Into<Target>, database: &Database) -> Result<Self, StoreError> {
        let name = Name::default();
        name.set("");
        let target = target.into();
        let direct = (!target.is_pooled()).then(|| target.clone());
        let target = prepared(target, &name, database);
        let others = database.pool_size.saturating_sub(database.flush_connections);
        let session = |pins| {
            if target.is_pooled() {
                Session::in_each_transaction(target.schema(), database.statement_timeout, pins)
            } else {
                Session::AtStart
            }
        };
        Ok(Self {
            share: Share::Others,
            flushes: pool(
                &target.clone().for_flushes(),
                database,
                database.flush_connections,
            )?,
            others: pool(&target, database, others)?,
            replica: None,
            direct,
            target: target.clone(),
            session: session(Pins::of_any()),
            flush_session: session(Pins::of_flushes()),
            name,
            idle_timeout: database.idle_timeout,
            slow_query: database.slow_query,
            usual_patience: database.statement_timeout + ANSWER_GRACE,
            patience: database.statement_timeout + ANSWER_GRACE,
            part: None,
            effects: Arc::default(),
            timers: Arc::default(),
            listener: Arc::default(),
            maintenance: Arc::default(),
        })
    }

    /// Add a replica. It is used for reads that may be slightly out of date, as long as it answers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Pool`] if the settings contradict each other.
    pub fn with_replica(mut self, replica: Target, database: &Database) -> Result<Self, StoreError> {
        let replica = prepared(replica, &self.name, database);
        let size = database.pool_size.saturating_sub(database.flush_connections);
        let pool = pool(&replica, database, size)?;
        self.replica = Some(Replica::new(pool, replica, database));
        Ok(self)
    }

    /// Add a target that bypasses the pooler.
    #[must_use]
    pub fn with_direct(mut self, direct: Target) -> Self {
        self.direct = Some(direct);
        self
    }

    /// A store that uses the connections reserved for flushes.
    #[must_use]
    pub fn for_flushes(&self) -> Self {
        Self {
            share: Share::Flushes,
            session: self.flush_session.clone(),
            ..self.clone()
        }
    }

    /// Set the application name of connections opened from now on.
    pub fn name_for(&self, what: &str) {
        self.name.set(what);
    }

    /// Show in the application name of every connection which shards the process runs.
    pub fn name_shards(&self, first: u32, last: u32, count: u32) {
        self.name.set(&format!("shards {first}-{last}/{count}"));
        // Open connections still have the old name. Closing the idle ones is harmless: connections are opened when they are needed.
        self.close_unused(Duration::ZERO);
    }

    /// Open the connections for flushes, so that the first flush, for which a heartbeat may be waiting, does not have to.
    pub async fn open_for_flushes(&self) -> Result<(), StoreError> {
        let store = self.for_flushes();
        let mut open = Vec::new();
        for _ in 0..self.flushes.status().max_size {
            open.push(store.connection().await?.0);
        }
        Ok(())
    }

    fn close_unused(&self, since: Duration) {
        for pool in self.pools() {
            let closed = pool
                .retain(|_, metrics| metrics.last_used() < since)
                .removed
                .len();
            if closed > 0 {
                tracing::debug!(pool.closed = closed, "closed idle connections");
            }
        }
    }

    fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.shares().map(|(_, pool)| pool)
    }

    fn shares(&self) -> impl Iterator<Item = (Share, &Pool)> {
        let replica = self
            .replica
            .as_ref()
            .map(|replica| (Share::Replica, &replica.pool));
        [(Share::Flushes, &self.flushes), (Share::Others, &self.others)]
            .into_iter()
            .chain(replica)
    }

    /// Take a connection from the pool. Dropping it returns it.
    async fn connection(&self) -> Result<(Lease, Watch), StoreError> {
        let pool = match self.share {
            Share::Flushes => &self.flushes,
            Share::Others | Share::Replica => &self.others,
        };
        let permit = self.permit().await?;
        self.connection_of(pool, self.share, &self.target, permit).await
    }

    async fn connection_of(
        &self,
        pool: &Pool,
        share: Share,
        target: &Target,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<(Lease, Watch), StoreError> {
        let asked = Instant::now();
        #[expect(clippy::disallowed_methods, reason = "this is the store")]
        let connection = pool.get().await;
        let watch = Watch {
            slow_query: self.slow_query,
            waited: asked.elapsed(),
            patience: self.patience,
        };
        metrics::pool_wait_seconds(share.as_str()).record(watch.waited);
        match connection {
            Ok(connection) => Ok((Lease::new(connection, target.clone(), permit), watch)),
            Err(error) => {
                let waited_in_vain = matches!(error, PoolError::Timeout(TimeoutType::Wait));
                let error = StoreError::from(error);
                if waited_in_vain {
                    metrics::pool_timeouts_total(share.as_str()).increment(1);
                } else {
                    metrics::pool_connect_failures_total(error.class()).increment(1);
                }
                Err(error)
            }
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.query(statement!("ping", [], "SELECT 1"), &[])
            .await
            .map(drop)
    }

    /// Whether the database answers and has the bot's tables.
    pub(crate) async fn check_tables(&self) -> Result<(), StoreError> {
        self.query(statement!("check_tables", [], "SELECT FROM fleet"), &[])
            .await
            .map(drop)
    }

    /// Run a statement outside of any transaction.
    pub async fn query(&self, statement: Statement, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        let (mut connection, watch) = self.connection().await?;
        let rows = self.query_over(&mut connection, watch, statement, params).await;
        self.tell(statement.changed_guild(params));
        rows
    }

    async fn query_over(
        &self,
        connection: &mut Lease,
        watch: Watch,
        statement: Statement,
        params: Params<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        connection.begin();
        let rows = watch
            .over(statement, self.session.query(connection, statement, params))
            .await;
        self.settle(connection, &rows);
        rows
    }

    /// Keep the connection if it is usable. If it is not, close the idle ones too, because they lead to the same server. New connections
    /// resolve the host name again, which after a failover may lead to another server.
    fn settle<T>(&self, connection: &mut Lease, result: &Result<T, StoreError>) {
        match result {
            Err(error) if error.ends_connection() => {
                if !error.is_silence() {
                    connection.dismiss();
                }
                self.close_unused(Duration::ZERO);
            }
            _ => connection.answered(),
        }
    }

    /// Run `work` in a transaction, and commit it if `work` returns `Ok`.
    ///
    /// `name` is the label in metrics. The transaction is not retried here, since only the caller knows whether it may be.
    ///
    /// # Errors
    ///
    /// [`StoreError::Commit`] and [`StoreError::SilentCommit`] if the connection failed during COMMIT: the transaction may or may not have
    /// taken effect. After any other error, it has not.
    pub async fn transaction<T, F>(&self, name: &'static str, work: F) -> Result<T, StoreError>
    where
        F: for<'t> FnOnce(&'t Tx<'_>) -> BoxFuture<'t, Result<T, StoreError>> + Send,
    {
        // This creates the counter, which is 0 before the first failure.
        let failures = metrics::transaction_failures_total(name);
        let (mut connection, watch) = self.connection().await?;
        let started = Instant::now();
        connection.begin();
        let commits = connection.commits();
        let work = self.transaction_on(&mut connection, watch, &commits, work);
        let done = work.instrument(traces::transaction(name)).await;
        self.settle(&mut connection, &done);
        if done.is_ok() {
            metrics::transaction_seconds(name).record(started.elapsed());
        } else {
            failures.increment(1);
        }
        done
    }

    async fn transaction_on<T, F>(
        &self,
        connection: &mut Object,
        watch: Watch,
        commits: &AtomicBool,
        work: F,
    ) -> Result<T, StoreError>
    where
        F: for<'t> FnOnce(&'t Tx<'_>) -> BoxFuture<'t, Result<T, StoreError>> + Send,
    {
        let begin = connection
            .build_transaction()
            .isolation_level(IsolationLevel::ReadCommitted)
            .deferrable(false);
        let tx = Tx {
            inner: watch.answer(begin.start()).await?,
            prepared: matches!(self.session, Session::AtStart),
            watch,
            effects: Mutex::default(),
            timers: AtomicBool::new(false),
            settings: Mutex::default(),
        };
        watch.answer(self.session.begin(tx.inner.client())).await?;
        let done = match work(&tx).await {
            Ok(done) => done,
            Err(error) => {
                if !error.is_silence() {
                    // A failed rollback means that the connection is broken, which rolls back as well. The first error is the one to
                    // report.
                    drop(watch.answer(tx.inner.rollback()).await);
                }
                return Err(error);
            }
        };
        let effects = tx.effects.into_inner().unwrap_or_else(PoisonError::into_inner);
        let arms_timers = tx.timers.into_inner();
        let settings = tx.settings.into_inner().unwrap_or_else(PoisonError::into_inner);
        commits.store(true, Ordering::Relaxed);
        let committed = watch.answer(tx.inner.commit()).await;
        // Also after an error: the commit may have taken effect.
        self.tell(settings);
        match committed {
            Ok(()) => {
                self.announce(&effects);
                if arms_timers {
                    self.timers.notify_one();
                }
                Ok(done)
            }
            Err(StoreError::Postgres(error)) => Err(StoreError::Commit(error)),
            Err(StoreError::Silence(after)) => Err(StoreError::SilentCommit(after)),
            Err(error) => Err(error),
        }
    }

    /// Notified whenever a transaction of this process has added effects.
    pub fn effects_added(&self) -> Arc<Notify> {
        Arc::clone(&self.effects)
    }

    /// Notified whenever a transaction of this process has armed timers, or another process has armed some that are due soon.
    pub fn timers_armed(&self) -> Arc<Notify> {
        Arc::clone(&self.timers)
    }

    /// Close all idle connections and refuse new ones.
    pub fn close(&self) {
        self.pools().for_each(Pool::close);
    }
}

/// The target with a name, and with the time limits that every session has from its start.
fn prepared(target: Target, name: &Name, database: &Database) -> Target {
    let target = target.named(name);
    if target.is_pooled() {
        return target;
    }
    let timeout = database.statement_timeout.as_millis();
    let idle = session::idle_in_transaction(database.statement_timeout).as_millis();
    let timeouts = format!("-c statement_timeout={timeout} -c idle_in_transaction_session_timeout={idle}");
    target.with(|config| {
        let options = format!("{} {timeouts}", config.get_options().unwrap_or_default());
        config.options(options.trim());
    })
}

/// One of the pools.
fn pool(target: &Target, database: &Database, size: usize) -> Result<Pool, StoreError> {
    let schema = (!target.is_pooled()).then(|| target.schema().to_owned());
    let patience = database.connection_timeout;
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
        .post_create(Hook::async_fn(move |client, _| {
            metrics::pool_connections_created_total().increment(1);
            let schema = schema.clone();
            Box::pin(async move {
                let Some(schema) = schema else { return Ok(()) };
                // The pool's own connection timeout does not cover this.
                match timeout(patience, session::is_in(client, &schema)).await {
                    Ok(Ok(true)) => Ok(()),
                    Ok(Ok(false)) => Err(HookError::message(session::ELSEWHERE)),
                    Ok(Err(error)) => Err(HookError::Backend(error)),
                    Err(_elapsed) => Err(HookError::message(error::NO_ANSWER)),
                }
            })
        }))
        .post_recycle(Hook::sync_fn(|_, _| {
            metrics::pool_connections_recycled_total().increment(1);
            Ok(())
        }))
        .build()
        .map_err(|error| StoreError::Pool(error.to_string()))
}
