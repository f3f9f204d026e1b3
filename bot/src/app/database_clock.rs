//! Compares the database's clock with this host's.

use std::time::Duration;

use tokio::sync::watch;

use crate::{
    discord::clock::{TOLERANCE_MS, show},
    postgres::{Store, catalog},
    support::shutdown::stopped_within,
};

/// How often the clocks are compared.
const INTERVAL: Duration = Duration::from_mins(5);

/// Compare the database's clock with this host's every few minutes, until `stop` is true. Leases and due times use the database's clock, so
/// nothing is corrected.
pub async fn watch_database(store: Store, mut stop: watch::Receiver<bool>) {
    let mut differs = false;
    loop {
        // Unavailability of the database has its own alerts.
        if let Ok((_, ahead_seconds)) = catalog::clock(&store, 3).await {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a difference between two times in this century"
            )]
            let difference = (ahead_seconds * 1_000.0) as i64;
            show("database", difference);
            let differed = std::mem::replace(&mut differs, difference.abs() >= TOLERANCE_MS);
            if differs && !differed {
                tracing::warn!(
                    clock.difference_ms = difference,
                    "this host's clock differs from the database's: synchronize both, for example with chrony"
                );
            }
        }
        if stopped_within(&mut stop, INTERVAL).await {
            return;
        }
    }
}
