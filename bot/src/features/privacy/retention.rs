//! Retention: deletes the data of guilds that removed the bot more than `privacy.retention_days` ago, and expired sessions of the website.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    features::privacy::rows::departures::{self, Step},
    outbox::timers::Job,
    postgres::{Store, StoreError, table::Table},
    telemetry::metrics,
    web::session,
};

/// The delay before the first run, and the interval.
const SCHEDULE: (Duration, Duration) = (Duration::ZERO, Duration::from_mins(10));
/// The pause between two steps, which lets flushes go first.
const PAUSE: Duration = Duration::from_millis(50);

/// The job that deletes expired data.
pub fn job(store: &Store, retention: Duration, tables: &[&'static Table]) -> Job {
    metrics::purged_rows_total().increment(0);
    metrics::purged_guilds_total().increment(0);
    let (store, tables) = (store.clone(), Arc::<[_]>::from(tables));
    Job::new("retention", SCHEDULE, move || {
        let (store, tables) = (store.clone(), Arc::clone(&tables));
        async move { Ok(purge(&store, retention, &tables).await?) }
    })
}

async fn purge(store: &Store, retention: Duration, tables: &[&'static Table]) -> Result<(), StoreError> {
    session::remove_expired(store).await?;
    loop {
        match departures::purge(store, retention, tables).await? {
            Step::Rows(rows) => metrics::purged_rows_total().increment(rows),
            Step::Done(guild_id) => {
                metrics::purged_guilds_total().increment(1);
                tracing::info!(
                    guild.id = guild_id.get(),
                    "deleted the data of a server that removed the bot"
                );
            }
            Step::Nothing => return Ok(()),
        }
        sleep(PAUSE).await;
    }
}
