//! Setting the slow mode of a channel, and restoring the one before.

use serde::{Deserialize, Serialize};
use twilight_http::request::AuditLogReason as _;
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::InteractionMarker},
};

use super::{
    channel::{self, Channel},
    lock::may_still,
};
use crate::{
    discord::{guilds::authority::channels::ChannelPermit, rest::Priority},
    features::channels::{
        rows::{
            lock::Place,
            slowmode::{self as rows, Row},
        },
        texts,
    },
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        outcome::{Failure, Undelivered},
        queue::Waiting,
        trouble::{Trouble, of_lacking},
    },
    postgres::{StoreError, Tx},
    settings::{
        Settings,
        mod_log::{Subject, log_failure},
    },
    support::{
        i18n::Language,
        ids,
        text::limits::{AUDIT_REASON, excerpt},
    },
};

/// A slow mode to be set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChannelSlowmode {
    /// The interaction.
    pub(crate) request_id: Id<InteractionMarker>,
    /// The permission of the moderator.
    pub(crate) permit: ChannelPermit,
    /// The seconds between two messages of a member; 0 for none.
    pub(crate) seconds: i32,
    /// When the one before is restored, in milliseconds since 1970; `None` for never.
    pub(crate) ends_at_ms: Option<i64>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// The same for Discord's audit log, with the moderator's name.
    pub(crate) audit_reason: String,
    /// The moderator's language, for a guild that has chosen none.
    pub(crate) locale: String,
}

/// The end of a slow mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChannelSlowmodeEnd {
    /// The interaction that set it; one of a later interaction stays.
    pub(crate) set_by: Id<InteractionMarker>,
}

impl EffectBody for ChannelSlowmode {
    const KIND: &'static str = "channel_slowmode";
    const OWNER: Owner = Owner::Staff;
}

impl EffectBody for ChannelSlowmodeEnd {
    const KIND: &'static str = "channel_slowmode_end";
    const OWNER: Owner = Owner::Staff;
}

/// Sets slow modes.
#[derive(Debug)]
pub(crate) struct Slowmodes(pub(crate) Settings);

impl EffectKind for Slowmodes {
    type Body = ChannelSlowmode;

    async fn deliver(
        &self,
        to: &Deliverer,
        effect: &Waiting,
        slowmode: ChannelSlowmode,
    ) -> Result<(), Undelivered> {
        set(to, effect, &slowmode).await
    }

    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        slowmode: ChannelSlowmode,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        let about = (Subject::Channels, Language::of_stored(&slowmode.locale));
        log_failure(tx, &self.0, (effect, failure), about, "slowmode-log-failed").await
    }
}

/// Restores slow modes.
#[derive(Debug)]
pub(crate) struct SlowmodeEnds(pub(crate) Settings);

impl EffectKind for SlowmodeEnds {
    type Body = ChannelSlowmodeEnd;

    async fn deliver(
        &self,
        to: &Deliverer,
        effect: &Waiting,
        end: ChannelSlowmodeEnd,
    ) -> Result<(), Undelivered> {
        restore(to, effect, &end).await
    }

    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        _end: ChannelSlowmodeEnd,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        let about = (Subject::Channels, Language::English);
        log_failure(tx, &self.0, (effect, failure), about, "slowmode-log-stays").await
    }
}

async fn set(to: &Deliverer, effect: &Waiting, slowmode: &ChannelSlowmode) -> Result<(), Undelivered> {
    let channel_id = effect.channel()?;
    let place = (effect.guild_id, channel_id);
    may_still(to, place, &slowmode.permit).await?;
    let Some(channel) = channel::read(to, channel_id).await? else {
        return Err(Trouble::NoChannel.failure(ids::to_db(channel_id)));
    };
    remember(to, place, &channel, slowmode).await?;
    patch(to, place, &channel, slowmode.seconds, &slowmode.audit_reason).await?;
    Ok(())
}

