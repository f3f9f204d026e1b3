//! One flush: a transaction with the checkpoints and all rows of some batches.

use std::{collections::HashMap, sync::Arc};

use twilight_model::id::{Id, marker::GuildMarker};

use super::{Outcome, arrivals, parts::Parts};
use crate::{
    features::{
        levels::{
            effects::{
                announcement::LevelUp,
                plan::{self, LevelChange},
            },
            pending::{LastAward, Pending, saturating_sum},
            rows::member_xp::{self, Addition, Making, Stored},
        },
        privacy::rows::{departures, member},
    },
    outbox::queue::{self, NewEffect},
    pipeline::{
        backfill::rows,
        ledger::Changes,
        rows::{
            gap,
            shard_checkpoint::{self, Advance, Advanced},
        },
    },
    postgres::{Store, StoreError, Tx},
    settings::Settings,
    support::ids::{MemberKey, Millis},
    telemetry::metrics,
};

/// Batches without their reply channels, so that they can be tried more than once.
pub type Work = Vec<(Advance, Changes)>;

/// The result of a committed flush.
pub(super) struct Written {
    /// `None` for a batch that PostgreSQL rejects.
    outcomes: Vec<Option<Outcome>>,
    rows: usize,
    reads: usize,
    messages: u64,
    ranked: Vec<Id<GuildMarker>>,
}

/// The result of writing some changes.
#[derive(Debug, Default)]
pub(super) struct Applied {
    rows: usize,
    reads: usize,
    messages: u64,
    pub(super) effects: Vec<NewEffect>,
    /// Last awards read or written for members who were not cached, with the index of the batch.
    learned: Vec<(usize, MemberKey, LastAward)>,
    /// The guild of each written row with rank buckets, in order.
    ranked: Vec<Id<GuildMarker>>,
}

/// Try once, or twice if another process inserts a row at the same time. The outcomes are in the order of `work`.
///
/// # Errors
///
/// The transaction failed or its COMMIT was not answered: retrying is always safe, and required.
pub async fn flush(store: &Store, settings: &Settings, work: Arc<Work>) -> Result<Vec<Outcome>, StoreError> {
    let written = match once(store, settings, Arc::clone(&work), Making::Copied).await {
        // Another process has inserted one of the rows meanwhile.
        Err(error) if error.is_unique_violation() => once(store, settings, work, Making::Upserted).await?,
        tried => tried?,
    };
    // Only an isolating flush continues without a shard.
    Ok(written.count(store).into_iter().flatten().collect())
}

async fn once(
    store: &Store,
    settings: &Settings,
    work: Arc<Work>,
    making: Making,
) -> Result<Written, StoreError> {
    let settings = settings.clone();
    store
        .transaction("flush", move |tx| {
            Box::pin(async move { write(tx, &settings, &work, making).await })
        })
        .await
}

async fn write(tx: &Tx<'_>, settings: &Settings, work: &Work, making: Making) -> Result<Written, StoreError> {
    // The checkpoints come first: their row locks make a second attempt wait until the server has finished the first.
    let asked: Vec<&Advance> = work.iter().map(|(advance, _)| advance).collect();
    let advanced = shard_checkpoint::advance(tx, &asked).await?;
    for ((advance, changes), advanced) in work.iter().zip(&advanced) {
        if *advanced == Advanced::Now {
            gap::record(tx, advance.shard, &changes.gaps).await?;
            rows::record(tx, advance.shard, &changes.backfill).await?;
        }
    }
    let applied = apply(tx, settings, Parts::of(work, &advanced), making).await?;
    queue::add(tx, &applied.effects).await?;
    Ok(Written::of(&advanced, applied))
}

