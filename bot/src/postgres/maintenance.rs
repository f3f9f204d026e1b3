//! Guilds whose derived tables need maintenance by this process.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use twilight_model::id::{Id, marker::GuildMarker};

/// A queue of guilds. Readers and writers add to it; one background task takes from it.
#[derive(Debug, Default)]
pub(crate) struct Maintenance {
    guilds: Mutex<Guilds>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Guilds {
    due: BTreeSet<Id<GuildMarker>>,
    /// Rows that this process has written in each guild since the guild was last due.
    written: HashMap<Id<GuildMarker>, u64>,
}

impl Maintenance {
    /// Make a guild due.
    pub(crate) fn add(&self, guild_id: Id<GuildMarker>) {
        self.guilds().due.insert(guild_id);
        self.added.notify_one();
    }

    /// Note that rows of a guild were written. The guild is due after `limit` of them.
    pub(crate) fn written(&self, guild_id: Id<GuildMarker>, rows: u64, limit: u64) {
        let mut guilds = self.guilds();
        let written = guilds.written.entry(guild_id).or_default();
        *written += rows;
        if *written >= limit {
            guilds.written.remove(&guild_id);
            drop(guilds);
            self.add(guild_id);
        }
    }

    /// Wait for a guild that is due, and take it.
    pub(crate) async fn next(&self) -> Id<GuildMarker> {
        loop {
            if let Some(guild_id) = self.guilds().due.pop_first() {
                return guild_id;
            }
            self.added.notified().await;
        }
    }

    fn guilds(&self) -> MutexGuard<'_, Guilds> {
        self.guilds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