/// Store what is to be restored: the slow mode that people chose, also if one that ends is replaced by another that ends.
async fn remember(
    to: &Deliverer,
    place: Place,
    channel: &Channel,
    slowmode: &ChannelSlowmode,
) -> Result<(), StoreError> {
    let request_id = slowmode.request_id;
    if slowmode.ends_at_ms.is_none() {
        return rows::remove(&to.store, place, request_id).await;
    }
    let now = channel.rate_limit_per_user.unwrap_or(0);
    let previous = match rows::get(&to.store, place).await? {
        // An earlier attempt.
        Some(row) if row.request_id >= request_id => return Ok(()),
        Some(row) if row.seconds == now => row.previous,
        _ => now,
    };
    let row = Row {
        request_id,
        seconds: slowmode.seconds,
        previous,
    };
    rows::put(&to.store, place, row).await
}

/// What is needed to change a slow mode in a channel of this kind.
pub(crate) const fn needed(is_thread: bool) -> Permissions {
    if is_thread {
        Permissions::MANAGE_THREADS
    } else {
        Permissions::MANAGE_CHANNELS
    }
}

async fn patch(
    to: &Deliverer,
    place: Place,
    channel: &Channel,
    seconds: i32,
    reason: &str,
) -> Result<(), Undelivered> {
    if channel.rate_limit_per_user.unwrap_or(0) == seconds {
        return Ok(());
    }
    let (guild_id, channel_id) = place;
    let target = ids::to_db(channel_id);
    let needed = Permissions::VIEW_CHANNEL | needed(channel.kind.is_thread());
    let lacking = to
        .guilds
        .bot_lacks(guild_id, channel_id, needed, Priority::Command)
        .await;
    of_lacking(lacking, target)?;
    let reason = excerpt(reason, AUDIT_REASON);
    let client = to.rest.builders();
    let request = client
        .update_channel(channel_id)
        .rate_limit_per_user(u16::try_from(seconds).unwrap_or(0))
        .reason(&reason);
    match to.rest.send(Priority::Command, request).await {
        Ok(_answer) => Ok(()),
        Err(error) => {
            to.guilds.forget(guild_id);
            Err(channel::failed(&error, channel_id))
        }
    }
}

async fn restore(to: &Deliverer, effect: &Waiting, end: &ChannelSlowmodeEnd) -> Result<(), Undelivered> {
    let channel_id = effect.channel()?;
    let place = (effect.guild_id, channel_id);
    let row = rows::get(&to.store, place).await?;
    let Some(row) = row.filter(|row| row.request_id == end.set_by) else {
        return Err(Undelivered::Cancelled);
    };
    let channel = channel::read(to, channel_id).await?;
    let channel = channel.filter(|channel| channel.rate_limit_per_user.unwrap_or(0) == row.seconds);
    let gone = Trouble::NoChannel.failure(ids::to_db(channel_id));
    let restored = match channel {
        Some(channel) => {
            let reason = Language::English.text("slowmode-audit-over");
            match patch(to, place, &channel, row.previous, &reason).await {
                Ok(()) => Ok(()),
                // It was deleted meanwhile.
                Err(why) if why == gone => Err(Undelivered::Cancelled),
                Err(why) => return Err(why),
            }
        }
        // Staff have chosen another one meanwhile, or the channel is gone.
        None => Err(Undelivered::Cancelled),
    };
    rows::remove(&to.store, place, end.set_by).await?;
    restored
}

/// The entry of the log channel.
pub(crate) fn in_log(language: Language, place: Place, slowmode: &ChannelSlowmode) -> String {
    let values = [
        ("channel", place.1.to_string().into()),
        ("moderator", slowmode.permit.moderator_id().to_string().into()),
        ("slowmode", texts::slowmode(slowmode.seconds, language).into()),
        (
            "until",
            texts::until(slowmode.ends_at_ms.map(ids::to_time), language).into(),
        ),
        (
            "reason",
            texts::because(slowmode.reason.as_deref(), language).into(),
        ),
    ];
    language.filled("slowmode-log", &values)
}