/// Write these changes. The caller adds their effects, after everything else.
///
/// Rows are locked in the order that docs/invariants.md defines: `guild_departed`, `erased`, `member_arrival`, `member_xp`, lanes.
pub(super) async fn apply(
    tx: &Tx<'_>,
    settings: &Settings,
    mut parts: Parts<'_>,
    making: Making,
) -> Result<Applied, StoreError> {
    let mut applied = Applied::default();
    let (mut gone, mut there) = (Vec::new(), Vec::new());
    for (guild_id, is_there) in parts.guilds {
        if is_there { &mut there } else { &mut gone }.push(guild_id);
    }
    departures::guilds(tx, &gone, &there).await?;
    let mut additions = Vec::new();
    if !parts.entries.is_empty() {
        let asked = parts.entries.iter();
        let asked = asked.map(|(_, key, pending)| (*key, pending.needs_stored_award()));
        let stored = member_xp::stored(tx, asked).await?;
        let back = without_erased(tx, &mut parts.entries, &stored).await?;
        additions = resolve(&parts.entries, &stored, &mut applied);
        for Addition { key, delta, .. } in &mut additions {
            // The ledger's cached awards predate the erasure.
            if let Some(erased_at) = back.get(key) {
                delta.last_award = delta.last_award.filter(|award| award > erased_at);
            }
        }
    }
    let moved = arrivals::apply(tx, settings, parts.coming, parts.left).await?;
    let mut moving: Vec<MemberKey> = moved.members().collect();
    if !moving.is_empty() {
        // Includes members who also earned XP, so that all are locked in key order.
        moving.extend(additions.iter().map(|addition| addition.key));
        member_xp::lock(tx, &moving).await?;
    }
    if !additions.is_empty() {
        let rows = member_xp::write(tx, &additions, making).await?;
        applied.effects = effects(tx, settings, &rows, &additions).await?;
        applied.rows = additions.len();
        applied.messages = additions.iter().map(|addition| addition.delta.messages).sum();
        let ranked = additions.iter().filter(|addition| addition.is_ranked);
        applied.ranked = ranked.map(|addition| addition.key.guild_id).collect();
    }
    moved.write(tx).await?;
    applied.effects.extend(moved.effects);
    Ok(applied)
}

/// Remove messages sent before their member's erasure. Returns members with later messages, with the times of their erasures.
///
/// Entries are not split: a message sent shortly after the erasure is removed too if it shares an entry with earlier ones.
async fn without_erased(
    tx: &Tx<'_>,
    entries: &mut Vec<(usize, MemberKey, &Pending)>,
    stored: &HashMap<MemberKey, Stored>,
) -> Result<HashMap<MemberKey, Millis>, StoreError> {
    let erased_at = stored
        .iter()
        .filter_map(|(key, stored)| Some((*key, stored.erased_at?)));
    let mut erased: HashMap<MemberKey, Millis> = erased_at.collect();
    if erased.is_empty() {
        return Ok(erased);
    }
    let before =
        |key: &MemberKey, pending: &Pending| erased.get(key).is_some_and(|at| pending.oldest() <= *at);
    entries.retain(|(_, key, pending)| !before(key, pending));
    let over: Vec<MemberKey> = entries
        .iter()
        .filter(|(_, key, pending)| {
            erased
                .get(key)
                .is_some_and(|at| member::is_over(*at, pending.oldest()))
        })
        .map(|(_, key, _)| *key)
        .collect();
    member::end(tx, &over).await?;
    erased.retain(|key, _| entries.iter().any(|(_, other, _)| other == key));
    Ok(erased)
}

/// The effects of the levels that were passed.
async fn effects(
    tx: &Tx<'_>,
    settings: &Settings,
    rows: &[member_xp::Written],
    additions: &[Addition],
) -> Result<Vec<NewEffect>, StoreError> {
    let earned = || {
        let rows = rows.iter().zip(additions);
        rows.filter(|(row, _)| row.xp_before != row.xp_after)
    };
    // Sorted by guild, so each is looked up once.
    let mut guilds: Vec<_> = earned().map(|(row, _)| row.key.guild_id).collect();
    guilds.dedup();
    let settings = settings.within(tx, guilds.into_iter()).await?;
    let mut effects = Vec::new();
    for (row, Addition { key, delta, .. }) in earned() {
        let Some(settings) = settings.get(&key.guild_id) else {
            continue;
        };
        let Some((before, level)) = row.passed_on(settings.curve) else {
            continue;
        };
        let passed = LevelChange {
            key: *key,
            level_up: LevelUp {
                level,
                before,
                xp: row.xp_after,
            },
            channel_id: delta.channel_id,
        };
        effects.extend(plan::effects_of(&passed, settings));
    }
    Ok(effects)
}

