//! How old the last backup is, for those who watch: backups are made by a process of their own, and the database knows of them.

use std::time::Duration;

use tokio::sync::watch;

use crate::{
    postgres::{Store, backup::last_backup},
    support::shutdown::stopped_within,
    telemetry::metrics,
};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(30);

/// Show it, again and again, until `stop` is true.
pub async fn show(store: Store, mut stop: watch::Receiver<bool>) {
    loop {
        // A database that is away has alerts of its own.
        if let Ok(Some(since)) = last_backup::nothing_since(&store).await {
            metrics::backup_last_timestamp_seconds().set(since);
        }
        if stopped_within(&mut stop, EVERY).await {
            return;
        }
    }
}
