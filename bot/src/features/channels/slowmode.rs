//! Setting the slow mode of a channel, once per interaction, and its end.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use twilight_model::id::{Id, marker::InteractionMarker};

use super::{
    effects::slowmode::{ChannelSlowmode, ChannelSlowmodeEnd, in_log},
    rows::lock::Place,
};
use crate::{
    outbox::{
        queue::{self, NewEffect},
        timers::TimerKind,
    },
    postgres::{
        Store, StoreError, Tx,
        request::Request,
        timer::{self, Due, NewTimer, claim::Firing},
    },
    settings::{
        Settings,
        mod_log::{GuildLog, Subject},
    },
    support::{i18n::Language, ids},
};

/// The longest slow mode: <https://docs.discord.com/developers/resources/channel#modify-channel>.
pub(crate) const LONGEST: Duration = Duration::from_hours(6);

/// The kind of the timer that restores a slow mode. Its ID is the channel.
pub(crate) const SLOWMODE_END: &str = "channel_slowmode_end";

#[derive(Debug, Serialize, Deserialize)]
struct Body {
    set_by: Id<InteractionMarker>,
}

/// Set the slow mode, once for this request. False if it was carried out before.
pub(crate) async fn set(
    (store, settings): (&Store, &Settings),
    request: Request,
    place: Place,
    ends_at: Option<SystemTime>,
    effect: ChannelSlowmode,
) -> Result<bool, StoreError> {
    let (settings, effect) = (settings.clone(), Arc::new(effect));
    let done = store.carry_out("channel_slowmode", request, move |tx| {
        let (settings, effect) = (settings.clone(), Arc::clone(&effect));
        Box::pin(async move {
            let timer_id = ids::to_db(place.1);
            if let Some(ends_at) = ends_at {
                let body = Body {
                    set_by: effect.request_id,
                };
                let end = NewTimer {
                    guild_id: place.0,
                    kind: SLOWMODE_END,
                    timer_id,
                    due: Due::At(ends_at),
                    body: serde_json::to_string(&body).expect("numbers are JSON"),
                };
                timer::arm(tx, &[end]).await?;
            } else {
                // It replaces one that would have ended.
                timer::cancel(tx, place.0, SLOWMODE_END, timer_id).await?;
            }
            let language = Language::of_stored(&effect.locale);
            let log = GuildLog::about(tx, &settings, place.0, (Subject::Channels, language)).await?;
            let entry = log.entry(|language| in_log(language, place, &effect));
            queue::add(tx, entry.as_slice()).await?;
            queue::add_urgent(tx, &[NewEffect::for_channel(place.0, place.1, &*effect)]).await
        })
    });
    done.await
}

/// Ends a slow mode at its time.
#[derive(Debug)]
pub(crate) struct SlowmodeEnd;

impl TimerKind for SlowmodeEnd {
    fn name(&self) -> &'static str {
        SLOWMODE_END
    }

    fn fire<'t>(&'t self, tx: &'t Tx<'_>, timer: &'t Firing) -> BoxFuture<'t, Result<(), StoreError>> {
        Box::pin(async move {
            let invalid = |_error| StoreError::Rejected("the end of no slow mode".to_owned());
            let body: Body = serde_json::from_str(&timer.body).map_err(invalid)?;
            let (Some(guild_id), Some(channel_id)) = (timer.guild_id, ids::from_db(timer.timer_id)) else {
                return Err(StoreError::Rejected(
                    "the end of a slow mode without a channel".to_owned(),
                ));
            };
            let end = ChannelSlowmodeEnd { set_by: body.set_by };
            queue::add_urgent(tx, &[NewEffect::for_channel(guild_id, channel_id, &end)]).await
        })
    }
}
