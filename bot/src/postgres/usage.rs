//! How much of the pool is in use, and closing what is not.

use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use super::Store;
use crate::{support::shutdown::stopped, telemetry::metrics};

/// Idle connections are looked for at least this often.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

impl Store {
    /// Copy the pool's state into its gauges.
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

    /// Sizes of the pool: connections open, and in use.
    pub fn pool_usage(&self) -> (usize, usize) {
        let (mut size, mut in_use) = (0, 0);
        for status in self.pools().map(Pool::status) {
            size += status.size;
            in_use += status.size.saturating_sub(status.available);
        }
        (size, in_use)
    }

    /// Close what nobody has used for `database.idle_timeout_ms`, until `stop` is true or nobody is left to say so.
    ///
    /// deadpool closes nothing by itself before its connection is asked for again.
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
