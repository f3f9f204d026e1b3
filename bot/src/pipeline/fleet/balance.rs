//! Which shard should be whose: a pure function of who is there and who has what.
//!
//! Every process computes the same for all, so nobody has to be told. Shards are spread by capacity; those that may stay stay.

use std::collections::BTreeMap;

/// A process that lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: String,
    /// Its share, relative to the others'; at least 1.
    pub capacity: u32,
    /// Whether it gives away what it has.
    pub draining: bool,
}

/// A shard, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its number.
    pub shard: u32,
    /// Who has it.
    pub holder: Option<String>,
    /// Who shall have it, whatever the balance says.
    pub wanted_by: Option<String>,
}

/// What one process has to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Shards to give away, in this order.
    pub give: Vec<u32>,
    /// Free shards to take.
    pub take: Vec<u32>,
    /// Shards that others are to give to it.
    pub awaited: usize,
}

/// How many shards each process should have: by capacity, what does not divide going to those who have more already.
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
    // The largest remainder first; between equal ones whoever has the one more already, so that as few as possible move.
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

/// Who should have each shard, in the order of `shards`; `None` for all when there is nobody to take them.
pub fn assignment<'a>(members: &'a [Member], shards: &[Held]) -> Vec<Option<&'a str>> {
    let mut left = quotas(members, shards);
    let known = |id: Option<&str>| {
        members
            .iter()
            .find(|member| !member.draining && Some(member.id.as_str()) == id)
            .map(|member| member.id.as_str())
    };
    let mut wanted: Vec<Option<&str>> = vec![None; shards.len()];
    // What an operator wants comes first, above any quota.
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
    // Only where an operator's wishes have used up the quotas: whoever has it keeps it, or the first one takes it.
    for (shard, wanted) in shards.iter().zip(&mut wanted) {
        let first = members.iter().find(|member| !member.draining);
        *wanted = wanted
            .or_else(|| known(shard.holder.as_deref()))
            .or_else(|| first.map(|member| member.id.as_str()));
    }
    wanted
}

/// What the process `me` has to do.
pub fn plan(me: &str, members: &[Member], shards: &[Held]) -> Plan {
    let wanted = assignment(members, shards);
    let mut plan = Plan::default();
    for (shard, wanted) in shards.iter().zip(wanted) {
        match shard.holder.as_deref() {
            // With nobody to take it, it is better here than nowhere, unless the process wants to go.
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
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Held, Member, assignment, plan, quotas};

    fn member(id: usize, capacity: u32) -> Member {
        Member {
            id: format!("p{id}"),
            capacity,
            draining: false,
        }
    }

    fn members(capacities: &[u32]) -> Vec<Member> {
        capacities
            .iter()
            .enumerate()
            .map(|(id, capacity)| member(id, *capacity))
            .collect()
    }

    fn held(holders: &[Option<usize>]) -> Vec<Held> {
        (0..)
            .zip(holders)
            .map(|(shard, holder)| Held {
                shard,
                holder: holder.map(|id| format!("p{id}")),
                wanted_by: None,
            })
            .collect()
    }

    fn counts(shards: &[Held]) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for holder in shards.iter().filter_map(|shard| shard.holder.clone()) {
            *counts.entry(holder).or_default() += 1;
        }
        counts
    }

    /// Everybody does what their plan says until nobody has anything to do. Returns how often a shard changed hands.
    fn settle(members: &[Member], shards: &mut [Held]) -> usize {
        let mut moved = 0;
        for _ in 0..100 {
            let mut busy = false;
            for member in members {
                let plan = plan(&member.id, members, shards);
                for shard in &mut *shards {
                    if plan.give.contains(&shard.shard) {
                        shard.holder = None;
                        moved += 1;
                        busy = true;
                    } else if plan.take.contains(&shard.shard) {
                        shard.holder = Some(member.id.clone());
                        busy = true;
                    }
                }
            }
            if !busy {
                return moved;
            }
        }
        unreachable!("it never settles")
    }

    #[test]
    fn one_four_two_one() {
        let mut shards = held(&[None; 16]);
        assert_eq!(settle(&members(&[1]), &mut shards), 0);
        assert_eq!(settle(&members(&[1; 4]), &mut shards), 12);
        assert_eq!(counts(&shards).into_values().collect::<Vec<_>>(), [4; 4]);
        let mut two = members(&[1; 4]);
        two[1].draining = true;
        two[3].draining = true;
        assert_eq!(settle(&two, &mut shards), 8, "what stays stays");
        assert_eq!(counts(&shards).into_values().collect::<Vec<_>>(), [8, 8]);
    }

    #[test]
    fn an_operators_wish_is_above_the_balance_while_the_process_lives() {
        let two = members(&[1, 1]);
        let mut shards = held(&[None; 4]);
        settle(&two, &mut shards);
        for shard in &mut shards {
            shard.wanted_by = Some("p1".to_owned());
        }
        settle(&two, &mut shards);
        assert_eq!(counts(&shards), BTreeMap::from([("p1".to_owned(), 4)]));
        let one = members(&[1]);
        for shard in &mut shards {
            shard.holder = None;
        }
        settle(&one, &mut shards);
        assert_eq!(counts(&shards), BTreeMap::from([("p0".to_owned(), 4)]));
    }

    #[test]
    fn the_last_one_that_drains_keeps_its_shards_until_it_goes() {
        let mut one = members(&[1]);
        one[0].draining = true;
        let shards = held(&[Some(0), Some(0)]);
        assert_eq!(plan("p0", &one, &shards).give, [0_u32; 0]);
    }

    proptest! {
        #[test]
        fn it_settles_evenly_with_as_few_moves_as_possible(
            capacities in proptest::collection::vec(1..5_u32, 1..7),
            holders in proptest::collection::vec(proptest::option::of(0..9_usize), 0..70),
            draining in proptest::collection::vec(any::<bool>(), 7),
        ) {
            let mut members = members(&capacities);
            for (member, draining) in members.iter_mut().zip(&draining).skip(1) {
                member.draining = *draining;
            }
            // Holders who are not there are dead: their shards are free.
            let holders: Vec<_> = holders.into_iter().map(|id| id.filter(|id| *id < capacities.len())).collect();
            let mut shards = held(&holders);
            let quotas: BTreeMap<String, usize> = quotas(&members, &shards).into_iter().map(|(id, quota)| (id.to_owned(), quota)).collect();
            prop_assert_eq!(quotas.values().sum::<usize>(), shards.len());
            let before = counts(&shards);
            let surplus: usize = before
                .iter()
                .map(|(id, count)| count.saturating_sub(quotas.get(id).copied().unwrap_or(0)))
                .sum();
            let moved = settle(&members, &mut shards);
            prop_assert_eq!(moved, surplus);
            let mut after = counts(&shards);
            after.retain(|_, count| *count > 0);
            // Between equal ones it is open who has the one more, until it is settled.
            let sorted = |counts: &BTreeMap<String, usize>| {
                let mut counts: Vec<usize> = counts.values().copied().filter(|count| *count > 0).collect();
                counts.sort_unstable();
                counts
            };
            prop_assert_eq!(sorted(&after), sorted(&quotas));
            // Stable: nobody has anything to do, and everybody agrees who has what.
            for member in &members {
                prop_assert_eq!(plan(&member.id, &members, &shards), super::Plan::default());
            }
            for (shard, wanted) in shards.iter().zip(assignment(&members, &shards)) {
                prop_assert_eq!(shard.holder.as_deref(), wanted);
            }
        }
    }
}
