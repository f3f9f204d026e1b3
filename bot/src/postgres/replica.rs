//! `database.read_url`: a standby for leaderboards and ranks, which is used as long as it answers and is not too far behind.
//!
//! Its state and lag are checked on each connection, because an address can lead to several servers, and to a different one after a
//! failover. The lag is measured by WAL positions: the primary is asked for its position from time to time, and a standby that has replayed
//! a position is no further behind than the time of that answer. The time of the last replayed transaction says less, because it ages while
//! nothing is written.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use deadpool_postgres::Pool;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tokio_postgres::{Row, types::PgLsn};

use super::{
    Params, Share, Statement, Store, StoreError,
    connect::Target,
    lease::Lease,
    statement::{Watch, statement},
};
use crate::{config, support::shutdown::stopped_within, telemetry::metrics};

/// After a failure the replica is not used for this long: with a host that drops packets, each reader would wait for the whole timeout.
const REST: Duration = Duration::from_secs(10);

/// The maximum interval at which the primary is asked for its position.
const LONGEST_INTERVAL: Duration = Duration::from_secs(2);

/// The delay between two checks for a caller that waits, and the number of checks.
const LOOKS: (Duration, u32) = (Duration::from_millis(100), 20);

/// The identity of the primary, and its WAL position.
const PRIMARY: Statement = statement!(
    "replica_primary",
    [],
    "SELECT system_identifier, pg_current_wal_lsn() FROM pg_control_system()"
);

/// The identity of the replica, its replayed position, and the age of the last replayed transaction.
const STANDBY: Statement = statement!(
    "replica_standby",
    [],
    "SELECT system_identifier, pg_is_in_recovery(), pg_last_wal_replay_lsn(),
            extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8
     FROM pg_control_system()"
);

/// The relation of a server of `database.read_url` to the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is a standby and at most this far behind.
    Follows(Duration),
    /// It is a standby, and its lag is unknown.
    Unknown,
    /// It was a standby and now accepts writes, so it has a different history.
    Promoted,
    /// It is a different database.
    Foreign,
    /// It is a standby with the same origin, and has WAL that the primary does not have.
    Diverged,
}

impl Standing {
    /// Why it is not used; `None` if it is used.
    fn obstacle(self, max_lag: Duration) -> Option<&'static str> {
        match self {
            Self::Follows(lag) if lag <= max_lag => None,
            Self::Follows(_) => Some("behind"),
            Self::Unknown => Some("unknown"),
            Self::Promoted => Some("promoted"),
            Self::Foreign => Some("foreign"),
            Self::Diverged => Some("diverged"),
        }
    }
}

/// The state that a server of `database.read_url` reports.
#[derive(Clone, Copy, Debug)]
struct Seen {
    system: i64,
    in_recovery: bool,
    replayed: Option<u64>,
    /// The age of the last replayed transaction.
    last_transaction: Option<Duration>,
}

impl Seen {
    fn of(rows: &[Row]) -> Option<Self> {
        let row = rows.first()?;
        Some(Self {
            system: row.get(0),
            in_recovery: row.get(1),
            replayed: row.get::<_, Option<PgLsn>>(2).map(u64::from),
            last_transaction: row
                .get::<_, Option<f64>>(3)
                .map(|age| Duration::try_from_secs_f64(age.max(0.0)).unwrap_or(Duration::MAX)),
        })
    }
}

/// The known state of the primary.
#[derive(Debug, Default)]
struct Primary {
    system: Option<i64>,
    /// Its WAL positions with their times, oldest first.
    positions: VecDeque<(Instant, u64)>,
    /// Whether the replica was ahead of it.
    diverged: bool,
}

impl Primary {
    /// Record its position. Positions older than `memory` are not needed.
    fn is_at(&mut self, system: i64, when: Instant, position: u64, memory: Duration) {
        let newest = self.positions.back().map_or(0, |(_, position)| *position);
        if self.system != Some(system) || position < newest {
            // After a failover, the positions of the previous server cannot be compared.
            self.positions.clear();
        }
        self.system = Some(system);
        self.positions.push_back((when, position));
        while self.positions.len() > 2 && when.duration_since(self.positions[1].0) > memory {
            self.positions.pop_front();
        }
    }

