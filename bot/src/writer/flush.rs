//! One flush: one transaction with the checkpoints and every row of some batches.

use std::{collections::HashMap, sync::Arc};

use super::{Outcome, parts::Parts};
use crate::{
    effects::{
        Causes,
        cause::{self, Passed},
        effect::LevelUp,
    },
    ledger::{
        Changes,
        member_xp::{LastAward, MemberDelta, MemberKey, Pending, saturating_sum},
    },
    metrics,
    rules::award::Millis,
    settings::Departed,
    store::{
        Store, StoreError, Tx, backfill, departures, gap, member_xp,
        outbox::{self, New},
        privacy,
        shard_checkpoint::{self, Advance, Advanced},
    },
};

/// Batches without their replies, so that they can be tried more than once.
pub type Work = Vec<(Advance, Changes)>;

/// What a committed flush did.
pub(super) struct Written {
    outcomes: Vec<Outcome>,
    rows: usize,
    reads: usize,
    messages: u64,
}

/// What writing some changes did.
#[derive(Debug, Default)]
pub(super) struct Applied {
    rows: usize,
    reads: usize,
    messages: u64,
    pub(super) effects: Vec<New>,
    /// Last awards that were read or written for members who were not remembered, with the number of the batch.
    learned: Vec<(usize, MemberKey, LastAward)>,
}

/// Try once. The outcomes are in the order of `work`.
///
/// # Errors
///
/// The transaction failed, or nobody knows whether it did: trying it again is always right, and necessary.
pub async fn flush(store: &Store, causes: &Causes, work: Arc<Work>) -> Result<Vec<Outcome>, StoreError> {
    let own = causes.clone();
    let written = store
        .transaction("flush", move |tx| {
            Box::pin(async move { write(tx, &own, &work).await })
        })
        .await?;
    Ok(written.count())
}

async fn write(tx: &Tx<'_>, causes: &Causes, work: &Work) -> Result<Written, StoreError> {
    // The checkpoints come first: their row locks make a second try wait until the server is done with the first.
    let asked: Vec<&Advance> = work.iter().map(|(advance, _)| advance).collect();
    let advanced = shard_checkpoint::advance(tx, &asked).await?;
    for ((advance, changes), advanced) in work.iter().zip(&advanced) {
        if *advanced == Advanced::Now {
            gap::record(tx, advance.shard, &changes.gaps).await?;
            backfill::record(tx, advance.shard, &changes.backfill).await?;
        }
    }
    let applied = apply(tx, causes, Parts::of(work, &advanced)).await?;
    outbox::add(tx, &applied.effects).await?;
    Ok(Written::of(&advanced, applied))
}

/// Write these changes. Their effects are for the caller to add, last of all: lanes are locked after members.
pub(super) async fn apply(tx: &Tx<'_>, causes: &Causes, mut parts: Parts<'_>) -> Result<Applied, StoreError> {
    let mut applied = Applied::default();
    if !parts.entries.is_empty() {
        let back = without_erased(tx, &mut parts.entries).await?;
        let mut deltas = resolve(tx, &parts.entries, &mut applied).await?;
        for (key, delta) in &mut deltas {
            // The ledger remembers awards from before.
            if let Some(erased_at) = back.get(key) {
                delta.last_award = delta.last_award.filter(|award| award > erased_at);
            }
        }
        let rows = member_xp::add(tx, &deltas).await?;
        applied.effects = effects(tx, causes, &rows, &deltas).await?;
        applied.rows = deltas.len();
        applied.messages = deltas.iter().map(|(_, delta)| delta.messages).sum();
    }
    if !parts.joined.is_empty() || !parts.left.is_empty() {
        move_members(tx, causes, parts.joined, parts.left, &mut applied.effects).await?;
    }
    let (mut gone, mut there) = (Vec::new(), Vec::new());
    for (guild_id, is_there) in parts.guilds {
        if is_there { &mut there } else { &mut gone }.push(guild_id);
    }
    departures::guilds(tx, &gone, &there).await?;
    Ok(applied)
}

/// What follows from members' coming and going.
async fn move_members(
    tx: &Tx<'_>,
    causes: &Causes,
    mut joined: Vec<MemberKey>,
    mut left: Vec<MemberKey>,
    effects: &mut Vec<New>,
) -> Result<(), StoreError> {
    for keys in [&mut joined, &mut left] {
        keys.sort_unstable();
        keys.dedup();
    }
    let guilds = joined.iter().chain(&left).map(|key| key.guild_id);
    let settings = causes.settings.within(tx, guilds).await?;
    let welcomes = joined
        .iter()
        .filter_map(|key| cause::welcome_of(*key, settings.get(&key.guild_id)?));
    effects.extend(welcomes);
    departures::show(tx, &joined).await?;
    let whose = |departed: Departed| -> Vec<MemberKey> {
        let keys = left.iter().copied();
        keys.filter(|key| {
            settings
                .get(&key.guild_id)
                .is_some_and(|settings| settings.departed == departed)
        })
        .collect()
    };
    departures::hide(tx, &whose(Departed::Hide)).await?;
    departures::reset(tx, &whose(Departed::Reset)).await
}

