//! Reward roles as a kind of effect.

use std::time::Duration;

use super::{Roles, reconcile};
use crate::{
    discord::guilds::Changes,
    outbox::{
        delivery::Deliverer,
        failures,
        kind::{Consequence, EffectBody as _, EffectKind},
        lane::BLOCKED_MAX_AGE,
        outcome::{Failure, Undelivered},
        queue::{self, Waiting},
    },
    postgres::{StoreError, Tx},
    settings::{
        Settings,
        notice::{self, Notice},
        table::{self, Switch},
    },
    support::ids,
};

/// Updates members' reward roles.
#[derive(Debug)]
pub(crate) struct RewardRoles(pub(crate) Settings);

impl EffectKind for RewardRoles {
    type Body = Roles;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, roles: Roles) -> Result<(), Undelivered> {
        reconcile(&self.0, to, effect, roles.demotes).await
    }

    fn max_age(&self, _configured: Duration) -> Duration {
        BLOCKED_MAX_AGE
    }

    async fn count_failure(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        failure: &Failure,
        limit: i64,
    ) -> Result<Consequence, StoreError> {
        count_failure(&self.0, tx, effect, failure, limit).await
    }

    async fn guilds_changed(&self, to: &Deliverer, changes: &Changes) -> Result<(), StoreError> {
        let (lease, guilds) = (to.config.lease, changes.roles.clone());
        if guilds.is_empty() {
            return Ok(());
        }
        to.store
            .transaction("guild_changes", move |tx| {
                let guilds = guilds.clone();
                Box::pin(async move {
                    for guild_id in guilds {
                        queue::release_kind(tx, guild_id, Roles::KIND, lease).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// Count a failure. One role that cannot be given does not prevent the others.
async fn count_failure(
    settings: &Settings,
    tx: &Tx<'_>,
    effect: &Waiting,
    failure: &Failure,
    limit: i64,
) -> Result<Consequence, StoreError> {
    let guild_id = effect.guild_id;
    let reason = failure.reason.as_str();
    if let Some(role_id) = ids::from_db(failure.target_id) {
        let in_a_row = failures::record_at(tx, guild_id, Roles::KIND, failure.target_id, reason).await?;
        if in_a_row == limit {
            let log_channel_id = notice::log_channel(tx, settings, guild_id).await?;
            let reason = failure.detail.clone();
            notice::add(
                tx,
                guild_id,
                log_channel_id,
                &Notice::RewardBlocked { role_id, reason },
            )
            .await?;
            tracing::warn!(
                guild.id = %guild_id,
                effect.failure = failure.detail,
                "a reward role cannot be given; retrying later"
            );
        }
        return Ok(Consequence::Nothing);
    }
    let in_a_row = failures::record(tx, guild_id, Roles::KIND, failure.target_id, reason).await?;
    if in_a_row.in_guild < limit {
        return Ok(Consequence::Nothing);
    }
    // Read before the row is changed: data that only this transaction sees must not get into the cache.
    let log_channel_id = notice::log_channel(tx, settings, guild_id).await?;
    if !table::switch_off(tx, guild_id, Switch::Rewards, &failure.detail).await? {
        return Ok(Consequence::Nothing);
    }
    failures::forget(tx, guild_id, Roles::KIND).await?;
    let reason = failure.detail.clone();
    notice::add(tx, guild_id, log_channel_id, &Notice::RewardsOff { reason }).await?;
    Ok(Consequence::SwitchedOff)
}
