//! Sending the announcement that a member reached a level.

use serde::{Deserialize, Serialize};
use twilight_model::id::{Id, marker::UserMarker};

use super::roles;
use crate::{
    config::Announce,
    discord::rest::RestError,
    outbox::{
        delivery::Deliverer,
        failures,
        kind::{Consequence, EffectBody, EffectKind, Owner},
        message::{names_for, send_about},
        outcome::{Failure, Undelivered},
        queue::Waiting,
    },
    postgres::{StoreError, Tx},
    settings::{
        GuildSettings, Settings,
        notice::{self, Notice},
        table::{self, Switch},
    },
    support::text::template::{Facts, Placeholder},
};

/// A member has reached a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelUp {
    /// The level reached.
    pub level: u32,
    /// The level before the change; more than one level may have been passed.
    pub before: u32,
    /// Total XP after the change.
    pub xp: u64,
}

impl EffectBody for LevelUp {
    const KIND: &'static str = "level_up";
    const OWNER: Owner = Owner::Member;
}

/// Announces level-ups.
#[derive(Debug)]
pub(crate) struct LevelUps(pub(crate) Settings);

impl EffectKind for LevelUps {
    type Body = LevelUp;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, level_up: LevelUp) -> Result<(), Undelivered> {
        announce(&self.0, to, effect, level_up).await
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
}

/// Count a failure. A failure in one channel says nothing about others, so announcements are disabled only if all of them go to that
/// channel.
async fn count_failure(
    settings: &Settings,
    tx: &Tx<'_>,
    effect: &Waiting,
    failure: &Failure,
    limit: i64,
) -> Result<Consequence, StoreError> {
    let guild_id = effect.guild_id;
    let reason = failure.reason.as_str();
    let in_a_row = failures::record(tx, guild_id, LevelUp::KIND, failure.target_id, reason).await?;
    let Some(channel_id) = effect.channel_id.filter(|_| in_a_row.at_target >= limit) else {
        return Ok(Consequence::Nothing);
    };
    // Read before the row is changed: data that only this transaction sees must not get into the cache.
    let known = settings.within(tx, std::iter::once(guild_id)).await?;
    let known = known.get(&guild_id);
    let log_channel_id = known.and_then(|settings| settings.log_channel_id);
    let announce = known.map_or(Announce::SameChannel, |settings| settings.announce);
    let reason = failure.detail.clone();
    if announce != Announce::Channel(channel_id) {
        if in_a_row.at_target == limit {
            let skipped = Notice::ChannelSkipped { channel_id, reason };
            notice::add(tx, guild_id, log_channel_id, &skipped).await?;
        }
        return Ok(Consequence::ChannelSkipped);
    }
    if !table::switch_off(tx, guild_id, Switch::Announcements, &failure.detail).await? {
        return Ok(Consequence::Nothing);
    }
    failures::forget(tx, guild_id, LevelUp::KIND).await?;
    notice::add(tx, guild_id, log_channel_id, &Notice::AnnouncementsOff { reason }).await?;
    Ok(Consequence::SwitchedOff)
}

/// Announce a level-up.
async fn announce(
    settings: &Settings,
    to: &Deliverer,
    effect: &Waiting,
    level_up: LevelUp,
) -> Result<(), Undelivered> {
    let user_id = effect.user()?;
    let settings = settings.of(&to.store, effect.guild_id).await?;
    if settings.announce == Announce::Off {
        return Err(Undelivered::Cancelled);
    }
    let content = Box::pin(content(to, effect, user_id, level_up, &settings));
    send_about(to, effect, user_id, settings.ping, content).await
}

async fn content(
    to: &Deliverer,
    effect: &Waiting,
    user_id: Id<UserMarker>,
    level_up: LevelUp,
    settings: &GuildSettings,
) -> Result<String, RestError> {
    let guild_id = effect.guild_id;
    let template = &settings.template;
    let names = names_for(to, template, guild_id, user_id).await?;
    let LevelUp { level, before, xp } = level_up;
    let reached = |(at, _): &&(u32, _)| (before + 1..=level).contains(at);
    let mut roles = Vec::new();
    if template.wants(Placeholder::Roles) && !settings.rewards.switched_off {
        let deserved = settings.rewards.deserved(level);
        let rewards = settings.rewards.roles().iter().filter(reached);
        for (_, role_id) in rewards.filter(|(_, role_id)| deserved.contains(role_id)) {
            if roles::can_give(to, guild_id, *role_id).await {
                roles.push(*role_id);
            }
        }
    }
    Ok(template.render(&Facts {
        user_id,
        user_name: names.user.as_ref(),
        level,
        level_before: before,
        xp,
        xp_next: settings.curve.xp_at(level.saturating_add(1)).saturating_sub(xp),
        server: names.server.as_ref(),
        roles: &roles,
    }))
}
