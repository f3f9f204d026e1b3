//! `database.read_url`: a server that leaderboards and ranks may be read from, as long as it answers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use deadpool_postgres::Pool;
use tokio::time::Instant;

use super::{StoreError, connect::Target};
use crate::metrics;

/// After a failure nobody asks the replica for so long: a host that swallows packets would cost each reader its whole patience.
const REST: Duration = Duration::from_secs(10);

/// The replica's connections.
#[derive(Clone, Debug)]
pub(super) struct Replica {
    pub(super) pool: Pool,
    pub(super) target: Target,
    /// Not to be asked before.
    resting_until: Arc<Mutex<Option<Instant>>>,
}

impl Replica {
    pub(super) fn new(pool: Pool, target: Target) -> Self {
        Self {
            pool,
            target,
            resting_until: Arc::default(),
        }
    }

    /// Whether it is worth asking.
    pub(super) fn is_usable(&self) -> bool {
        let until = self
            .resting_until
            .lock()
            .expect("nothing panics while it holds the time");
        until.is_none_or(|until| Instant::now() >= until)
    }

    /// It did not answer; the primary does.
    pub(super) fn failed(&self, error: &StoreError) {
        metrics::read_fallbacks_total().increment(1);
        let mut until = self
            .resting_until
            .lock()
            .expect("nothing panics while it holds the time");
        let was_resting = until.is_some_and(|until| Instant::now() < until);
        *until = Some(Instant::now() + REST);
        if !was_resting {
            tracing::warn!(
                %error,
                "database.read_url does not answer; reading from the primary for {} s",
                REST.as_secs()
            );
        }
    }
}
