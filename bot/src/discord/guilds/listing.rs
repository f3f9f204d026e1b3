//! The roles and text channels of a guild by name, to choose from and to show in place of IDs. The cache of guilds has no names: they would
//! take most of its memory, and are needed rarely.

use std::{cmp::Reverse, collections::HashMap, sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::time::Instant;
use twilight_model::{
    channel::ChannelType,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, RoleMarker},
    },
};

use super::{Guilds, Inner};
use crate::{
    discord::rest::{Priority, RestError},
    support::text::names::Name,
};

/// How long a list is used, unless an event about the guild's roles or channels arrives before.
const LASTS: Duration = Duration::from_mins(1);
/// Cached lists. Beyond that the cache is cleared.
const KEPT: usize = 500;

/// The roles and text channels of a guild, in Discord's order.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Without @everyone.
    pub(crate) roles: Vec<(Id<RoleMarker>, Name)>,
    /// Channels for messages, without threads.
    pub(crate) channels: Vec<(Id<ChannelMarker>, Name)>,
    /// All other channels and categories.
    pub(crate) others: Vec<(Id<ChannelMarker>, Name)>,
}

/// The cached lists.
#[derive(Debug, Default)]
pub(super) struct Listings(HashMap<Id<GuildMarker>, (Arc<Listing>, Instant)>);

#[derive(Deserialize)]
struct Role {
    id: Id<RoleMarker>,
    name: String,
    position: i64,
}

#[derive(Deserialize)]
struct Channel {
    id: Id<ChannelMarker>,
    #[serde(rename = "type")]
    kind: ChannelType,
    name: Option<String>,
    #[serde(default)]
    position: i64,
    #[serde(default)]
    parent_id: Option<Id<ChannelMarker>>,
}

impl Listing {
    /// A role's name, if there is such a role.
    pub(crate) fn role(&self, id: Id<RoleMarker>) -> Option<&Name> {
        let found = self.roles.iter().find(|(role, _)| *role == id);
        found.map(|(_, name)| name)
    }

    /// A channel's name, if there is such a channel for messages.
    pub(crate) fn channel(&self, id: Id<ChannelMarker>) -> Option<&Name> {
        let found = self.channels.iter().find(|(channel, _)| *channel == id);
        found.map(|(_, name)| name)
    }

    /// The same for a channel of any kind, or a category.
    pub(crate) fn any_channel(&self, id: Id<ChannelMarker>) -> Option<&Name> {
        let mut all = self.channels.iter().chain(&self.others);
        all.find(|(channel, _)| *channel == id).map(|(_, name)| name)
    }

    fn of(guild_id: Id<GuildMarker>, mut roles: Vec<Role>, channels: Vec<Channel>) -> Self {
        roles.retain(|role| role.id.get() != guild_id.get());
        roles.sort_by_key(|role| (Reverse(role.position), role.id));
        let positions: HashMap<_, _> = channels
            .iter()
            .map(|channel| (channel.id, channel.position))
            .collect();
        let (mut channels, others): (Vec<Channel>, Vec<_>) =
            channels.into_iter().partition(Channel::has_messages);
        // Channels without a category come first, then category by category.
        channels.sort_by_key(|channel| {
            let category = channel.parent_id.and_then(|id| positions.get(&id).copied());
            (category, channel.parent_id, channel.position, channel.id)
        });
        Self {
            roles: roles
                .into_iter()
                .map(|role| (role.id, Name::first([Some(role.name.as_str())], role.id)))
                .collect(),
            channels: channels.iter().map(Channel::named).collect(),
            others: others.iter().map(Channel::named).collect(),
        }
    }
}

impl Channel {
    fn named(&self) -> (Id<ChannelMarker>, Name) {
        (self.id, Name::first([self.name.as_deref()], self.id))
    }

    const fn has_messages(&self) -> bool {
        matches!(self.kind, ChannelType::GuildText | ChannelType::GuildAnnouncement)
    }
}

impl Listings {
    fn get(&self, guild_id: Id<GuildMarker>) -> Option<Arc<Listing>> {
        let (listing, until) = self.0.get(&guild_id)?;
        (*until > Instant::now()).then(|| Arc::clone(listing))
    }

    fn keep(&mut self, guild_id: Id<GuildMarker>, listing: &Arc<Listing>) {
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        let until = Instant::now() + LASTS;
        self.0.insert(guild_id, (Arc::clone(listing), until));
    }

    /// Apply an event.
    pub(super) fn update(&mut self, guild_id: Id<GuildMarker>, event_type: &str) {
        let is_about_names = ["CHANNEL_", "GUILD_ROLE_", "GUILD_CREATE", "GUILD_DELETE"];
        if is_about_names.iter().any(|start| event_type.starts_with(start)) {
            self.0.remove(&guild_id);
        }
    }
}

impl Guilds {
    /// The roles and text channels of a guild, at most a minute old. Concurrent queries share their requests.
    pub(crate) async fn listing(
        &self,
        guild_id: Id<GuildMarker>,
        priority: Priority,
    ) -> Result<Arc<Listing>, RestError> {
        if let Some(listing) = self.inner.listings().get(guild_id) {
            return Ok(listing);
        }
        let ask = || {
            let inner = Arc::clone(&self.inner);
            async move {
                let listing = Arc::new(inner.list(guild_id, priority).await?);
                inner.listings().keep(guild_id, &listing);
                Ok(listing)
            }
        };
        self.inner.listing_reads.ask(guild_id, ask).await
    }
}

impl Inner {
    async fn list(&self, guild_id: Id<GuildMarker>, priority: Priority) -> Result<Listing, RestError> {
        let builders = self.rest.builders();
        let roles = self
            .rest
            .send(priority, builders.roles(guild_id))
            .await?
            .model()?;
        let request = builders.guild_channels(guild_id);
        let channels = self.rest.send(priority, request).await?.model()?;
        Ok(Listing::of(guild_id, roles, channels))
    }
}

#[cfg(test)]
mod tests;