/// Take out what was sent before its member had everything erased. Returns those who have written since, with when they had.
///
/// Entries are not divided: what a member sent just after is taken out too if it is in one with what they sent before.
async fn without_erased(
    tx: &Tx<'_>,
    entries: &mut Vec<(usize, MemberKey, &Pending)>,
) -> Result<HashMap<MemberKey, Millis>, StoreError> {
    let mut erased = privacy::erased_at(tx, entries.iter().map(|(_, key, _)| *key)).await?;
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
                .is_some_and(|at| privacy::is_over(*at, pending.oldest()))
        })
        .map(|(_, key, _)| *key)
        .collect();
    privacy::forget(tx, &over).await?;
    erased.retain(|key, _| entries.iter().any(|(_, other, _)| other == key));
    Ok(erased)
}

/// What follows from the levels that were passed.
async fn effects(
    tx: &Tx<'_>,
    causes: &Causes,
    rows: &[member_xp::Written],
    deltas: &[(MemberKey, MemberDelta)],
) -> Result<Vec<New>, StoreError> {
    let earned = || {
        let rows = rows.iter().zip(deltas);
        rows.filter(|(row, _)| row.xp_before != row.xp_after)
    };
    // Sorted by guild, so each is asked about once.
    let mut guilds: Vec<_> = earned().map(|(row, _)| row.key.guild_id).collect();
    guilds.dedup();
    let settings = causes.settings.within(tx, guilds.into_iter()).await?;
    let mut effects = Vec::new();
    for (row, (key, delta)) in earned() {
        let Some(settings) = settings.get(&key.guild_id) else {
            continue;
        };
        let Some((before, level)) = row.passed_on(settings.curve) else {
            continue;
        };
        let passed = Passed {
            key: *key,
            level_up: LevelUp {
                level,
                before,
                xp: row.xp_after,
            },
            channel_id: delta.channel_id,
        };
        effects.extend(cause::effects_of(&passed, settings));
    }
    Ok(effects)
}

/// Read the last awards that the shards do not remember, and apply the cooldown to what was left undecided.
async fn resolve(
    tx: &Tx<'_>,
    entries: &[(usize, MemberKey, &Pending)],
    applied: &mut Applied,
) -> Result<Vec<(MemberKey, MemberDelta)>, StoreError> {
    let unknown = || {
        entries
            .iter()
            .filter(|(_, _, pending)| pending.needs_stored_award())
    };
    applied.reads = unknown().count();
    let stored = if applied.reads == 0 {
        HashMap::new()
    } else {
        member_xp::last_awards(tx, unknown().map(|(_, key, _)| *key)).await?
    };
    let mut deltas: Vec<(MemberKey, MemberDelta)> = Vec::with_capacity(entries.len());
    for (index, key, pending) in entries {
        // A member stands in two shards' batches only while a guild moves between shards: then the entries add up.
        let earlier = deltas
            .pop_if(|(earlier, _)| earlier == key)
            .map(|(_, delta)| delta);
        let known = earlier.map_or_else(|| stored.get(key).copied().flatten(), |delta| delta.last_award);
        let mut delta = pending.resolve(known);
        if let Some(earlier) = earlier {
            delta.earned_in(earlier.week, earlier.week_xp);
            delta.xp = saturating_sum(delta.xp, earlier.xp);
            delta.messages = saturating_sum(delta.messages, earlier.messages);
            delta.last_award = delta.last_award.max(earlier.last_award);
            delta.channel_id = delta.channel_id.or(earlier.channel_id);
        }
        if pending.is_open() {
            applied.learned.push((*index, *key, delta.last_award));
        }
        deltas.push((*key, delta));
    }
    Ok(deltas)
}

impl Written {
    pub(super) fn of(advanced: &[Advanced], applied: Applied) -> Self {
        let mut outcomes: Vec<Outcome> = advanced.iter().copied().map(Outcome::of).collect();
        for (index, key, last_award) in applied.learned {
            if let Some(Outcome::Committed { learned }) = outcomes.get_mut(index) {
                learned.push((key, last_award));
            }
        }
        Self {
            outcomes,
            rows: applied.rows,
            reads: applied.reads,
            messages: applied.messages,
        }
    }

    /// Count what is committed: a try that is rolled back has written nothing.
    pub(super) fn count(self) -> Vec<Outcome> {
        metrics::flush_messages_total().increment(self.messages);
        metrics::flush_rows_total().increment(self.rows as u64);
        metrics::flush_reads_total().increment(self.reads as u64);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
        metrics::flush_rows().record(self.rows as f64);
        let fenced = self.outcomes.iter().filter(|o| matches!(o, Outcome::Fenced));
        metrics::flush_fenced_total().increment(fenced.count() as u64);
        self.outcomes
    }
}

impl Applied {
    /// Add what writing other changes did.
    pub(super) fn and(&mut self, other: Self) {
        self.rows += other.rows;
        self.reads += other.reads;
        self.messages += other.messages;
        self.effects.extend(other.effects);
        self.learned.extend(other.learned);
    }
}

impl Outcome {
    fn of(advanced: Advanced) -> Self {
        match advanced {
            Advanced::Now => Self::Committed { learned: Vec::new() },
            Advanced::Before => {
                metrics::flush_already_applied_total().increment(1);
                Self::Committed { learned: Vec::new() }
            }
            Advanced::Fenced => Self::Fenced,
        }
    }
}
