//! One flush: one transaction with the checkpoints and every row of some batches.

use std::{collections::HashMap, sync::Arc};

use super::Outcome;
use crate::{
    effects::{
        Causes,
        cause::{self, Passed},
        effect::LevelUp,
    },
    ledger::{
        Changes,
        member_xp::{MemberDelta, MemberKey, Pending},
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
struct Written {
    outcomes: Vec<Outcome>,
    rows: usize,
    reads: usize,
    messages: u64,
    effects: Vec<New>,
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
    // Counted only now: a try that is rolled back has written nothing.
    metrics::flush_messages_total().increment(written.messages);
    metrics::flush_rows_total().increment(written.rows as u64);
    metrics::flush_reads_total().increment(written.reads as u64);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
    metrics::flush_rows().record(written.rows as f64);
    let fenced = written
        .outcomes
        .iter()
        .filter(|o| matches!(o, Outcome::Fenced))
        .count();
    metrics::flush_fenced_total().increment(fenced as u64);
    Ok(written.outcomes)
}

async fn write(tx: &Tx<'_>, causes: &Causes, work: &Work) -> Result<Written, StoreError> {
    // The checkpoints come first: their row locks make a second try wait until the server is done with the first.
    let asked: Vec<&Advance> = work.iter().map(|(advance, _)| advance).collect();
    let advanced = shard_checkpoint::advance(tx, &asked).await?;

    let mut entries: Vec<(usize, MemberKey, &Pending)> = Vec::new();
    let mut joined: Vec<MemberKey> = Vec::new();
    let mut left: Vec<MemberKey> = Vec::new();
    let (mut gone, mut there) = (Vec::new(), Vec::new());
    for (index, (advance, changes)) in work.iter().enumerate() {
        if advanced[index] == Advanced::Now {
            gap::record(tx, advance.shard, &changes.gaps).await?;
            backfill::record(tx, advance.shard, &changes.backfill).await?;
            joined.extend(&changes.joined);
            left.extend(&changes.left);
            for (guild_id, is_there) in &changes.guilds {
                if *is_there { &mut there } else { &mut gone }.push(*guild_id);
            }
            entries.extend(
                changes
                    .members
                    .iter()
                    .map(|(key, pending)| (index, *key, pending)),
            );
        }
    }
    // Sorted by key: two writers that upsert the same members in different orders would deadlock.
    entries.sort_unstable_by_key(|(index, key, _)| (*key, *index));

    let mut written = Written {
        outcomes: advanced.iter().copied().map(Outcome::of).collect(),
        rows: 0,
        reads: 0,
        messages: 0,
        effects: Vec::new(),
    };
    if !entries.is_empty() {
        let back = without_erased(tx, &mut entries).await?;
        let mut deltas = resolve(tx, &entries, &mut written).await?;
        for (key, delta) in &mut deltas {
            // The ledger remembers awards from before.
            if let Some(erased_at) = back.get(key) {
                delta.last_award = delta.last_award.filter(|award| award > erased_at);
            }
        }
        let rows = member_xp::add(tx, &deltas).await?;
        written.effects = effects(tx, causes, &rows, &deltas).await?;
        written.rows = deltas.len();
        written.messages = deltas.iter().map(|(_, delta)| delta.messages).sum();
    }
    if !joined.is_empty() || !left.is_empty() {
        move_members(tx, causes, joined, left, &mut written.effects).await?;
    }
    departures::guilds(tx, &gone, &there).await?;
    outbox::add(tx, &written.effects).await?;
    Ok(written)
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
    written: &mut Written,
) -> Result<Vec<(MemberKey, MemberDelta)>, StoreError> {
    let unknown = || {
        entries
            .iter()
            .filter(|(_, _, pending)| pending.needs_stored_award())
    };
    written.reads = unknown().count();
    let stored = if written.reads == 0 {
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
            delta.xp += earlier.xp;
            delta.messages += earlier.messages;
            delta.last_award = delta.last_award.max(earlier.last_award);
            delta.channel_id = delta.channel_id.or(earlier.channel_id);
        }
        if pending.is_open()
            && let Some(Outcome::Committed { learned }) = written.outcomes.get_mut(*index)
        {
            learned.push((*key, delta.last_award));
        }
        deltas.push((*key, delta));
    }
    Ok(deltas)
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
