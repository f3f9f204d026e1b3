//! Beginning and ending locks, each once per interaction.

use std::{sync::Arc, time::SystemTime};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use twilight_model::id::{Id, marker::InteractionMarker};

use super::{
    effects::{lock::ChannelLock, unlock::ChannelUnlock},
    rows::lock::{self, Place},
};
use crate::{
    outbox::{
        queue::{self, NewEffect},
        timers::TimerKind,
    },
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Once, Request},
        timer::{self, Due, NewTimer, claim::Firing},
    },
    support::ids,
};

/// The kind of the timer that ends a lock. Its ID is the channel.
pub(crate) const LOCK_END: &str = "channel_lock_end";

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It has begun.
    Now,
    /// The interaction was processed before.
    Before,
    /// The channel is locked, until this time.
    Locked(Option<SystemTime>),
    /// The bot has not locked the channel.
    NotLocked,
}

/// What the timer has besides the channel.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    lock_id: Id<InteractionMarker>,
    /// The language of the moderator, for a guild that has chosen none.
    locale: String,
}

/// Begin a lock, once for this request. The timer that ends it is armed with it.
pub(crate) async fn begin(
    store: &Store,
    request: Request,
    place: Place,
    ends_at: Option<SystemTime>,
    effect: ChannelLock,
) -> Result<Begun, StoreError> {
    let lock_id = request.request_id;
    let effect = Arc::new(effect);
    let begun = store.once("channel_lock", request, move |tx| {
        let effect = Arc::clone(&effect);
        Box::pin(async move {
            if !lock::add(tx, place, lock_id, ends_at).await? {
                let row = lock::get_in(tx, place).await?;
                return Ok(Err(Begun::Locked(row.and_then(|row| row.ends_at))));
            }
            if let Some(ends_at) = ends_at {
                let body = Body {
                    lock_id,
                    locale: effect.locale.clone(),
                };
                let end = NewTimer {
                    guild_id: place.0,
                    kind: LOCK_END,
                    timer_id: ids::to_db(place.1),
                    due: Due::At(ends_at),
                    body: serde_json::to_string(&body).expect("numbers and texts are JSON"),
                };
                timer::arm(tx, &[end]).await?;
            }
            queue::add_urgent(tx, &[NewEffect::for_channel(place.0, place.1, &*effect)]).await?;
            Ok(Ok(Completed::new(())))
        })
    });
    Ok(begun_of(&begun.await?))
}

/// End the lock of a channel, once for this request. `effect` is completed with the lock's ID.
pub(crate) async fn end(
    store: &Store,
    request: Request,
    place: Place,
    effect: ChannelUnlock,
) -> Result<Begun, StoreError> {
    let effect = Arc::new(effect);
    let begun = store.once("channel_unlock", request, move |tx| {
        let effect = Arc::clone(&effect);
        Box::pin(async move {
            let Some(row) = lock::get_in(tx, place).await? else {
                return Ok(Err(Begun::NotLocked));
            };
            let unlock = ChannelUnlock {
                lock_id: row.lock_id,
                ..(*effect).clone()
            };
            queue::add_urgent(tx, &[NewEffect::for_channel(place.0, place.1, &unlock)]).await?;
            Ok(Ok(Completed::new(())))
        })
    });
    Ok(begun_of(&begun.await?))
}

fn begun_of(done: &Result<Once<()>, Begun>) -> Begun {
    match done {
        Ok(Once::Now(())) => Begun::Now,
        Ok(Once::Before(_)) => Begun::Before,
        Err(refused) => *refused,
    }
}

/// The lock is gone, so its timer goes as well.
pub(crate) async fn cancel_end(tx: &Tx<'_>, place: Place) -> Result<(), StoreError> {
    timer::cancel(tx, place.0, LOCK_END, ids::to_db(place.1))
        .await
        .map(drop)
}

/// Ends a lock at its time, even if the moderator who made it has left.
#[derive(Debug)]
pub(crate) struct LockEnd;

impl TimerKind for LockEnd {
    fn name(&self) -> &'static str {
        LOCK_END
    }

    fn fire<'t>(&'t self, tx: &'t Tx<'_>, timer: &'t Firing) -> BoxFuture<'t, Result<(), StoreError>> {
        Box::pin(async move {
            let invalid = |_error| StoreError::Rejected("a lock's end without its lock".to_owned());
            let body: Body = serde_json::from_str(&timer.body).map_err(invalid)?;
            let (Some(guild_id), Some(channel_id)) = (timer.guild_id, ids::from_db(timer.timer_id)) else {
                return Err(StoreError::Rejected("a lock's end without a channel".to_owned()));
            };
            let row = lock::get_in(tx, (guild_id, channel_id)).await?;
            if row.is_none_or(|row| row.lock_id != body.lock_id) {
                return Ok(());
            }
            let unlock = ChannelUnlock {
                request_id: None,
                lock_id: body.lock_id,
                permit: None,
                reason: None,
                audit_reason: None,
                locale: body.locale,
            };
            queue::add_urgent(tx, &[NewEffect::for_channel(guild_id, channel_id, &unlock)]).await
        })
    }
}
