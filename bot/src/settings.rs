//! Settings of guilds with the operator's defaults, cached in memory and kept up to date by notifications.
//!
//! A guild's rows are read when they are first needed. A trigger notifies every process of changes ([`crate::settings::table`]). While a
//! process may be missing notifications, it caches settings for a second only.

mod cache;
pub mod change;
pub(crate) mod cleanup;
pub mod columns;
pub mod command_settings;
mod guild;
pub mod history;
pub(crate) mod mod_log;
pub mod notice;
pub mod section;
pub(crate) mod statistics;
pub mod table;
pub mod text_form;
pub mod values;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;
use twilight_model::id::{Id, marker::GuildMarker};

use self::cache::Cache;
pub use self::{
    guild::GuildSettings,
    values::{
        leaving::LeavePolicy,
        rewards::{Demotion, RewardMode, Rewards},
    },
};
pub use crate::support::text::template::Template;
use crate::{
    config::Levels,
    postgres::{
        Store, StoreError, Tx, request,
        table::{Table, guild_table, member_table},
    },
    settings::table::Stored,
    telemetry::metrics,
};

/// The tables, in the order in which they are emptied.
pub(crate) const TABLES: &[Table] = &[
    member_table!("request")
        .exported_by(request::EXPORT)
        .erased_by(request::ERASE)
        .erased_again_by(request::ERASE_AGAIN),
    guild_table!("guild_section"),
    guild_table!("guild_settings"),
];

/// Settings by guild.
pub type Found = HashMap<Id<GuildMarker>, Arc<GuildSettings>>;

/// The settings of guilds in this process. Clones share the same cache.
#[derive(Clone, Debug)]
pub struct Settings {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    defaults: Arc<GuildSettings>,
    cache: Mutex<Cache>,
}

impl Settings {
    /// An empty cache; `levels` are the operator's defaults.
    pub fn new(levels: &Levels) -> Self {
        metrics::settings_cache_guilds().set(0.0);
        metrics::settings_cache_bytes().set(0.0);
        Self {
            inner: Arc::new(Inner {
                defaults: Arc::new(GuildSettings::of_nobody(levels)),
                cache: Mutex::new(Cache::default()),
            }),
        }
    }

    /// The settings of a guild without settings of its own.
    pub fn defaults(&self) -> &Arc<GuildSettings> {
        &self.inner.defaults
    }

    /// The settings of a guild if they are cached.
    pub fn cached(&self, guild_id: Id<GuildMarker>) -> Option<Arc<GuildSettings>> {
        self.cache().get(guild_id, Instant::now())
    }

    /// Return the result of `look` for the last known settings of a guild, for callers that cannot wait; `None` if the guild is not cached.
    pub fn last_known<T>(
        &self,
        guild_id: Id<GuildMarker>,
        look: impl FnOnce(&GuildSettings) -> T,
    ) -> Option<T> {
        self.cache().last_known(guild_id).map(|settings| look(settings))
    }

    /// The settings of these guilds. Those that are not cached are read with one statement.
    pub async fn of_all(
        &self,
        store: &Store,
        guilds: impl Iterator<Item = Id<GuildMarker>>,
    ) -> Result<Found, StoreError> {
        let asked = Instant::now();
        let (mut found, missing, generation) = self.remembered(guilds, asked);
        if !missing.is_empty() {
            let rows = table::read(store, &missing).await?;
            found.extend(self.remember(rows, generation, asked));
        }
        Ok(found)
    }

    /// The settings of these guilds. Those that are not cached are read with one statement in the transaction, which must not have changed
    /// any: they are cached before the commit.
    pub async fn within(
        &self,
        tx: &Tx<'_>,
        guilds: impl Iterator<Item = Id<GuildMarker>>,
    ) -> Result<Found, StoreError> {
        let asked = Instant::now();
        let (mut found, missing, generation) = self.remembered(guilds, asked);
        if !missing.is_empty() {
            let rows = table::read_in(tx, &missing).await?;
            found.extend(self.remember(rows, generation, asked));
        }
        Ok(found)
    }

