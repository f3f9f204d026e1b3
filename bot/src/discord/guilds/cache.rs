//! The cache of recently used guilds: limited in size and age.

use std::{collections::HashMap, time::Duration};

use rustc_hash::FxBuildHasher;
use serde::Deserialize;
use tokio::time::Instant;
use twilight_cache_inmemory::{InMemoryCacheBuilder, ResourceType};
use twilight_model::{
    gateway::payload::incoming::{ChannelCreate, GuildDelete, RoleCreate},
    id::{
        Id,
        marker::{GuildMarker, RoleMarker, UserMarker},
    },
    util::Timestamp,
};

use super::{
    models::{ChannelModel, RoleModel},
    reduced::Cache,
};
use crate::{discord::clock::Clock, telemetry::metrics};

/// How long a guild is cached after it was read. Events keep it up to date if this process receives them; otherwise this is the maximum age
/// of its data.
const KEPT_FOR: Duration = Duration::from_mins(15);

/// The maximum number of cached guilds, roles and channels in total. Measured with 690 guilds of 40 roles and 45 channels with two
/// overwrites: 10.7 MB, 180 bytes each.
const MOST_ITEMS: usize = 60_000;

/// The guild data that a query needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Need {
    /// Its name, owner and roles.
    Guild,
    /// The bot's own roles in addition.
    Own,
    /// The channels in addition.
    Channels,
}

/// The parts of a guild that are not cached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) guild: bool,
    pub(super) own: bool,
    pub(super) channels: bool,
}

impl Missing {
    pub(super) fn all(need: Need) -> Self {
        Self {
            guild: true,
            own: need >= Need::Own,
            channels: need >= Need::Channels,
        }
    }

    pub(super) fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// A guild as returned by REST.
#[derive(Debug, Deserialize)]
pub(super) struct GuildRead {
    pub(super) name: String,
    pub(super) owner_id: Id<UserMarker>,
    /// `None` if the API does not include them in the guild.
    pub(super) roles: Option<Vec<RoleModel>>,
}

/// The bot as a member.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Own {
    pub(super) roles: Vec<Id<RoleMarker>>,
    /// The end of the bot's timeout.
    pub(super) communication_disabled_until: Option<Timestamp>,
}

/// Data of a guild read over REST.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) guild: Option<GuildRead>,
    pub(super) own: Option<Own>,
    pub(super) channels: Option<Vec<ChannelModel>>,
}

/// A cached guild. Its roles and channels are in the cache.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) owner_id: Id<UserMarker>,
    pub(super) own: Option<Own>,
    /// Whether its channels are cached.
    pub(super) channels: bool,
    until: Instant,
    used: u64,
    items: usize,
}

impl Entry {
    /// Whether it was read longer than `age` ago.
    pub(super) fn is_older(&self, age: Duration, now: Instant) -> bool {
        self.until.saturating_duration_since(now) < KEPT_FOR.saturating_sub(age)
    }
}

/// The cached guilds.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) cache: Cache,
    pub(super) clock: Clock,
    guilds: HashMap<Id<GuildMarker>, Entry, FxBuildHasher>,
    items: usize,
    uses: u64,
    /// Guilds with reads in progress, and how often they changed meanwhile.
    under_way: HashMap<Id<GuildMarker>, UnderWay, FxBuildHasher>,
}

#[derive(Debug, Default)]
struct UnderWay {
    reads: usize,
    changes: u64,
}

impl Default for Kept {
    fn default() -> Self {
        Self::new(Clock::default())
    }
}

impl Kept {
    /// An empty cache. The clock determines when timeouts end.
    pub(super) fn new(clock: Clock) -> Self {
        let wanted = ResourceType::ROLE | ResourceType::CHANNEL;
        Self {
            cache: InMemoryCacheBuilder::new().resource_types(wanted).build(),
            clock,
            guilds: HashMap::default(),
            items: 0,
            uses: 0,
            under_way: HashMap::default(),
        }
    }
}

