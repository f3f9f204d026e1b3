//! The job that copies the XP of members once a week, in servers with statistics, and deletes what servers no longer want to keep.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    rows::member_week,
    rules::week::{first_within, week_of},
};
use crate::{
    outbox::timers::Job,
    postgres::{Store, StoreError},
    settings::{Settings, section::Choices as _, statistics::StatisticsSettings, table::section},
    support::ids,
};

/// The delay before the first run, and the interval. A week that is copied late is copied exactly, but what staff change until then counts
/// in the week before.
const SCHEDULE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(1));
/// The pause between two transactions, which lets flushes go first.
const PAUSE: Duration = Duration::from_millis(10);

/// The job.
pub(super) fn job(store: &Store, settings: &Settings) -> Job {
    let (store, settings) = (store.clone(), settings.clone());
    Job::new("member_weeks", SCHEDULE, move || {
        let (store, settings) = (store.clone(), settings.clone());
        async move { Ok(keep(&store, &settings).await?) }
    })
}

async fn keep(store: &Store, settings: &Settings) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let guilds = section::guilds(store, StatisticsSettings::SECTION.name, after).await?;
        let Some(last) = guilds.last() else {
            return Ok(());
        };
        after = Some(*last);
        for guild_id in guilds {
            let known = settings.of(store, guild_id).await?;
            let statistics = known.sections.of::<StatisticsSettings>();
            let now = ids::to_millis(member_week::now(store).await?);
            // Before the expiry, which deletes everything of a guild that has no newer weeks.
            while statistics.enabled && member_week::copy(store, guild_id, week_of(now)).await? {
                sleep(PAUSE).await;
            }
            if statistics.days > 0 {
                member_week::expire(store, guild_id, first_within(statistics.days, now)).await?;
            }
            sleep(PAUSE).await;
        }
    }
}