    /// The cached settings, the remaining guilds without duplicates, and the generation of the cache.
    fn remembered(
        &self,
        guilds: impl Iterator<Item = Id<GuildMarker>>,
        asked: Instant,
    ) -> (Found, Vec<Id<GuildMarker>>, u64) {
        let mut cache = self.cache();
        let mut found = Found::new();
        let mut missing: Vec<Id<GuildMarker>> = Vec::new();
        for guild_id in guilds {
            if found.contains_key(&guild_id) {
                continue;
            }
            match cache.get(guild_id, asked) {
                Some(settings) => drop(found.insert(guild_id, settings)),
                None => missing.push(guild_id),
            }
        }
        missing.sort_unstable();
        missing.dedup();
        metrics::settings_cache_hits_total().increment(found.len() as u64);
        metrics::settings_cache_misses_total().increment(missing.len() as u64);
        (found, missing, cache.generation())
    }

    /// The settings of a guild, read if they are not cached.
    pub async fn of(
        &self,
        store: &Store,
        guild_id: Id<GuildMarker>,
    ) -> Result<Arc<GuildSettings>, StoreError> {
        let asked = Instant::now();
        let generation = {
            let mut cache = self.cache();
            if let Some(settings) = cache.get(guild_id, asked) {
                metrics::settings_cache_hits_total().increment(1);
                return Ok(settings);
            }
            metrics::settings_cache_misses_total().increment(1);
            cache.generation()
        };
        let rows = table::read(store, &[guild_id]).await?;
        let settings = self.remember(rows, generation, asked).pop();
        Ok(settings.map_or_else(|| Arc::clone(self.defaults()), |(_, settings)| settings))
    }

    /// `generation` and `asked` are from before the rows were read: if a notification has arrived since, the rows may be older than the
    /// change.
    fn remember(
        &self,
        rows: Vec<Stored>,
        generation: u64,
        asked: Instant,
    ) -> Vec<(Id<GuildMarker>, Arc<GuildSettings>)> {
        let read: Vec<_> = rows
            .into_iter()
            .map(|row| {
                let settings = if row == Stored::nothing(row.guild_id) {
                    // Most guilds have no settings and share this value.
                    Arc::clone(self.defaults())
                } else {
                    Arc::new(GuildSettings::read(&row, self.defaults()))
                };
                (row.guild_id, settings)
            })
            .collect();
        let mut cache = self.cache();
        for (guild_id, settings) in &read {
            let bytes = if Arc::ptr_eq(settings, self.defaults()) {
                0
            } else {
                settings.bytes(self.defaults())
            };
            cache.insert(*guild_id, settings, bytes, generation, asked);
        }
        cache.show();
        read
    }

    /// Remove a guild from the cache, because its settings have changed.
    pub fn forget(&self, guild_id: Id<GuildMarker>) {
        self.cache().forget(guild_id);
    }

    /// Clear the cache, because any settings may have changed.
    pub fn forget_all(&self) {
        self.cache().forget_all();
    }

    /// Cached settings may be served until this time: notifications of all changes committed up to a second before it will have arrived.
    pub fn trust_until(&self, until: Instant) {
        self.cache().trust_until(until);
    }

    /// Whether notifications are received, so that settings are cached for longer than a second.
    pub fn receives_notifications(&self) -> bool {
        self.cache().is_trusted(Instant::now())
    }

    /// Notifications may be missed from now on, and may have been before: cache settings for a second only. The last known settings stay
    /// available to callers that cannot wait ([`Self::last_known`]) until notifications arrive again.
    pub fn distrust(&self) {
        self.cache().distrust();
    }

    /// Act as if a guild without settings had been read.
    pub(crate) fn pretend(&self, guild_id: Id<GuildMarker>) {
        let generation = self.cache().generation();
        self.remember(vec![Stored::nothing(guild_id)], generation, Instant::now());
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // No code panics while the lock is held, and an incomplete entry would only be a missing one.
        self.inner.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
