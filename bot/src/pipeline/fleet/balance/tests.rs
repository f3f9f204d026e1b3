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

/// Let all processes follow their plans until no change is left. Returns the number of moves.
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
        // Holders that are not members are dead, so their shards are free.
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
        // Which of several equal processes has an extra shard is open until the end.
        let sorted = |counts: &BTreeMap<String, usize>| {
            let mut counts: Vec<usize> = counts.values().copied().filter(|count| *count > 0).collect();
            counts.sort_unstable();
            counts
        };
        prop_assert_eq!(sorted(&after), sorted(&quotas));
        // Stable: no process has a change to make, and all agree on the owners.
        for member in &members {
            prop_assert_eq!(plan(&member.id, &members, &shards), super::Plan::default());
        }
        for (shard, wanted) in shards.iter().zip(assignment(&members, &shards)) {
            prop_assert_eq!(shard.holder.as_deref(), wanted);
        }
    }
}
