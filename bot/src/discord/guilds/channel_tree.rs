//! The channel tree: threads below channels, channels in categories. The first query reads all channels of a guild at once; events then
//! keep them up to date, since every message needs them.

use std::{collections::HashMap, sync::Arc};

use rustc_hash::FxBuildHasher;
use serde::Deserialize;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker},
};

use super::{Found, Guilds, Inner};
use crate::{
    discord::{
        events::guild_news::GuildNews,
        rest::{Priority, RestError},
    },
    support::ids::ShardKey,
};

/// The maximum number of cached channels, about 60 bytes each. Beyond that the cache is cleared.
const MOST: usize = 200_000;

/// A channel and its ancestors, the nearest first.
pub(super) type Place = Box<[Id<ChannelMarker>]>;

type Parents = HashMap<Id<ChannelMarker>, Option<Id<ChannelMarker>>, FxBuildHasher>;

/// The relevant fields of a channel or thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Standing {
    pub(super) id: Id<ChannelMarker>,
    #[serde(default)]
    pub(super) parent_id: Option<Id<ChannelMarker>>,
}

/// The cached tree.
#[derive(Debug, Default)]
pub(super) struct Places {
    guilds: HashMap<Id<GuildMarker>, InGuild, FxBuildHasher>,
    channels: usize,
    /// Incremented with every change.
    changes: u64,
}

#[derive(Debug, Default)]
struct InGuild {
    parents: Parents,
    /// Whether all of its channels are cached; threads only if they were queried or seen in events.
    is_read: bool,
    /// The value of the change counter at the last change.
    changed: u64,
}

impl Places {
    /// A channel with its ancestors, if all of them are cached.
    pub(super) fn get(&self, guild_id: Id<GuildMarker>, channel_id: Id<ChannelMarker>) -> Option<Place> {
        let parents = &self.guilds.get(&guild_id)?.parents;
        let Some(parent) = *parents.get(&channel_id)? else {
            return Some([channel_id].into());
        };
        // A category has no parent; and if a thread is cached, so is its parent channel.
        Some(match parents.get(&parent) {
            Some(Some(category)) => [channel_id, parent, *category].into(),
            Some(None) | None => [channel_id, parent].into(),
        })
    }

    /// Whether a guild's channels were read: an ID that is not among them is then a thread, or does not exist.
    pub(super) fn is_read(&self, guild_id: Id<GuildMarker>) -> bool {
        self.guilds.get(&guild_id).is_some_and(|guild| guild.is_read)
    }

    /// Begin a lookup. Returns the value to pass to [`Self::insert`].
    pub(super) fn begin(&mut self, guild_id: Id<GuildMarker>) -> u64 {
        self.guilds.entry(guild_id).or_default();
        self.changes
    }

    /// Store the result of a lookup, unless the guild has changed since it began. `all` states whether these are all of the guild's
    /// channels.
    pub(super) fn insert(
        &mut self,
        guild_id: Id<GuildMarker>,
        found: impl IntoIterator<Item = Standing>,
        all: bool,
        since: u64,
    ) {
        let Some(guild) = self
            .guilds
            .get_mut(&guild_id)
            .filter(|guild| guild.changed <= since)
        else {
            return;
        };
        for Standing { id, parent_id } in found {
            self.channels += usize::from(guild.parents.insert(id, parent_id).is_none());
        }
        guild.is_read |= all;
        self.begin_anew_if_full();
    }

    /// Apply an event.
    pub(super) fn update(&mut self, news: &GuildNews<'_>) {
        let is_gone = match news.event_type {
            "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE" => false,
            // A guild that becomes available (again) may have changed while no events were received.
            "CHANNEL_DELETE" | "THREAD_DELETE" | "GUILD_CREATE" | "GUILD_DELETE" => true,
            _ => return,
        };
        // Also applies to lookups in a guild that is not cached yet.
        self.changes += 1;
        let Some(guild) = self.guilds.get_mut(&news.guild_id) else {
            return;
        };
        guild.changed = self.changes;
        let standing = if news.event_type.starts_with("GUILD") {
            None
        } else {
            news.object::<Standing>().ok()
        };
        let Some(Standing { id, parent_id }) = standing else {
            // The cached tree of the guild may be wrong now.
            self.channels -= guild.parents.len();
            guild.parents = Parents::default();
            guild.is_read = false;
            return;
        };
        if is_gone {
            self.channels -= usize::from(guild.parents.remove(&id).is_some());
        } else if guild.is_read {
            self.channels += usize::from(guild.parents.insert(id, parent_id).is_none());
        }
        self.begin_anew_if_full();
    }

    /// Forget the guilds of a shard, and discard lookups in progress in them.
    fn forget_shard(&mut self, shard: ShardKey) {
        let channels = &mut self.channels;
        self.guilds.retain(|guild_id, guild| {
            let is_kept = !shard.receives(*guild_id);
            if !is_kept {
                *channels -= guild.parents.len();
            }
            is_kept
        });
    }

    fn begin_anew_if_full(&mut self) {
        if self.channels > MOST {
            *self = Self {
                // Discards the results of lookups in progress.
                changes: self.changes + 1,
                ..Self::default()
            };
        }
    }
}

impl Guilds {
    /// Forget the channels of a shard's guilds when the shard starts here: another process may have received events about them.
    pub fn forget_shard(&self, shard: ShardKey) {
        self.inner.places().forget_shard(shard);
    }

    /// A channel with its ancestors, the nearest first, if they are cached.
    pub fn known_place(&self, guild_id: Id<GuildMarker>, channel_id: Id<ChannelMarker>) -> Option<Place> {
        self.inner.places().get(guild_id, channel_id)
    }

    /// A channel with its ancestors, the nearest first: a thread's channel, a channel's category. One request reads all channels of a
    /// guild; an uncached thread takes another one.
    pub async fn place(
        &self,
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        priority: Priority,
    ) -> Result<Place, RestError> {
        let known = || self.known_place(guild_id, channel_id);
        if let Some(place) = known() {
            return Ok(place);
        }
        if !self.inner.places().is_read(guild_id) {
            let ask = || {
                let inner = Arc::clone(&self.inner);
                async move { inner.read_places(guild_id, priority).await }
            };
            self.inner.place_reads.ask(guild_id, ask).await?;
            if let Some(place) = known() {
                return Ok(place);
            }
        }
        let since = self.inner.places().begin(guild_id);
        let (mut place, mut found, mut next) = (vec![channel_id], Vec::new(), Some(channel_id));
        while let Some(channel_id) = next.take() {
            let ask = || {
                let inner = Arc::clone(&self.inner);
                async move { inner.find(guild_id, channel_id, priority).await }
            };
            let answer = self.inner.channels.ask((guild_id, channel_id), ask).await?;
            let Found::Channel(channel) = answer else { break };
            let (id, parent_id) = (channel_id, channel.parent_id);
            found.push(Standing { id, parent_id });
            place.extend(parent_id);
            // The parent channel of a thread may be in a category.
            next = parent_id.filter(|_| channel.kind.is_thread());
        }
        self.inner.places().insert(guild_id, found, false, since);
        Ok(place.into())
    }
}

impl Inner {
    async fn read_places(&self, guild_id: Id<GuildMarker>, priority: Priority) -> Result<(), RestError> {
        let since = self.places().begin(guild_id);
        let request = self.rest.builders().guild_channels(guild_id);
        // Parsed directly into the cached form, without the unused fields.
        let channels: Vec<Standing> = self.rest.send(priority, request).await?.model()?;
        self.places().insert(guild_id, channels, true, since);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
