//! Guild sync: finds out which guilds still have the bot. Sessions receive removals while they run; this covers removals in between, so
//! that no guild's data stays forever.

use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;
use tokio::time::sleep;
use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    discord::rest::{Priority, Rest, RestError},
    features::privacy::rows::departures,
    outbox::timers::Job,
    postgres::{Store, StoreError},
};

/// The delay before the first run of the fleet, and the interval.
const SCHEDULE: (Duration, Duration) = (Duration::from_hours(1), Duration::from_hours(24));
/// Guilds per page, the maximum of the API.
/// <https://docs.discord.com/developers/resources/user#get-current-user-guilds>
const PAGE: u16 = 200;
/// Discord's codes for an unknown guild and for one that the bot cannot access.
/// <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>
const NOT_THERE: [u64; 2] = [10_004, 50_001];

/// Why a guild sync failed.
#[derive(Debug, Error)]
pub enum SyncError {
    /// The database failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Discord's API failed.
    #[error("{0}")]
    Rest(#[from] RestError),
}

#[derive(Deserialize)]
struct Listed {
    id: Id<GuildMarker>,
}

/// The timer that runs a guild sync once a day.
pub fn job(store: &Store, rest: &Rest) -> Job {
    let (store, rest) = (store.clone(), rest.clone());
    Job::new("guild_sync", SCHEDULE, move || {
        let (store, rest) = (store.clone(), rest.clone());
        async move {
            let guilds = look(&store, &rest).await?;
            if guilds > 0 {
                tracing::info!(guilds, "servers removed the bot while it was not connected");
            }
            Ok(())
        }
    })
}

/// Mark guilds with stored data as departed if they no longer have the bot, and as present if they have it again. Returns how many are
/// newly departed.
///
/// # Errors
///
/// Discord's API or the database failed. Changes made so far stay.
pub async fn look(store: &Store, rest: &Rest) -> Result<u64, SyncError> {
    let (mut after, mut found) = (None, 0);
    loop {
        let mut request = rest.builders().current_user_guilds().limit(PAGE);
        if let Some(after) = after {
            request = request.after(after);
        }
        let page: Vec<Listed> = rest.send(Priority::Background, request).await?.model()?;
        let there: Vec<_> = page.iter().map(|listed| listed.id).collect();
        // The list is ordered by ID; a page without a last guild is the end.
        let last = there.iter().max().copied();
        let is_last = there.len() < usize::from(PAGE) || last.is_none();
        let upto = if is_last { None } else { last };
        let mut gone = Vec::new();
        for guild_id in departures::stored_without(store, (after, upto), &there).await? {
            // Check each guild separately: it may have joined while the list was read.
            if is_gone(rest, guild_id).await? {
                gone.push(guild_id);
            }
        }
        found += gone.len() as u64;
        store
            .transaction("census", move |tx| {
                Box::pin(async move { departures::guilds(tx, &gone, &there).await })
            })
            .await?;
        if is_last {
            return Ok(found);
        }
        after = last;
        // Let flushes go first.
        sleep(Duration::from_millis(50)).await;
    }
}

async fn is_gone(rest: &Rest, guild_id: Id<GuildMarker>) -> Result<bool, RestError> {
    match rest
        .send(Priority::Background, rest.builders().guild(guild_id))
        .await
    {
        Ok(_) => Ok(false),
        Err(RestError::Refused { code: Some(code), .. }) if NOT_THERE.contains(&code) => Ok(true),
        Err(error) => Err(error),
    }
}
