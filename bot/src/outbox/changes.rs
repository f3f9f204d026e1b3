//! What follows for settings and for waiting roles from what changed on Discord.

use std::time::Duration;

use twilight_model::id::{Id, marker::GuildMarker};

use super::{
    delivery::Deliverer,
    effect::{Effect, Notice},
    notice,
};
use crate::{
    discord::guilds::Changes,
    outbox::{failures, queue},
    postgres::{Store, StoreError, Tx},
    settings::{Settings, table::forget},
};

/// What is stored in the settings of a channel that announcements went to.
const CHANNEL_DELETED: &str = "the channel was deleted";

/// Deal with what changed since the last call; later, if the database is away.
pub(crate) async fn tend(to: &Deliverer) {
    let changes = to.guilds.take_changes();
    if changes.is_empty() {
        return;
    }
    if let Err(error) = apply(to, changes.clone()).await {
        tracing::warn!(%error, "changes of roles and channels are waiting for the database");
        to.guilds.put_back(changes);
    }
}

async fn apply(to: &Deliverer, changes: Changes) -> Result<(), StoreError> {
    let (settings, lease, known) = (to.settings.clone(), to.config.lease, changes.clone());
    to.store
        .transaction("guild_changes", move |tx| {
            let (settings, changes) = (settings.clone(), known.clone());
            Box::pin(async move {
                forget_in(tx, &settings, &changes).await?;
                for guild_id in &changes.roles {
                    release_roles(tx, *guild_id, lease).await?;
                }
                Ok(())
            })
        })
        .await?;
    forget_cached(&to.settings, &changes);
    Ok(())
}

/// Take what was deleted out of settings.
pub(crate) async fn forget_deleted(
    store: &Store,
    settings: &Settings,
    changes: Changes,
) -> Result<(), StoreError> {
    let (own, known) = (settings.clone(), changes.clone());
    store
        .transaction("guild_sweep", move |tx| {
            let (settings, changes) = (own.clone(), known.clone());
            Box::pin(async move { forget_in(tx, &settings, &changes).await })
        })
        .await?;
    forget_cached(settings, &changes);
    Ok(())
}

async fn forget_in(tx: &Tx<'_>, settings: &Settings, changes: &Changes) -> Result<(), StoreError> {
    for (guild_id, role_id) in &changes.deleted_roles {
        let log_channel_id = notice::log_channel(tx, settings, *guild_id).await?;
        if let Some(level) = forget::role(tx, *guild_id, *role_id).await? {
            let gone = Notice::RewardGone {
                role_id: *role_id,
                level,
            };
            notice::add(tx, *guild_id, log_channel_id, &gone).await?;
        }
    }
    for (guild_id, channel_id) in &changes.deleted_channels {
        let log_channel_id = notice::log_channel(tx, settings, *guild_id).await?;
        let announced = forget::channel(tx, *guild_id, *channel_id, CHANNEL_DELETED);
        if announced.await? && log_channel_id != Some(*channel_id) {
            let reason = CHANNEL_DELETED.to_owned();
            notice::add(
                tx,
                *guild_id,
                log_channel_id,
                &Notice::AnnouncementsOff { reason },
            )
            .await?;
        }
    }
    Ok(())
}

fn forget_cached(settings: &Settings, changes: &Changes) {
    let roles = changes.deleted_roles.iter().map(|(guild_id, _)| *guild_id);
    let channels = changes.deleted_channels.iter().map(|(guild_id, _)| *guild_id);
    for guild_id in roles.chain(channels) {
        settings.forget(guild_id);
    }
}

/// Roles that were set aside are due, and none counts as failing any more.
pub(crate) async fn release_roles(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    lease: Duration,
) -> Result<(), StoreError> {
    failures::forget(tx, guild_id, Effect::ROLES).await?;
    queue::make_due(tx, guild_id, lease).await
}