    fn judge(&self, seen: &Seen, now: Instant) -> Standing {
        let Some(system) = self.system else {
            return Standing::Unknown;
        };
        if seen.system != system {
            return Standing::Foreign;
        }
        if !seen.in_recovery {
            return Standing::Promoted;
        }
        if self.diverged {
            return Standing::Diverged;
        }
        let Some(replayed) = seen.replayed else {
            return Standing::Unknown;
        };
        let reached = self
            .positions
            .iter()
            .rev()
            .find(|(_, position)| *position <= replayed);
        match (reached, seen.last_transaction) {
            (Some((when, _)), _) => Standing::Follows(now.duration_since(*when)),
            (None, Some(age)) => Standing::Follows(age),
            (None, None) => Standing::Unknown,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    primary: Primary,
    /// The replica is not used before this time.
    resting_until: Option<Instant>,
    /// The last reason that was logged for not using it.
    said: Option<&'static str>,
}

/// The connections to the replica, and its state.
#[derive(Clone, Debug)]
pub(super) struct Replica {
    pub(super) pool: Pool,
    pub(super) target: Target,
    max_lag: Duration,
    state: Arc<Mutex<State>>,
}

impl Replica {
    pub(super) fn new(pool: Pool, target: Target, database: &config::Database) -> Self {
        Self {
            pool,
            target,
            max_lag: database.routes.read_max_lag,
            state: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The interval at which the primary is asked for its position. The lag is only known up to its last answer.
    fn interval(&self) -> Duration {
        (self.max_lag / 4).min(LONGEST_INTERVAL)
    }

    fn is_resting(&self) -> bool {
        self.state()
            .resting_until
            .is_some_and(|until| Instant::now() < until)
    }

    fn judge(&self, seen: &Seen) -> Standing {
        let now = Instant::now();
        self.state().primary.judge(seen, now)
    }

    /// Record that it failed to answer a query, which the primary answers instead.
    fn failed(&self, error: &StoreError) {
        self.state().resting_until = Some(Instant::now() + REST);
        self.note(Some("unreachable"), || {
            format!("it does not answer; retrying in {} s: {error}", REST.as_secs())
        });
    }

    /// Update the metrics, and log the state if it has changed.
    fn is(&self, standing: Standing) {
        if let Standing::Follows(lag) = standing {
            metrics::replica_lag_seconds().set(lag.as_secs_f64());
        }
        self.note(standing.obstacle(self.max_lag), || {
            in_words(standing, self.max_lag)
        });
    }

    fn note(&self, obstacle: Option<&'static str>, words: impl Fn() -> String) {
        metrics::replica_usable().set(if obstacle.is_none() { 1.0 } else { 0.0 });
        let said = std::mem::replace(&mut self.state().said, obstacle);
        match obstacle {
            Some(_) if said == obstacle => {}
            Some(reason) => tracing::warn!(
                replica.obstacle = reason,
                "leaderboards are read from the primary and not from database.read_url: {}",
                words()
            ),
            None if said.is_some() => tracing::info!("leaderboards are read from database.read_url again"),
            None => {}
        }
    }
}

/// A description for the operator.
pub fn in_words(standing: Standing, max_lag: Duration) -> String {
    match standing {
        Standing::Follows(lag) if lag <= max_lag => {
            format!("at most {:.1} s behind the primary", lag.as_secs_f64())
        }
        Standing::Follows(lag) => format!(
            "it is up to {:.0} s behind the primary, and database.read_max_lag_seconds is {}",
            lag.as_secs_f64(),
            max_lag.as_secs()
        ),
        Standing::Unknown => "it is a standby, but how far behind is unknown".to_owned(),
        Standing::Promoted => {
            "its server is not a standby: it was promoted, or is the primary itself".to_owned()
        }
        Standing::Foreign => "its server holds another database (another system_identifier)".to_owned(),
        Standing::Diverged => "its server has a history that the primary does not have".to_owned(),
    }
}

impl Store {
    /// Run a read-only statement whose rows may be as old as `database.read_max_lag_seconds` allows: on the replica if it answers and is
    /// not too far behind, on the primary otherwise.
    pub async fn read(&self, statement: Statement, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        if let Some(replica) = &self.replica {
            match self.read_from(replica, statement, params).await {
                Ok(rows) => return Ok(rows),
                Err(reason) => metrics::read_fallbacks_total(reason).increment(1),
            }
        }
        self.query(statement, params).await
    }

    async fn read_from(
        &self,
        replica: &Replica,
        statement: Statement,
        params: Params<'_>,
    ) -> Result<Vec<Row>, &'static str> {
        if replica.is_resting() {
            return Err("unreachable");
        }
        let rows = async {
            let (mut connection, watch) = self.connection_to(replica).await?;
            let standing = self.standing_of(replica, &mut connection, watch).await?;
            if let Some(obstacle) = standing.obstacle(replica.max_lag) {
                return Ok(Err(obstacle));
            }
            self.query_over(&mut connection, watch, statement, params)
                .await
                .map(Ok)
        };
        // Any error leads to the primary, such as a table that has not been replicated yet or a host that is gone.
        rows.await.unwrap_or_else(|error| {
            replica.failed(&error);
            Err("unreachable")
        })
    }

    async fn connection_to(&self, replica: &Replica) -> Result<(Lease, Watch), StoreError> {
        self.connection_of(&replica.pool, Share::Replica, &replica.target, None)
            .await
    }

    async fn standing_of(
        &self,
        replica: &Replica,
        connection: &mut Lease,
        watch: Watch,
    ) -> Result<Standing, StoreError> {
        let rows = self.query_over(connection, watch, STANDBY, &[]).await?;
        let standing = Seen::of(&rows).map_or(Standing::Unknown, |seen| replica.judge(&seen));
        replica.is(standing);
        Ok(standing)
    }

    /// Ask the primary for its position.
    async fn note_position(&self, replica: &Replica) -> Result<(), StoreError> {
        let asked = Instant::now();
        let rows = self.query(PRIMARY, &[]).await?;
        if let Some(row) = rows.first() {
            let position = u64::from(row.get::<_, PgLsn>(1));
            // Positions of this age decide whether the standby is recent enough, and positions of twice this age give the lag beyond that.
            let memory = replica.max_lag * 2;
            replica.state().primary.is_at(row.get(0), asked, position, memory);
        }
        Ok(())
    }

    /// Check the replica, after the primary.
    async fn look_at(&self, replica: &Replica) -> Result<Standing, StoreError> {
        let (mut connection, watch) = self.connection_to(replica).await?;
        let rows = self.query_over(&mut connection, watch, STANDBY, &[]).await?;
        drop(connection);
        let replayed = Seen::of(&rows).and_then(|seen| seen.replayed);
        let is_ahead = || {
            let state = replica.state();
            let newest = state.primary.positions.back();
            newest.is_some_and(|(_, position)| replayed > Some(*position))
        };
        let mut diverged = is_ahead();
        if diverged {
            // The primary may have written something in between.
            self.note_position(replica).await?;
            diverged = is_ahead();
        }
        replica.state().primary.diverged = diverged;
        let standing = Seen::of(&rows).map_or(Standing::Unknown, |seen| replica.judge(&seen));
        replica.is(standing);
        Ok(standing)
    }

    /// Monitor the primary and the replica, if there is one, until `stop` is true or its sender is dropped.
    pub async fn watch_replica(self, mut stop: watch::Receiver<bool>) {
        let Some(replica) = self.replica.clone() else {
            return;
        };
        loop {
            // While the primary is unavailable, its known positions get older, and the replica counts as further behind.
            if !replica.is_resting()
                && self.note_position(&replica).await.is_ok()
                && let Err(error) = self.look_at(&replica).await
            {
                replica.failed(&error);
            }
            if stopped_within(&mut stop, replica.interval()).await {
                return;
            }
        }
    }

    /// The state of the server of `database.read_url`, if there is one. If it has not replayed the current position, wait for up to 2 s.
    pub async fn replica_standing(&self) -> Result<Option<Standing>, StoreError> {
        let Some(replica) = &self.replica else {
            return Ok(None);
        };
        for look in 1.. {
            self.note_position(replica).await?;
            let standing = self.look_at(replica).await?;
            let may_catch_up = match standing {
                Standing::Follows(lag) => lag > replica.max_lag,
                Standing::Unknown => true,
                Standing::Promoted | Standing::Foreign | Standing::Diverged => false,
            };
            if !may_catch_up || look == LOOKS.1 {
                return Ok(Some(standing));
            }
            sleep(LOOKS.0).await;
        }
        unreachable!("the last look returns")
    }
}

#[cfg(test)]
mod tests;
