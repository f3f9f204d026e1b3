//! The use of the pool, and closing idle connections.

use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use super::Store;
use crate::{support::shutdown::stopped, telemetry::metrics};

/// The maximum interval between two searches for idle connections.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

impl Store {
    /// Update the gauges of the pool.
    pub fn observe(&self) {
        for (share, pool) in self.shares() {
            let (share, status) = (share.as_str(), pool.status());
            let in_use = status.size.saturating_sub(status.available);
            #[expect(clippy::cast_precision_loss, reason = "pool sizes are small")]
            for (gauge, value) in [
                (metrics::pool_size(share), status.size),
                (metrics::pool_max_size(share), status.max_size),
                (metrics::pool_available(share), status.available),
                (metrics::pool_in_use(share), in_use),
                (metrics::pool_waiting(share), status.waiting),
            ] {
                gauge.set(value as f64);
            }
        }
    }

    /// The numbers of open connections and of those in use.
    pub fn pool_usage(&self) -> (usize, usize) {
        let (mut size, mut in_use) = (0, 0);
        for status in self.pools().map(Pool::status) {
            size += status.size;
            in_use += status.size.saturating_sub(status.available);
        }
        (size, in_use)
    }

    /// Close connections that have been idle for `database.idle_timeout_ms`, until `stop` is true or its sender is dropped.
    ///
    /// deadpool itself only closes a connection when it is requested again.
    pub async fn close_idle(self, mut stop: watch::Receiver<bool>) {
        if self.idle_timeout.is_zero() {
            return stopped(&mut stop).await;
        }
        let mut looks = interval(self.idle_timeout.min(LONGEST_LOOK) / 2);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopped(&mut stop) => return,
                _ = looks.tick() => self.close_unused(self.idle_timeout),
            }
        }
    }
}
