//! Notices for the server's staff in its log channel.

use serde::{Deserialize, Serialize};
use twilight_model::{
    channel::message::AllowedMentions,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, RoleMarker},
    },
};

use crate::{
    discord::guilds::Changes,
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        outcome::Undelivered,
        queue::{self, NewEffect, Waiting},
    },
    postgres::{StoreError, Tx},
    settings::{Settings, cleanup},
    support::i18n::{Language, Value},
};

/// A notice for the server's staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// The bot stopped announcing levels.
    AnnouncementsOff {
        /// The reason, as text.
        reason: String,
    },
    /// The bot no longer announces levels in one channel.
    ChannelSkipped {
        /// The channel.
        channel_id: Id<ChannelMarker>,
        /// The reason, as text.
        reason: String,
    },
    /// The bot stopped giving reward roles.
    RewardsOff {
        /// The reason, as text.
        reason: String,
    },
    /// A reward role repeatedly could not be given. Other rewards are not affected.
    RewardBlocked {
        /// The role.
        role_id: Id<RoleMarker>,
        /// The reason, as text.
        reason: String,
    },
    /// A reward was removed because its role was deleted.
    RewardGone {
        /// The role.
        role_id: Id<RoleMarker>,
        /// The level of the reward.
        level: u32,
    },
}

impl EffectBody for Notice {
    const KIND: &'static str = "notice";
    const OWNER: Owner = Owner::Staff;
}

/// Sends notices.
#[derive(Debug)]
pub(crate) struct Notices(pub(crate) Settings);

impl EffectKind for Notices {
    type Body = Notice;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, notice: Notice) -> Result<(), Undelivered> {
        deliver(&self.0, to, effect, &notice).await
    }

    /// Deleted roles and channels are removed from settings before anything else handles the event.
    async fn guilds_changed(&self, to: &Deliverer, changes: &Changes) -> Result<(), StoreError> {
        if changes.deleted_roles.is_empty() && changes.deleted_channels.is_empty() {
            return Ok(());
        }
        cleanup::forget_deleted(&to.store, &self.0, changes.clone()).await
    }
}

/// The server's log channel, if it has one.
pub(crate) async fn log_channel(
    tx: &Tx<'_>,
    settings: &Settings,
    guild_id: Id<GuildMarker>,
) -> Result<Option<Id<ChannelMarker>>, StoreError> {
    let known = settings.within(tx, std::iter::once(guild_id)).await?;
    Ok(known.get(&guild_id).and_then(|settings| settings.log_channel_id))
}

/// Add a notice, if the server has a log channel.
pub(crate) async fn add(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    log_channel_id: Option<Id<ChannelMarker>>,
    notice: &Notice,
) -> Result<(), StoreError> {
    let Some(channel_id) = log_channel_id else {
        return Ok(());
    };
    queue::add(tx, &[NewEffect::for_channel(guild_id, channel_id, notice)]).await
}

async fn deliver(
    settings: &Settings,
    to: &Deliverer,
    effect: &Waiting,
    notice: &Notice,
) -> Result<(), Undelivered> {
    let settings = settings.of(&to.store, effect.guild_id).await?;
    let text = text(notice, settings.language.unwrap_or(Language::English));
    crate::outbox::message::send(to, effect, &text, AllowedMentions::default()).await
}

/// Discord's reasons are quoted unchanged.
fn text(notice: &Notice, language: Language) -> String {
    let because = |key, reason: &str| language.filled(key, &[("reason", Value::from(reason.to_owned()))]);
    match notice {
        Notice::AnnouncementsOff { reason } => because("notice-announcements-off", reason),
        Notice::ChannelSkipped { channel_id, reason } => {
            let values = [
                ("channel", Value::from(format!("<#{channel_id}>"))),
                ("reason", reason.clone().into()),
            ];
            language.filled("notice-channel-skipped", &values)
        }
        Notice::RewardsOff { reason } => because("notice-rewards-off", reason),
        Notice::RewardBlocked { role_id, reason } => {
            let values = [
                ("role", Value::from(format!("<@&{role_id}>"))),
                ("reason", reason.clone().into()),
            ];
            language.filled("notice-reward-blocked", &values)
        }
        Notice::RewardGone { role_id, level } => {
            let values = [
                ("role", Value::from(role_id.to_string())),
                ("level", language.number((*level).into()).into()),
            ];
            language.filled("notice-reward-gone", &values)
        }
    }
}

#[cfg(test)]
mod tests;
