//! The job that adds up the hours of old days, and deletes what servers no longer want to keep.

use std::time::Duration;

use tokio::time::sleep;

use super::rows;
use crate::{
    outbox::timers::Job,
    postgres::{Store, StoreError},
    settings::{Settings, statistics::StatisticsSettings},
};

/// The delay before the first run, and the interval.
const SCHEDULE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(1));
/// The pause between two guilds, which lets flushes go first.
const PAUSE: Duration = Duration::from_millis(10);

/// The job.
pub(super) fn job(store: &Store, settings: &Settings) -> Job {
    let (store, settings) = (store.clone(), settings.clone());
    Job::new("statistics", SCHEDULE, move || {
        let (store, settings) = (store.clone(), settings.clone());
        async move { Ok(keep(&store, &settings).await?) }
    })
}

async fn keep(store: &Store, settings: &Settings) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let guilds = rows::guilds(store, after).await?;
        let Some(last) = guilds.last() else {
            return Ok(());
        };
        after = Some(*last);
        for guild_id in guilds {
            let known = settings.of(store, guild_id).await?;
            let days = known.sections.of::<StatisticsSettings>().days;
            while days > 0 && rows::expire(store, guild_id, days).await? {}
            while rows::roll_up(store, guild_id).await? {}
            sleep(PAUSE).await;
        }
    }
}
