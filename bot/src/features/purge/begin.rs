//! Beginning a deletion, once per interaction.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, InteractionMarker, MessageMarker},
};

use super::{effect::Purge, rows};
use crate::{
    outbox::{
        queue::{self, NewEffect},
        timers::TimerKind,
    },
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Once, Request},
        timer::{self, NewTimer, claim::Firing},
    },
};

/// The kind of the timer that forgets a deletion.
pub(crate) const FORGET: &str = "purge_forget";

/// Store the messages that were found, once for this request, and begin unless a confirmation is needed: then there is no `effect`. False
/// if it was carried out before.
pub(crate) async fn store(
    store: &Store,
    request: Request,
    channel_id: Id<ChannelMarker>,
    (messages, reason): (Vec<Id<MessageMarker>>, Option<String>),
    effect: Option<Purge>,
) -> Result<bool, StoreError> {
    let (guild_id, purge_id) = (request.guild_id, request.request_id);
    let found = Arc::new((messages, reason, effect));
    let done = store.carry_out("purge", request, move |tx| {
        let found = Arc::clone(&found);
        Box::pin(async move {
            let (messages, reason, effect) = &*found;
            let rest = (reason.as_deref(), effect.is_some());
            rows::add(tx, (guild_id, purge_id), channel_id, messages, rest).await?;
            timer::arm(tx, &[NewTimer::forgetting(guild_id, FORGET, purge_id)]).await?;
            if let Some(effect) = effect {
                queue::add_urgent(tx, &[NewEffect::for_channel(guild_id, channel_id, effect)]).await?;
            }
            Ok(())
        })
    });
    done.await
}

/// Begin a deletion that was confirmed, once for this request. False if it was begun before, or is forgotten.
pub(crate) async fn confirm(
    store: &Store,
    request: Request,
    purge_id: Id<InteractionMarker>,
    effect: Purge,
) -> Result<bool, StoreError> {
    let guild_id = request.guild_id;
    let effect = Arc::new(effect);
    let confirmed = store.once("purge_confirm", request, move |tx| {
        let effect = Arc::clone(&effect);
        Box::pin(async move {
            let Some(channel_id) = rows::confirm(tx, (guild_id, purge_id)).await? else {
                return Ok(Err(()));
            };
            queue::add_urgent(tx, &[NewEffect::for_channel(guild_id, channel_id, &*effect)]).await?;
            Ok(Ok(Completed::new(())))
        })
    });
    Ok(matches!(confirmed.await?, Ok(Once::Now(()))))
}

/// Forgets deletions.
#[derive(Debug)]
pub(crate) struct Forget;

impl TimerKind for Forget {
    fn name(&self) -> &'static str {
        FORGET
    }

    fn fire<'t>(&'t self, tx: &'t Tx<'_>, timer: &'t Firing) -> BoxFuture<'t, Result<(), StoreError>> {
        Box::pin(async move { rows::remove(tx, timer.guild()?, timer.timer_id).await })
    }
}
