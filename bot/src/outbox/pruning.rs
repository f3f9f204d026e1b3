//! Deleting what was given up long ago: effects and timers.

use std::time::Duration;

use super::timers::{self, Job};
use crate::{
    outbox::queue,
    postgres::{Store, StoreError, timer},
};

/// To the first time, and between two times.
const SCHEDULE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(1));
/// Rows that are deleted at once.
const AT_ONCE: u32 = 1_000;

/// Delete what was given up longer than `keep` ago, and have timers fire that the database's clock, when it was set back, has left behind.
pub fn job(store: &Store, keep: Duration) -> Job {
    let store = store.clone();
    Job::new("pruning", SCHEDULE, move || {
        let store = store.clone();
        async move {
            prune(&store, keep).await?;
            timer::bring_forward(&store, timers::LONGEST_PAUSE).await?;
            Ok(())
        }
    })
}

async fn prune(store: &Store, keep: Duration) -> Result<(), StoreError> {
    let mut pruned = 0;
    loop {
        let effects = queue::prune(store, keep, AT_ONCE).await?;
        let timers = timer::prune(store, keep, AT_ONCE).await?;
        pruned += effects + timers;
        if effects.max(timers) < u64::from(AT_ONCE) {
            break;
        }
    }
    if pruned > 0 {
        tracing::debug!(pruned, "old failures were deleted");
    }
    Ok(())
}
