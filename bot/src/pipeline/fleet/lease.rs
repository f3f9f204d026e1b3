//! Whether a shard still belongs to this process: confirmed by each tick, and required by a shard that is about to connect.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// The view of a shard: when its lease was last confirmed.
#[derive(Clone, Debug)]
pub struct LeaseGuard {
    confirmed: watch::Receiver<Confirmed>,
    ask: Arc<Notify>,
    lease: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Confirmed {
    at: Instant,
    alone: bool,
}

/// The side of the fleet task, which confirms leases.
#[derive(Debug)]
pub struct Granted {
    confirmed: watch::Sender<Confirmed>,
    asked: Arc<Notify>,
}

/// The two ends, for this lease duration.
pub fn pair(lease: Duration) -> (Granted, LeaseGuard) {
    let nothing = Confirmed {
        at: Instant::now(),
        alone: true,
    };
    let (confirmed, seen) = watch::channel(nothing);
    let ask = Arc::new(Notify::new());
    let lease_guard = LeaseGuard {
        confirmed: seen,
        ask: Arc::clone(&ask),
        lease,
    };
    (
        Granted {
            confirmed,
            asked: ask,
        },
        lease_guard,
    )
}

impl LeaseGuard {
    /// Whether the lease was confirmed recently, by a tick that began at or after `since`. If not, a tick is requested.
    ///
    /// A process that was alone at its last successful tick need not ask: no other process could have taken its shards, and it should keep
    /// its sessions while the database is unavailable.
    pub fn is_confirmed_since(&self, since: Instant) -> bool {
        let Confirmed { at, alone } = *self.confirmed.borrow();
        let confirmed = at >= since && at.elapsed() < self.lease;
        if !confirmed {
            self.ask.notify_one();
        }
        confirmed || alone
    }

    /// Wait until a tick confirms leases. Pending forever after the last tick: the shard is about to be stopped then.
    pub async fn changed(&mut self) {
        if self.confirmed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Granted {
    /// Confirm that, in a tick that began at `began`, every running shard belonged to this process.
    pub fn confirm(&self, began: Instant, alone: bool) {
        self.confirmed.send_replace(Confirmed { at: began, alone });
    }

    /// Wait until a shard requests a tick.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }
}
