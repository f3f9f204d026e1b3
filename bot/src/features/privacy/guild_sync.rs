//! Which servers have the bot. A session hears of those that remove it; what happened while there was none is found out here, so that
//! nothing of such a server stays for ever.

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

/// From the start of the first process of all to the first time, and between two times.
const SCHEDULE: (Duration, Duration) = (Duration::from_hours(1), Duration::from_hours(24));
/// Servers of a page, the most that Discord gives.
/// <https://docs.discord.com/developers/resources/user#get-current-user-guilds>
const PAGE: u16 = 200;
/// Discord's codes for a server that is not there, and for one that the bot is not in.
/// <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>
const NOT_THERE: [u64; 2] = [10_004, 50_001];

/// Why it was not found out.
#[derive(Debug, Error)]
pub enum CensusError {
    /// The database does not answer.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Discord does not.
    #[error("{0}")]
    Rest(#[from] RestError),
}

#[derive(Deserialize)]
struct Listed {
    id: Id<GuildMarker>,
}

/// Look once a day.
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

/// Note which servers of which something is stored do not have the bot, and which have it again. Returns how many are new to be gone.
///
/// # Errors
///
/// Discord or the database do not answer. What was noted so far stays.
pub async fn look(store: &Store, rest: &Rest) -> Result<u64, CensusError> {
    let (mut after, mut found) = (None, 0);
    loop {
        let mut request = rest.builders().current_user_guilds().limit(PAGE);
        if let Some(after) = after {
            request = request.after(after);
        }
        let page: Vec<Listed> = rest.send(Priority::Background, request).await?.model()?;
        let there: Vec<_> = page.iter().map(|listed| listed.id).collect();
        // The list is in the order of the ids; behind the last page there is none.
        let last = there.iter().max().copied();
        let is_last = there.len() < usize::from(PAGE) || last.is_none();
        let upto = if is_last { None } else { last };
        let mut gone = Vec::new();
        for guild_id in departures::stored_without(store, (after, upto), &there).await? {
            // Asked by itself: it may have come while the list was read.
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
        // A flush goes before.
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
