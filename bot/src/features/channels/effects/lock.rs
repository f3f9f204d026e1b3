//! Locking a channel: its overwrites are stored, and then changed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use twilight_model::{
    channel::ChannelType,
    id::{
        Id,
        marker::{GuildMarker, InteractionMarker},
    },
};

use super::channel::{self, Channel};
use crate::{
    discord::{guilds::authority::channels::ChannelPermit, rest::Priority},
    features::channels::{
        lock::cancel_end,
        overwrites::{self, STAFF, SavedChannel},
        rows::lock::{self as rows, Place},
        texts,
    },
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        outcome::{Failure, Undelivered, of_error},
        queue::{self, Waiting},
        trouble::{Trouble, of_denial, of_lacking},
    },
    postgres::{StoreError, Tx},
    settings::{
        Settings,
        mod_log::{GuildLog, Subject, log_failure},
    },
    support::{i18n::Language, ids},
};

/// The maximum age of cached permissions when the moderator's are checked again.
const OLDEST_PERMISSIONS: Duration = Duration::from_mins(1);

/// A lock to be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChannelLock {
    /// The interaction, which is the ID of the lock too.
    pub(crate) request_id: Id<InteractionMarker>,
    /// The permission of the moderator.
    pub(crate) permit: ChannelPermit,
    /// Why.
    pub(crate) reason: Option<String>,
    /// The same for Discord's audit log, with the moderator's name.
    pub(crate) audit_reason: String,
    /// The moderator's language, for a guild that has chosen none.
    pub(crate) locale: String,
}

impl EffectBody for ChannelLock {
    const KIND: &'static str = "channel_lock";
    const OWNER: Owner = Owner::Staff;
}

/// Locks channels.
#[derive(Debug)]
pub(crate) struct Locks(pub(crate) Settings);

impl EffectKind for Locks {
    type Body = ChannelLock;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, lock: ChannelLock) -> Result<(), Undelivered> {
        deliver(&self.0, to, effect, &lock).await
    }

    /// A lock that has changed nothing is gone. One that has changed something stays, so that it can be ended. Staff learn why.
    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        lock: ChannelLock,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        let Some(channel_id) = effect.channel_id else {
            return Ok(());
        };
        let place = (effect.guild_id, channel_id);
        if rows::remove_unused(tx, place, lock.request_id).await? {
            cancel_end(tx, place).await?;
        }
        let about = (Subject::Channels, Language::of_stored(&lock.locale));
        log_failure(tx, &self.0, (effect, failure), about, "lock-log-not-locked").await
    }
}

async fn deliver(
    settings: &Settings,
    to: &Deliverer,
    effect: &Waiting,
    lock: &ChannelLock,
) -> Result<(), Undelivered> {
    let channel_id = effect.channel()?;
    let place = (effect.guild_id, channel_id);
    let row = rows::get(&to.store, place).await?;
    let Some(row) = row.filter(|row| row.lock_id == lock.request_id && !row.is_complete) else {
        return Err(Undelivered::Cancelled);
    };
    may_still(to, place, &lock.permit).await?;
    let target = ids::to_db(channel_id);
    let Some(channel) = channel::read(to, channel_id).await? else {
        return Err(Trouble::NoChannel.failure(target));
    };
    if channel.kind.is_thread() {
        return Err(Trouble::Thread.failure(target));
    }
    let closed = overwrites::closed(channel.kind);
    let lacking = to
        .guilds
        .bot_lacks_to_set(place.0, channel_id, closed, Priority::Command)
        .await;
    of_lacking(lacking, target)?;
    let saved = if let Some(saved) = row.saved {
        saved
    } else {
        let saved = plan(to, place.0, &channel).await?;
        if saved.is_empty() {
            return Err(Trouble::Closed.failure(target));
        }
        if !rows::save(&to.store, place, lock.request_id, &saved).await? {
            return Err(Undelivered::Cancelled);
        }
        saved
    };
    let step = |overwrites: &[_], saved: &_| overwrites::lock(overwrites, place.0, saved);
    channel::write(to, (place.0, &channel), &saved, &lock.audit_reason, step).await?;
    note(settings, to, place, lock).await;
    Ok(())
}

/// Check that the moderator still has the permission.
pub(super) async fn may_still(
    to: &Deliverer,
    place: Place,
    permit: &ChannelPermit,
) -> Result<(), Undelivered> {
    let (guild_id, channel_id) = place;
    to.guilds.forget_if_older(guild_id, OLDEST_PERMISSIONS);
    let denial = to
        .guilds
        .denial_in_channel(guild_id, permit, Priority::Command)
        .await;
    of_denial(denial, ids::to_db(channel_id))
}

/// What has to be changed: in the channel, and in those that are synced with it as their category.
async fn plan(
    to: &Deliverer,
    guild_id: Id<GuildMarker>,
    channel: &Channel,
) -> Result<Vec<SavedChannel>, Undelivered> {
    let staff = to
        .guilds
        .roles_with(guild_id, STAFF, Priority::Command)
        .await
        .map_err(|error| of_error(&error, ids::to_db(channel.id)))?;
    let others = if channel.kind == ChannelType::GuildCategory {
        channel::read_all(to, guild_id, channel.id).await?
    } else {
        Vec::new()
    };
    let synced = others.iter().filter(|other| {
        other.parent_id == Some(channel.id)
            && overwrites::are_synced(other.overwrites(), channel.overwrites())
    });
    // They get what the category gets, whatever their kind, so that they stay synced.
    let closed = overwrites::closed(channel.kind);
    let saved = std::iter::once(channel).chain(synced).map(|of| SavedChannel {
        channel_id: of.id,
        overwrites: overwrites::to_change(of.overwrites(), guild_id, closed, &staff),
    });
    Ok(saved.filter(|saved| !saved.overwrites.is_empty()).collect())
}

/// Note that the channel is locked, with an entry in the log channel.
async fn note(settings: &Settings, to: &Deliverer, place: Place, lock: &ChannelLock) {
    to.retry_until_committed("noting a locked channel", || {
        let (settings, lock) = (settings.clone(), lock.clone());
        to.store.transaction("channel_locked", move |tx| {
            Box::pin(async move {
                if !rows::complete(tx, place, lock.request_id).await? {
                    return Ok(());
                }
                let ends_at = rows::get_in(tx, place).await?.and_then(|row| row.ends_at);
                let language = Language::of_stored(&lock.locale);
                let log = GuildLog::about(tx, &settings, place.0, (Subject::Channels, language)).await?;
                let entry = log.entry(|language| {
                    let values = [
                        ("channel", place.1.to_string().into()),
                        ("moderator", lock.permit.moderator_id().to_string().into()),
                        ("until", texts::until(ends_at, language).into()),
                        ("reason", texts::because(lock.reason.as_deref(), language).into()),
                    ];
                    language.filled("lock-log-locked", &values)
                });
                queue::add(tx, entry.as_slice()).await
            })
        })
    })
    .await;
}
