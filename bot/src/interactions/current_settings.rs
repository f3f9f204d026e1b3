//! A server's settings for display, without roles and channels that were deleted while the bot was disconnected.

use std::{collections::BTreeSet, sync::Arc};

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, RoleMarker},
};

use crate::{
    config::Announce,
    discord::rest::Priority,
    interactions::{CommandContext, CommandError, Services},
    settings::{GuildSettings, cleanup, section::Section, values::earning::Target},
};

/// The settings of the interaction's server. Roles and channels that no longer exist are removed first, if Discord answers.
pub(crate) async fn settings(
    context: &CommandContext,
    services: &Services,
) -> Result<Arc<GuildSettings>, CommandError> {
    let guild_id = context.guild()?;
    let settings = services.settings.of(&services.store, guild_id).await?;
    let (roles, channels) = named(&settings, services.commands.sections());
    let gone = services
        .guilds
        .gone(guild_id, &roles, &channels, Priority::Interaction)
        .await;
    match gone {
        Ok(gone) if gone.is_empty() => return Ok(settings),
        Ok(gone) => cleanup::forget_deleted(&services.store, &services.settings, gone).await?,
        Err(error) => {
            tracing::debug!(%error, "what was deleted stays in settings for now");
            return Ok(settings);
        }
    }
    Ok(services.settings.of(&services.store, guild_id).await?)
}

/// All roles and channels in the settings, without duplicates.
fn named(
    settings: &GuildSettings,
    sections: impl Iterator<Item = &'static Section>,
) -> (Vec<Id<RoleMarker>>, Vec<Id<ChannelMarker>>) {
    let earning = &settings.earning;
    let mut roles: BTreeSet<Id<RoleMarker>> =
        settings.rewards.roles().iter().map(|(_, role)| *role).collect();
    roles.extend(earning.roles().iter().map(|(role, _)| *role));
    let mut channels: BTreeSet<Id<ChannelMarker>> =
        earning.channels().iter().map(|(channel, _)| *channel).collect();
    for boost in earning.boosts() {
        match boost.target {
            Target::Role(role) => {
                roles.insert(role);
            }
            Target::Channel(channel) => {
                channels.insert(channel);
            }
            Target::Server => {}
        }
    }
    if let Announce::Channel(channel) = settings.announce {
        channels.insert(channel);
    }
    channels.extend(settings.log_channel_id);
    channels.extend(settings.welcome.as_ref().map(|(channel, _)| *channel));
    for named in sections
        .flat_map(Section::settings)
        .map(|setting| setting.named(settings))
    {
        roles.extend(named.roles);
        channels.extend(named.channels);
    }
    (roles.into_iter().collect(), channels.into_iter().collect())
}
