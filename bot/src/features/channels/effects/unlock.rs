//! Ending a lock: what it changed is restored where it still is as the lock left it.

use serde::{Deserialize, Serialize};
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::InteractionMarker},
};

use super::{channel, lock::may_still};
use crate::{
    discord::{guilds::authority::channels::ChannelPermit, rest::Priority},
    features::channels::{
        lock::cancel_end,
        overwrites,
        rows::lock::{self as rows, Place},
        texts,
    },
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        outcome::{Failure, Undelivered},
        queue::{self, Waiting},
        trouble::{Trouble, of_lacking},
    },
    postgres::{StoreError, Tx},
    settings::{
        Settings,
        mod_log::{GuildLog, Subject, log_failure},
    },
    support::{i18n::Language, ids},
};

/// The end of a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChannelUnlock {
    /// The interaction that ends it; `None` if its time is over.
    pub(crate) request_id: Option<Id<InteractionMarker>>,
    /// The lock; a later one of the same channel stays.
    pub(crate) lock_id: Id<InteractionMarker>,
    /// The permission of the moderator; `None` if its time is over, which takes none.
    pub(crate) permit: Option<ChannelPermit>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// The same for Discord's audit log, with the moderator's name.
    pub(crate) audit_reason: Option<String>,
    /// The moderator's language, for a guild that has chosen none.
    pub(crate) locale: String,
}

impl EffectBody for ChannelUnlock {
    const KIND: &'static str = "channel_unlock";
    const OWNER: Owner = Owner::Staff;
}

/// Ends locks.
#[derive(Debug)]
pub(crate) struct Unlocks(pub(crate) Settings);

impl EffectKind for Unlocks {
    type Body = ChannelUnlock;

    async fn deliver(
        &self,
        to: &Deliverer,
        effect: &Waiting,
        unlock: ChannelUnlock,
    ) -> Result<(), Undelivered> {
        deliver(&self.0, to, effect, &unlock).await
    }

    /// The lock stays, and staff learn why.
    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        unlock: ChannelUnlock,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        let about = (Subject::Channels, language_of(&unlock));
        log_failure(tx, &self.0, (effect, failure), about, "lock-log-failed").await
    }
}

fn language_of(unlock: &ChannelUnlock) -> Language {
    Language::of_stored(&unlock.locale)
}

async fn deliver(
    settings: &Settings,
    to: &Deliverer,
    effect: &Waiting,
    unlock: &ChannelUnlock,
) -> Result<(), Undelivered> {
    let channel_id = effect.channel()?;
    let place = (effect.guild_id, channel_id);
    let row = rows::get(&to.store, place).await?;
    let Some(row) = row.filter(|row| row.lock_id == unlock.lock_id) else {
        return Err(Undelivered::Cancelled);
    };
    if let Some(permit) = &unlock.permit {
        may_still(to, place, permit).await?;
    }
    let target = ids::to_db(channel_id);
    let Some(channel) = channel::read(to, channel_id).await? else {
        // It was deleted, and its permissions with it.
        end(settings, to, place, unlock, false).await;
        return Err(Undelivered::Cancelled);
    };
    let needed = Permissions::VIEW_CHANNEL | Permissions::MANAGE_ROLES;
    let lacking = to
        .guilds
        .bot_lacks(place.0, channel_id, needed, Priority::Command)
        .await;
    of_lacking(lacking, target)?;
    let over = || language_of(unlock).text("lock-audit-over");
    let reason = unlock.audit_reason.clone().unwrap_or_else(over);
    let saved = row.saved.unwrap_or_default();
    let step = |overwrites: &[_], saved: &_| overwrites::restore(overwrites, place.0, saved);
    match channel::write(to, (place.0, &channel), &saved, &reason, step).await {
        // It was deleted meanwhile.
        Err(why) if why == Trouble::NoChannel.failure(target) => {
            end(settings, to, place, unlock, false).await;
            return Err(Undelivered::Cancelled);
        }
        written => written?,
    }
    end(settings, to, place, unlock, true).await;
    Ok(())
}

/// Forget the lock, with an entry in the log channel.
async fn end(settings: &Settings, to: &Deliverer, place: Place, unlock: &ChannelUnlock, is_logged: bool) {
    to.retry_until_committed("noting the end of a lock", || {
        let (settings, unlock) = (settings.clone(), unlock.clone());
        to.store.transaction("channel_unlocked", move |tx| {
            Box::pin(async move {
                if !rows::remove(tx, place, unlock.lock_id).await? {
                    return Ok(());
                }
                cancel_end(tx, place).await?;
                if !is_logged {
                    return Ok(());
                }
                let log = GuildLog::about(tx, &settings, place.0, (Subject::Channels, language_of(&unlock)))
                    .await?;
                let entry = log.entry(|language| in_log(language, place, &unlock));
                queue::add(tx, entry.as_slice()).await
            })
        })
    })
    .await;
}

fn in_log(language: Language, place: Place, unlock: &ChannelUnlock) -> String {
    let channel = ("channel", place.1.to_string().into());
    match &unlock.permit {
        None => language.filled("lock-log-over", &[channel]),
        Some(permit) => {
            let values = [
                channel,
                ("moderator", permit.moderator_id().to_string().into()),
                (
                    "reason",
                    texts::because(unlock.reason.as_deref(), language).into(),
                ),
            ];
            language.filled("lock-log-unlocked", &values)
        }
    }
}
