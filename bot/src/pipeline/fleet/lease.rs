//! Whether a shard is still this process's: confirmed by each look at the fleet, asked for by a shard that wants to connect.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// What a shard has: a view of when its lease was confirmed last.
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

/// What the fleet's part of the process has.
#[derive(Debug)]
pub struct Granted {
    confirmed: watch::Sender<Confirmed>,
    asked: Arc<Notify>,
}

/// The two ends, for leases of this length.
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
    /// Whether the lease was confirmed by a look that began at or after `since`, and lately. If not, a look is asked for.
    ///
    /// A process that was the only one when it last could look need not ask: there is nobody who would have taken its shards, and
    /// while the database is away it shall keep its sessions.
    pub fn is_confirmed_since(&self, since: Instant) -> bool {
        let Confirmed { at, alone } = *self.confirmed.borrow();
        let confirmed = at >= since && at.elapsed() < self.lease;
        if !confirmed {
            self.ask.notify_one();
        }
        confirmed || alone
    }

    /// Wait until a look confirms leases. Pending for ever when nobody looks any more: the shard is about to be stopped then.
    pub async fn changed(&mut self) {
        if self.confirmed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Granted {
    /// A look that began then has found every shard that still runs to be this process's.
    pub fn confirm(&self, began: Instant, alone: bool) {
        self.confirmed.send_replace(Confirmed { at: began, alone });
    }

    /// Wait until a shard asks.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }
}
