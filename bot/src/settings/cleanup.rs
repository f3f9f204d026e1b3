//! Removes roles and channels that were deleted on Discord from settings.

use super::notice::{self, Notice};
use crate::{
    discord::guilds::Changes,
    postgres::{Store, StoreError, Tx},
    settings::{Settings, table::forget},
};

/// The reason that is stored when the channel of announcements was deleted.
const CHANNEL_DELETED: &str = "the channel was deleted";

/// Remove deleted roles and channels from settings, and report that in the log channel.
pub(crate) async fn forget_deleted(
    store: &Store,
    settings: &Settings,
    changes: Changes,
) -> Result<(), StoreError> {
    let settings = settings.clone();
    store
        .transaction("guild_sweep", move |tx| {
            let (settings, changes) = (settings.clone(), changes.clone());
            Box::pin(async move { forget_in(tx, &settings, &changes).await })
        })
        .await
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
