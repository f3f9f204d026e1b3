//! How old the last backup is, for those who watch: backups are made by a process of their own, and the database knows of them.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

use crate::{
    metrics,
    store::{Store, last_backup},
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
        let stopped = async {
            // An error is a sender that has gone, which is an end as well.
            drop(stop.wait_for(|stop| *stop).await);
        };
        if timeout(EVERY, stopped).await.is_ok() {
            return;
        }
    }
}
