//! Guilds that removed the bot or have it again, until a flush records it.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use twilight_model::id::{Id, marker::GuildMarker};

use super::rows::departures;
use crate::{
    flush::{Change, Flush, Kept, Pending, SetAside},
    postgres::StoreError,
};

/// The kind of a change in quarantine.
const KIND: &str = "guild";

/// The changes of a shard's guilds that are not in a batch yet: the newest of each guild.
#[derive(Debug, Default)]
pub struct GuildChanges(HashMap<Id<GuildMarker>, bool, FxBuildHasher>);

/// A guild that has the bot (again), or removed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuildChange {
    guild_id: Id<GuildMarker>,
    is_there: bool,
}

impl Pending for GuildChanges {
    type Batch = Vec<GuildChange>;

    fn on_guild(&mut self, guild_id: Id<GuildMarker>, is_there: bool) -> usize {
        let is_new = self.0.insert(guild_id, is_there).is_none();
        usize::from(is_new) * size_of::<GuildChange>()
    }

    fn changes(&self) -> usize {
        self.0.len()
    }

    fn take(&mut self) -> Vec<GuildChange> {
        let changes = std::mem::take(&mut self.0).into_iter();
        changes
            .map(|(guild_id, is_there)| GuildChange { guild_id, is_there })
            .collect()
    }

    fn forget(&mut self) {
        self.0.clear();
    }
}

/// What the quarantine keeps of a change.
#[derive(Debug, Deserialize, Serialize)]
struct Body {
    is_there: bool,
}

impl Change for GuildChange {
    const KINDS: &'static [&'static str] = &[KIND];

    fn set_aside(&self) -> SetAside {
        let is_there = self.is_there;
        SetAside::of_guild(KIND, self.guild_id, &Body { is_there })
    }

    fn read(kept: &Kept) -> Option<Self> {
        if kept.kind != KIND {
            return None;
        }
        let Body { is_there } = kept.body()?;
        Some(Self {
            guild_id: kept.guild_id?,
            is_there,
        })
    }

    async fn write(changes: Vec<Self>, flush: &mut Flush<'_, '_>) -> Result<(), StoreError> {
        let of = |is_there| {
            let changes = changes.iter().filter(|change| change.is_there == is_there);
            changes.map(|change| change.guild_id).collect::<Vec<_>>()
        };
        departures::guilds(flush.tx, &of(false), &of(true)).await
    }
}
