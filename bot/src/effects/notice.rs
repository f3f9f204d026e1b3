//! Telling those who run a server, in its log channel.

use twilight_model::{
    channel::message::AllowedMentions,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker},
    },
};

use super::{
    announcement,
    delivery::Deliverer,
    effect::{Effect, Notice},
    outcome::Outcome,
};
use crate::{
    settings::Settings,
    snowflake,
    store::{
        StoreError, Tx,
        outbox::{self, New, Waiting},
    },
};

/// The server's log channel, if it has one.
pub(super) async fn log_channel(
    tx: &Tx<'_>,
    settings: &Settings,
    guild_id: Id<GuildMarker>,
) -> Result<Option<Id<ChannelMarker>>, StoreError> {
    let known = settings.within(tx, std::iter::once(guild_id)).await?;
    Ok(known.get(&guild_id).and_then(|settings| settings.log_channel_id))
}

/// Add a notice, if the server has a log channel.
pub(super) async fn add(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    log_channel_id: Option<Id<ChannelMarker>>,
    notice: &Notice,
) -> Result<(), StoreError> {
    let Some(channel_id) = log_channel_id else {
        return Ok(());
    };
    let effect = Effect::Notice(notice.clone());
    let new = New {
        guild_id,
        lane_id: snowflake::to_db(channel_id),
        kind: effect.kind(),
        channel_id: Some(channel_id),
        user_id: None,
        body: effect.body(),
    };
    outbox::add(tx, &[new]).await
}

pub(super) async fn deliver(to: &Deliverer, effect: &Waiting, notice: &Notice) -> Outcome {
    announcement::send(to, effect, &text(notice), AllowedMentions::default()).await
}

fn text(notice: &Notice) -> String {
    match notice {
        Notice::AnnouncementsOff { reason } => format!(
            "⚠️ I have stopped to announce levels, because it failed again and again: {reason}. \
             Let me see the channel and send messages there, then switch announcements on again."
        ),
        Notice::RewardsOff { reason } => format!(
            "⚠️ I have stopped to give reward roles, because it failed again and again: {reason}. \
             I need the permission to manage roles, and my highest role has to stand above every reward; then switch rewards on again."
        ),
        Notice::RewardGone { role_id, level } => {
            format!(
                "ℹ️ The role {role_id}, the reward for level {level}, is gone. I have taken it off the list."
            )
        }
    }
}
