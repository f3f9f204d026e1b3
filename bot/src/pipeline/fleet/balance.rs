//! The assignment of shards to processes: a pure function of the live processes and the current owners.
//!
//! Every process computes the same assignment, so no coordination is needed. Shards are distributed by capacity, with as few moves as
//! possible.

use std::collections::BTreeMap;

/// A live process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The process ID.
    pub id: String,
    /// Its weight relative to other processes; at least 1.
    pub capacity: u32,
    /// Whether it gives its shards away.
    pub draining: bool,
}

/// The current state of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The shard number.
    pub shard: u32,
    /// The process that holds it.
    pub holder: Option<String>,
    /// The process to which an operator assigned it, regardless of the balance.
    pub wanted_by: Option<String>,
}

/// The changes that one process must make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Shards to give away, in this order.
    pub give: Vec<u32>,
    /// Free shards to take.
    pub take: Vec<u32>,
    /// Shards that other processes are to give to it.
    pub awaited: usize,
}

/// The number of shards that each process should have: by capacity, where the remainder goes to processes that already have more.
pub fn quotas<'a>(members: &'a [Member], shards: &[Held]) -> BTreeMap<&'a str, usize> {
    let takers = || members.iter().filter(|member| !member.draining);
    let total: u64 = takers().map(|member| u64::from(member.capacity)).sum();
    if total == 0 {
        return BTreeMap::new();
    }
    let has = |id: &str| {
        shards
            .iter()
            .filter(|shard| shard.holder.as_deref() == Some(id))
            .count()
    };
    let count = shards.len() as u64;
    let mut split: Vec<(&str, u64, u64, bool)> = takers()
        .map(|member| {
            let share = count * u64::from(member.capacity);
            let whole = share / total;
            let has_more = has(&member.id) as u64 > whole;
            (member.id.as_str(), whole, share % total, has_more)
        })
        .collect();
    let given: u64 = split.iter().map(|(_, whole, ..)| whole).sum();
    // The largest remainder first; between equal ones the process that already has the extra shard, so that as few as possible move.
    split.sort_unstable_by(|a, b| (b.2, b.3, a.0).cmp(&(a.2, a.3, b.0)));
    let over = usize::try_from(count - given).unwrap_or(usize::MAX);
    split
        .into_iter()
        .enumerate()
        .map(|(at, (id, whole, ..))| {
            let whole = usize::try_from(whole).unwrap_or(usize::MAX);
            (id, whole + usize::from(at < over))
        })
        .collect()
}

/// The process that should have each shard, in the order of `shards`; `None` for all if no process can take them.
pub fn assignment<'a>(members: &'a [Member], shards: &[Held]) -> Vec<Option<&'a str>> {
    let mut left = quotas(members, shards);
    let known = |id: Option<&str>| {
        members
            .iter()
            .find(|member| !member.draining && Some(member.id.as_str()) == id)
            .map(|member| member.id.as_str())
    };
    let mut wanted: Vec<Option<&str>> = vec![None; shards.len()];
    // Assignments by an operator come first, above any quota.
    for (shard, wanted) in shards.iter().zip(&mut wanted) {
        if let Some(id) = known(shard.wanted_by.as_deref()) {
            *wanted = Some(id);
            left.entry(id).and_modify(|left| *left = left.saturating_sub(1));
        }
    }
    let mut give = |wanted: &mut Option<&'a str>, id: &'a str| {
        if wanted.is_none()
            && let Some(left) = left.get_mut(id).filter(|left| **left > 0)
        {
            *left -= 1;
            *wanted = Some(id);
        }
    };
    for (shard, wanted) in shards.iter().zip(&mut wanted) {
        if let Some(id) = known(shard.holder.as_deref()) {
            give(wanted, id);
        }
    }
    for wanted in &mut wanted {
        for member in members.iter().filter(|member| !member.draining) {
            give(wanted, &member.id);
        }
    }
    // Reached only if an operator's assignments have used up the quotas: the current owner keeps the shard, or the first process takes it.
    for (shard, wanted) in shards.iter().zip(&mut wanted) {
        let first = members.iter().find(|member| !member.draining);
        *wanted = wanted
            .or_else(|| known(shard.holder.as_deref()))
            .or_else(|| first.map(|member| member.id.as_str()));
    }
    wanted
}

/// The changes that the process `me` must make.
pub fn plan(me: &str, members: &[Member], shards: &[Held]) -> Plan {
    let wanted = assignment(members, shards);
    let mut plan = Plan::default();
    for (shard, wanted) in shards.iter().zip(wanted) {
        match shard.holder.as_deref() {
            // If no process can take it, keeping it is better, unless this process is draining.
            Some(holder) if holder == me && wanted.is_some_and(|id| id != me) => {
                plan.give.push(shard.shard);
            }
            None if wanted == Some(me) => plan.take.push(shard.shard),
            Some(holder) if holder != me && wanted == Some(me) => plan.awaited += 1,
            _ => {}
        }
    }
    plan
}

#[cfg(test)]
mod tests;
