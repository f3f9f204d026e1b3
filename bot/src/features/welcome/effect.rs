//! Sending welcome messages.

use serde::{Deserialize, Serialize};
use twilight_model::id::{Id, marker::UserMarker};

use crate::{
    discord::rest::RestError,
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        message::{names_for, send_about},
        outcome::Undelivered,
        queue::{NewEffect, Waiting},
    },
    settings::{GuildSettings, Settings},
    support::{
        ids::MemberKey,
        text::template::{Facts, Template},
    },
};

/// The data of a welcome: empty, since the settings at delivery apply.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Welcome {}

impl EffectBody for Welcome {
    const KIND: &'static str = "welcome";
    const OWNER: Owner = Owner::Member;
}

/// Sends welcome messages.
#[derive(Debug)]
pub(crate) struct Welcomes(pub(crate) Settings);

impl EffectKind for Welcomes {
    type Body = Welcome;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, _welcome: Welcome) -> Result<(), Undelivered> {
        welcome(&self.0, to, effect).await
    }
}

/// The welcome of a member who joined, if the guild welcomes members.
pub fn welcome_of(key: MemberKey, settings: &GuildSettings) -> Option<NewEffect> {
    let (channel_id, _) = settings.welcome.as_ref()?;
    let mut effect = NewEffect::for_channel(key.guild_id, *channel_id, &Welcome {});
    effect.user_id = Some(key.user_id);
    Some(effect)
}

/// Welcome a member, with the guild's settings at this moment.
async fn welcome(settings: &Settings, to: &Deliverer, effect: &Waiting) -> Result<(), Undelivered> {
    let user_id = effect.user()?;
    let settings = settings.of(&to.store, effect.guild_id).await?;
    let Some((channel_id, template)) = settings.welcome.as_ref() else {
        return Err(Undelivered::Cancelled);
    };
    if Some(*channel_id) != effect.channel_id {
        // The channel was changed since; members who joined long ago are not welcomed in the new one.
        return Err(Undelivered::Cancelled);
    }
    let content = Box::pin(content(to, effect, user_id, template, &settings));
    send_about(to, effect, user_id, settings.ping, content).await
}

async fn content(
    to: &Deliverer,
    effect: &Waiting,
    user_id: Id<UserMarker>,
    template: &Template,
    settings: &GuildSettings,
) -> Result<String, RestError> {
    let names = names_for(to, template, effect.guild_id, user_id).await?;
    Ok(template.render(&Facts {
        user_id,
        user_name: names.user.as_ref(),
        level: 0,
        level_before: 0,
        xp: 0,
        xp_next: settings.curve.xp_at(1),
        server: names.server.as_ref(),
        roles: &[],
    }))
}