/// Apply the cooldown to undecided messages, given the last awards that the shards did not have cached.
fn resolve(
    entries: &[(usize, MemberKey, &Pending)],
    stored: &HashMap<MemberKey, Stored>,
    applied: &mut Applied,
) -> Vec<Addition> {
    let mut additions: Vec<Addition> = Vec::with_capacity(entries.len());
    for (index, key, pending) in entries {
        let stored = stored.get(key).copied().unwrap_or_default();
        let asked = pending.needs_stored_award();
        applied.reads += usize::from(asked);
        // A member appears in two shards' batches only while a guild moves between shards: then the entries add up.
        let earlier = additions.pop_if(|earlier| earlier.key == *key);
        let known = earlier.map_or_else(|| stored.last_award.flatten(), |earlier| earlier.delta.last_award);
        let mut delta = pending.resolve(known);
        if let Some(Addition { delta: earlier, .. }) = earlier {
            delta.earned_in(earlier.week, earlier.week_xp);
            delta.xp = saturating_sum(delta.xp, earlier.xp);
            delta.messages = saturating_sum(delta.messages, earlier.messages);
            delta.last_award = delta.last_award.max(earlier.last_award);
            delta.channel_id = delta.channel_id.or(earlier.channel_id);
        }
        if pending.is_open() {
            applied.learned.push((*index, *key, delta.last_award));
        }
        additions.push(Addition {
            key: *key,
            delta,
            // A cached award implies an existing row.
            is_new: asked && stored.last_award.is_none() && earlier.is_none_or(|earlier| earlier.is_new),
            is_ranked: stored.is_ranked,
        });
    }
    additions
}

impl Written {
    pub(super) fn of(advanced: &[Advanced], applied: Applied) -> Self {
        let mut outcomes: Vec<Option<Outcome>> = advanced.iter().copied().map(Outcome::of).collect();
        for (index, key, last_award) in applied.learned {
            if let Some(Some(Outcome::Committed { learned })) = outcomes.get_mut(index) {
                learned.push((key, last_award));
            }
        }
        Self {
            outcomes,
            rows: applied.rows,
            reads: applied.reads,
            messages: applied.messages,
            ranked: applied.ranked,
        }
    }

    /// Update metrics for committed data only: an attempt that is rolled back has written nothing.
    pub(super) fn count(self, store: &Store) -> Vec<Option<Outcome>> {
        for guild in self.ranked.chunk_by(|a, b| a == b) {
            store.wrote_ranked(guild[0], guild.len() as u64);
        }
        metrics::flush_messages_total().increment(self.messages);
        metrics::flush_rows_total().increment(self.rows as u64);
        metrics::flush_reads_total().increment(self.reads as u64);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
        metrics::flush_rows().record(self.rows as f64);
        let fenced = self
            .outcomes
            .iter()
            .filter(|o| matches!(o, Some(Outcome::Fenced)));
        metrics::flush_fenced_total().increment(fenced.count() as u64);
        self.outcomes
    }
}

impl Applied {
    /// Add the result of writing other changes.
    pub(super) fn and(&mut self, other: Self) {
        self.rows += other.rows;
        self.reads += other.reads;
        self.messages += other.messages;
        self.effects.extend(other.effects);
        self.learned.extend(other.learned);
        self.ranked.extend(other.ranked);
    }
}

impl Outcome {
    fn of(advanced: Advanced) -> Option<Self> {
        match advanced {
            Advanced::Now => Some(Self::Committed { learned: Vec::new() }),
            Advanced::Before => {
                metrics::flush_already_applied_total().increment(1);
                Some(Self::Committed { learned: Vec::new() })
            }
            Advanced::Fenced => Some(Self::Fenced),
            Advanced::Refused => None,
        }
    }
}
