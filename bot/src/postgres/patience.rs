//! Time limits for answers from PostgreSQL, and parts of the pool.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{PoolError, TimeoutType};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{Share, Store, StoreError};
use crate::telemetry::metrics;

impl Store {
    /// The same store with a time limit for each answer, after which the statement is cancelled and the connection is closed.
    ///
    /// The kernel closes a connection whose other end does not acknowledge data. This is for an end that acknowledges but does not answer,
    /// such as a proxy in front of a server that is gone.
    #[must_use]
    pub(crate) fn answering_within(mut self, limit: Duration) -> Self {
        self.patience = self.usual_patience.min(limit);
        self
    }

    /// The same store without the limit of [`Store::answering_within`], for long operations.
    #[must_use]
    pub(crate) fn unhurried(mut self) -> Self {
        self.patience = self.usual_patience;
        self
    }

    /// The same store with at most half of the connections that are not reserved for flushes, so that a flood of its statements delays
    /// no others. Clones share that half.
    #[must_use]
    pub(crate) fn with_half(mut self) -> Self {
        let half = self.others.status().max_size / 2;
        self.part = Some(Arc::new(Semaphore::new(half.max(1))));
        self
    }

    /// A place in the part of the pool that this store may use.
    pub(super) async fn permit(&self) -> Result<Option<OwnedSemaphorePermit>, StoreError> {
        let Some(part) = &self.part else {
            return Ok(None);
        };
        if let Ok(permit) = timeout(self.patience, Arc::clone(part).acquire_owned()).await {
            return Ok(permit.ok());
        }
        metrics::pool_timeouts_total(Share::Others.as_str()).increment(1);
        Err(PoolError::Timeout(TimeoutType::Wait).into())
    }
}
