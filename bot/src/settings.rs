//! What a guild chose, and what holds where it chose nothing; kept in memory, and told of changes.
//!
//! The tables are read when a guild is first asked for, and remembered. A trigger tells every process of a change
//! ([`crate::settings::table`]); as long as a process is not sure to hear it, it remembers for a second only.

pub mod audit_log;
mod cache;
pub mod change;
pub(crate) mod cleanup;
mod guild;
pub(crate) mod mod_log;
pub mod notice;
pub mod table;
pub mod text_form;
pub mod values;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;
use twilight_model::id::{Id, marker::GuildMarker};

use self::{cache::Cache, change::Change};
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
        Store, StoreError, Tx,
        guild_table::{GuildTable, guild_tables},
    },
    settings::{audit_log::Entry, table::Stored},
    telemetry::metrics,
};

/// The tables with guild data, in the order in which they are emptied.
pub(crate) const TABLES: &[GuildTable] = guild_tables!["audit_log", "guild_settings"];

/// Settings by guild.
pub type Found = HashMap<Id<GuildMarker>, Arc<GuildSettings>>;

/// The process's settings of guilds. A clone is another handle to the same.
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
    /// Nothing is known yet; `levels` holds what guilds did not choose.
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

    /// What holds for a guild that chose nothing.
    pub fn defaults(&self) -> &Arc<GuildSettings> {
        &self.inner.defaults
    }

    /// A guild's settings, if they are remembered.
    pub fn cached(&self, guild_id: Id<GuildMarker>) -> Option<Arc<GuildSettings>> {
        self.cache().get(guild_id, Instant::now())
    }

    /// What `look` sees in a guild's settings as they were heard of last, for what cannot wait; `None` if nothing is remembered.
    pub fn last_known<T>(
        &self,
        guild_id: Id<GuildMarker>,
        look: impl FnOnce(&GuildSettings) -> T,
    ) -> Option<T> {
        self.cache().last_known(guild_id).map(|settings| look(settings))
    }

    /// The settings of these guilds; those that are not remembered are read with one statement.
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

    /// The settings of these guilds; those that are not remembered are read with one statement in the transaction, which must not
    /// have changed any: what it reads is remembered before it commits.
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

    /// Those that are remembered, the others, each once, and the cache's generation.
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

    /// A guild's settings, read if they are not remembered.
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

    /// `generation` and `asked` are of before the rows were read: if a change was heard of since, they may be older than it.
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
                    // Most guilds: they share one value.
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

    /// Change a guild's settings, once for this entry of the audit log; and see the change here at once, whoever is told when.
    pub async fn change(&self, store: &Store, entry: Entry, changes: Vec<Change>) -> Result<(), StoreError> {
        let guild_id = entry.guild_id;
        change::change(store, guild_id, changes, Some(entry)).await?;
        self.forget(guild_id);
        Ok(())
    }

    /// Forget a guild's settings: they were changed.
    pub fn forget(&self, guild_id: Id<GuildMarker>) {
        self.cache().forget(guild_id);
    }

    /// Forget everything: it is not known what was changed.
    pub fn forget_all(&self) {
        self.cache().forget_all();
    }

    /// What is remembered may be served until then, as every change committed up to a second before will have been heard of.
    pub fn trust_until(&self, until: Instant) {
        self.cache().trust_until(until);
    }

    /// Whether changes are sure to be heard of, so that what is remembered is served for longer than a second.
    pub fn is_told(&self) -> bool {
        self.cache().is_trusted(Instant::now())
    }

    /// Changes may go unheard from now on, and may have before: remember for a second only. What was known stays for those who
    /// cannot wait ([`Self::last_known`]) until changes are heard of again.
    pub fn distrust(&self) {
        self.cache().distrust();
    }

    /// As if a guild had been read that chose nothing.
    pub(crate) fn pretend(&self, guild_id: Id<GuildMarker>) {
        let generation = self.cache().generation();
        self.remember(vec![Stored::nothing(guild_id)], generation, Instant::now());
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // Nothing panics while it is held, and a half-made entry is an entry less.
        self.inner.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
