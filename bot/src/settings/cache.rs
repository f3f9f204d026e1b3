//! The cache of settings, with a limited size and a limited age of its entries.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rustc_hash::FxBuildHasher;
use tokio::time::Instant;
use twilight_model::id::{Id, marker::GuildMarker};

use super::guild::GuildSettings;
use crate::telemetry::metrics;

/// How long settings are cached while notifications may be missed. Changes take effect within a second.
const UNTRUSTED: Duration = Duration::from_secs(1);

/// The size of each generation: 131,000 guilds without settings, or about 20,000 with a template and some reward roles.
const HALF_BYTES: usize = 8 << 20;

/// The size of a guild without settings: the key, the entry, and the free space of a hash table.
const ENTRY_BYTES: usize = 64;

/// A cache of two generations. Entries in use are in the young one. When it is full, it becomes the old one, and the entries of the
/// previous old one that have not been used since are dropped.
#[derive(Debug, Default)]
pub(super) struct Cache {
    young: Half,
    old: Half,
    /// Incremented whenever an entry is removed because of a change.
    generation: u64,
    /// Notifications are known to be received until this time.
    trusted_until: Option<Instant>,
}

#[derive(Debug, Default)]
struct Half {
    guilds: HashMap<Id<GuildMarker>, Entry, FxBuildHasher>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    settings: Arc<GuildSettings>,
    /// When it was read, or slightly earlier.
    read_at: Instant,
    bytes: usize,
}

impl Cache {
    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn get(&mut self, guild_id: Id<GuildMarker>, now: Instant) -> Option<Arc<GuildSettings>> {
        let trusted = self.is_trusted(now);
        let fresh = |entry: &Entry| trusted || now < entry.read_at + UNTRUSTED;
        if let Some(entry) = self.young.guilds.get(&guild_id) {
            return fresh(entry).then(|| Arc::clone(&entry.settings));
        }
        let entry = self.old.remove(guild_id)?;
        let found = fresh(&entry).then(|| Arc::clone(&entry.settings));
        self.put(guild_id, entry);
        found
    }

    /// The last known settings, however old, for callers that cannot wait.
    pub(super) fn last_known(&mut self, guild_id: Id<GuildMarker>) -> Option<&Arc<GuildSettings>> {
        if !self.young.guilds.contains_key(&guild_id) {
            let entry = self.old.remove(guild_id)?;
            self.put(guild_id, entry);
        }
        self.young.guilds.get(&guild_id).map(|entry| &entry.settings)
    }

    /// Cache what was read at this generation, unless a notification has arrived since.
    pub(super) fn insert(
        &mut self,
        guild_id: Id<GuildMarker>,
        settings: &Arc<GuildSettings>,
        bytes: usize,
        generation: u64,
        read_at: Instant,
    ) {
        if generation != self.generation {
            return;
        }
        let entry = Entry {
            settings: Arc::clone(settings),
            read_at,
            bytes: ENTRY_BYTES + bytes,
        };
        self.old.remove(guild_id);
        self.put(guild_id, entry);
    }

    pub(super) fn forget(&mut self, guild_id: Id<GuildMarker>) {
        self.generation += 1;
        self.young.remove(guild_id);
        self.old.remove(guild_id);
    }

    pub(super) fn forget_all(&mut self) {
        self.generation += 1;
        self.young = Half::default();
        self.old = Half::default();
    }

    pub(super) fn trust_until(&mut self, until: Instant) {
        self.trusted_until = Some(until);
    }

    pub(super) fn is_trusted(&self, now: Instant) -> bool {
        self.trusted_until.is_some_and(|until| now < until)
    }

    pub(super) const fn distrust(&mut self) {
        self.trusted_until = None;
    }

    /// Update the gauges.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(super) fn show(&self) {
        let guilds = self.young.guilds.len() + self.old.guilds.len();
        metrics::settings_cache_guilds().set(guilds as f64);
        metrics::settings_cache_bytes().set((self.young.bytes + self.old.bytes) as f64);
    }

    fn put(&mut self, guild_id: Id<GuildMarker>, entry: Entry) {
        self.young.remove(guild_id);
        if self.young.bytes + entry.bytes > HALF_BYTES {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes += entry.bytes;
        self.young.guilds.insert(guild_id, entry);
    }
}

impl Half {
    fn remove(&mut self, guild_id: Id<GuildMarker>) -> Option<Entry> {
        let entry = self.guilds.remove(&guild_id)?;
        self.bytes -= entry.bytes;
        Some(entry)
    }
}

#[cfg(test)]
mod tests;
