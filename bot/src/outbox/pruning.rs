//! Deletes effects and timers that were abandoned long ago.

use std::time::Duration;

use super::timers::{self, Job};
use crate::{
    outbox::queue,
    postgres::{Store, StoreError, timer},
};

/// The delay before the first run, and the interval.
const SCHEDULE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(1));
/// Rows deleted per statement.
const AT_ONCE: u32 = 1_000;

/// The timer that deletes rows abandoned longer than `keep` ago, and fires timers stranded in the future by a database clock that was set
/// back.
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