impl Kept {
    /// The data that must be read before a query can be answered. Marks the guild as used.
    pub(super) fn missing(&mut self, guild_id: Id<GuildMarker>, need: Need, now: Instant) -> Missing {
        if self.guilds.get(&guild_id).is_some_and(|entry| entry.until <= now) {
            self.remove(guild_id);
        }
        self.uses += 1;
        let Some(entry) = self.guilds.get_mut(&guild_id) else {
            return Missing::all(need);
        };
        entry.used = self.uses;
        Missing {
            guild: false,
            own: need >= Need::Own && entry.own.is_none(),
            channels: need >= Need::Channels && !entry.channels,
        }
    }

    pub(super) fn get(&self, guild_id: Id<GuildMarker>) -> Option<&Entry> {
        self.guilds.get(&guild_id)
    }

    pub(super) fn get_mut(&mut self, guild_id: Id<GuildMarker>) -> Option<&mut Entry> {
        self.guilds.get_mut(&guild_id)
    }

    /// Begin a read. Returns the value to pass to [`Self::has_changed`].
    pub(super) fn begin(&mut self, guild_id: Id<GuildMarker>) -> u64 {
        let under_way = self.under_way.entry(guild_id).or_default();
        under_way.reads += 1;
        under_way.changes
    }

    /// End a read, whatever its result.
    pub(super) fn end(&mut self, guild_id: Id<GuildMarker>) {
        if let Some(under_way) = self.under_way.get_mut(&guild_id) {
            under_way.reads -= 1;
            if under_way.reads == 0 {
                self.under_way.remove(&guild_id);
            }
        }
    }

    /// Whether a guild changed during a read in progress: its response may then be older than the events.
    pub(super) fn has_changed(&self, guild_id: Id<GuildMarker>, since: u64) -> bool {
        self.under_way
            .get(&guild_id)
            .is_none_or(|under_way| under_way.changes != since)
    }

    /// Record a change of a guild.
    pub(super) fn changed(&mut self, guild_id: Id<GuildMarker>) {
        if let Some(under_way) = self.under_way.get_mut(&guild_id) {
            under_way.changes += 1;
        }
    }

    /// Store what was read. Parts of a guild that was evicted meanwhile are dropped.
    pub(super) fn keep(&mut self, guild_id: Id<GuildMarker>, read: Read, now: Instant) {
        if let Some(guild) = read.guild {
            self.remove(guild_id);
            for role in guild.roles.into_iter().flatten() {
                let role = role.into();
                self.cache.update(&RoleCreate { guild_id, role });
            }
            self.uses += 1;
            let entry = Entry {
                name: guild.name,
                owner_id: guild.owner_id,
                own: None,
                channels: false,
                until: now + KEPT_FOR,
                used: self.uses,
                items: 0,
            };
            self.guilds.insert(guild_id, entry);
        }
        let Some(entry) = self.guilds.get_mut(&guild_id) else {
            return;
        };
        if read.own.is_some() {
            entry.own = read.own;
        }
        if let Some(channels) = read.channels {
            entry.channels = true;
            for mut channel in channels {
                channel.guild_id = Some(guild_id);
                self.cache.update(&ChannelCreate(channel.into()));
            }
        }
        self.count(guild_id);
    }

    /// Remove a guild from the cache.
    pub(super) fn remove(&mut self, guild_id: Id<GuildMarker>) {
        if let Some(entry) = self.guilds.remove(&guild_id) {
            self.items -= entry.items;
            self.cache.update(&GuildDelete {
                id: guild_id,
                unavailable: None,
            });
        }
        self.show();
    }

    /// Recount the items of a guild, and evict the least recently used guilds.
    pub(super) fn count(&mut self, guild_id: Id<GuildMarker>) {
        let roles = self.cache.guild_roles(guild_id).map_or(0, |ids| ids.len());
        let channels = self.cache.guild_channels(guild_id).map_or(0, |ids| ids.len());
        if let Some(entry) = self.guilds.get_mut(&guild_id) {
            let items = 1 + roles + channels;
            self.items = self.items - entry.items + items;
            entry.items = items;
        }
        while self.items > MOST_ITEMS {
            let others = self.guilds.iter().filter(|(id, _)| **id != guild_id);
            let Some((oldest, _)) = others.min_by_key(|(_, entry)| entry.used) else {
                break;
            };
            self.remove(*oldest);
        }
        self.show();
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 guilds")]
    fn show(&self) {
        metrics::guild_cache_guilds().set(self.guilds.len() as f64);
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize, usize) {
        (self.guilds.len(), self.items, self.under_way.len())
    }
}
