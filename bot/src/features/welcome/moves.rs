//! Members who come and leave: their arrival is recorded in a flush, and some of them are welcomed.

use std::collections::{BTreeMap, HashSet};

use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use super::{
    arrival::{Arrival, Follows},
    effect, rows,
};
use crate::{
    discord::events::member_news::{Coming, Stage, Times},
    flush::{Change, Flush, Kept, Moved, Pending, SetAside},
    outbox::queue::NewEffect,
    postgres::StoreError,
    support::ids::MemberKey,
};

/// The kinds of changes in quarantine.
const JOINED: &str = "joined";
const LEFT: &str = "left";

/// The moves of a shard's members that are not in a batch yet.
#[derive(Debug, Default)]
pub struct Moves {
    /// Members who joined or were admitted, in the order of the events.
    coming: Vec<Coming>,
    /// Members who left and have neither rejoined nor sent a message since.
    left: HashSet<MemberKey, FxBuildHasher>,
}

impl Moves {
    /// A member sent a message. One who left is back before their departure was written.
    pub fn saw(&mut self, key: &MemberKey) {
        if !self.left.is_empty() {
            self.left.remove(key);
        }
    }
}

impl Pending for Moves {
    type Batch = Vec<Coming>;

    fn on_member(&mut self, coming: &Coming) -> usize {
        if coming.stage == Stage::Left {
            let is_new = self.left.insert(coming.key);
            return usize::from(is_new) * size_of::<MemberKey>();
        }
        self.left.remove(&coming.key);
        self.coming.push(*coming);
        size_of::<Coming>()
    }

    fn changes(&self) -> usize {
        self.coming.len() + self.left.len()
    }

    fn take(&mut self) -> Vec<Coming> {
        let mut moves = std::mem::take(&mut self.coming);
        let left = std::mem::take(&mut self.left).into_iter();
        moves.extend(left.map(|key| Coming {
            key,
            stage: Stage::Left,
            times: Times::default(),
        }));
        moves
    }

    fn forget(&mut self) {
        *self = Self::default();
    }
}

/// What the quarantine keeps of a member who came.
#[derive(Debug, Deserialize, Serialize)]
struct Arrives {
    #[serde(default)]
    stage: Stage,
    #[serde(flatten)]
    times: Times,
}

/// What the quarantine keeps of a member who left.
#[derive(Debug, Serialize)]
struct Leaves {}

impl Change for Coming {
    const KINDS: &'static [&'static str] = &[JOINED, LEFT];

    fn set_aside(&self) -> SetAside {
        let Self { key, stage, times } = *self;
        match stage {
            Stage::Left => SetAside::of_member(LEFT, key, &Leaves {}),
            _ => SetAside::of_member(JOINED, key, &Arrives { stage, times }),
        }
    }

    fn read(kept: &Kept) -> Option<Self> {
        let Arrives { stage, times } = match kept.kind.as_str() {
            JOINED => kept.body()?,
            LEFT => Arrives {
                stage: Stage::Left,
                times: Times::default(),
            },
            _ => return None,
        };
        Some(Self {
            key: kept.key()?,
            stage,
            times,
        })
    }

    async fn write(coming: Vec<Self>, flush: &mut Flush<'_, '_>) -> Result<(), StoreError> {
        // Each member's events stay in order, and the consequences are in the order of all events.
        let mut coming: Vec<(usize, Self)> = coming.into_iter().enumerate().collect();
        coming.sort_by_key(|(place, coming)| (coming.key, *place));
        let mut keys: Vec<MemberKey> = coming.iter().map(|(_, coming)| coming.key).collect();
        keys.dedup();
        let guilds = keys.iter().map(|key| key.guild_id);
        let settings = flush.settings.within(flush.tx, guilds).await?;
        let known = rows::lock(flush.tx, &keys).await?;
        let mut changed: BTreeMap<MemberKey, Arrival> = BTreeMap::new();
        let mut welcomes: Vec<(usize, NewEffect)> = Vec::new();
        let mut arrived: Vec<(usize, MemberKey)> = Vec::new();
        let mut moved = Moved::default();
        for of_one in coming.chunk_by(|(_, a), (_, b)| a.key == b.key) {
            let key = of_one[0].1.key;
            let settings = settings.get(&key.guild_id);
            let is_welcoming = settings.is_some_and(|settings| settings.welcome.is_some());
            let before = known.get(&key).copied();
            let mut arrival = before.unwrap_or_default();
            for (place, coming) in of_one {
                let follows = arrival.take(coming.stage, coming.times, is_welcoming);
                if follows == Follows::IsWelcomed {
                    let welcome = settings.and_then(|settings| effect::welcome_of(key, settings));
                    welcomes.extend(welcome.map(|effect| (*place, effect)));
                }
                if follows != Follows::Nothing {
                    arrived.push((*place, key));
                }
            }
            if arrival != before.unwrap_or_default() {
                changed.insert(key, arrival);
            }
            let has = |stage| of_one.iter().any(|(_, coming)| coming.stage == stage);
            if has(Stage::Joined) || has(Stage::Screened) {
                moved.joined.push(key);
            }
            if of_one.last().is_some_and(|(_, last)| last.stage == Stage::Left) {
                moved.left.push(key);
            }
        }
        rows::write(flush.tx, &changed).await?;
        let joined_at = coming.iter().filter_map(|(_, coming)| coming.times.joined_at);
        if let Some(now) = joined_at.max() {
            rows::tidy(flush.tx, &changed, now).await?;
        }
        welcomes.sort_by_key(|(place, _)| *place);
        flush
            .effects
            .extend(welcomes.into_iter().map(|(_, effect)| effect));
        arrived.sort_by_key(|(place, _)| *place);
        moved.arrived = arrived.into_iter().map(|(_, key)| key).collect();
        flush.moved = moved;
        Ok(())
    }
}
