//! The age of the last backup, as a metric. Backups are made by a separate process and recorded in the database.

use std::time::Duration;

use tokio::sync::watch;

use crate::{
    postgres::{Store, backup::last_backup},
    support::shutdown::stopped_within,
    telemetry::metrics,
};

/// The interval of queries.
const EVERY: Duration = Duration::from_secs(30);

/// Update the metric until `stop` is true.
pub async fn show(store: Store, mut stop: watch::Receiver<bool>) {
    loop {
        // Unavailability of the database has its own alerts.
        if let Ok(Some(since)) = last_backup::nothing_since(&store).await {
            metrics::backup_last_timestamp_seconds().set(since);
        }
        if stopped_within(&mut stop, EVERY).await {
            return;
        }
    }
}
