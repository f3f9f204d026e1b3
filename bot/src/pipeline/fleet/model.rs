//! An exhaustive search of the protocol of leases: whatever the order of ticks, flushes, events, crashes, pauses and lost or late messages,
//! no two owners of a shard both commit, every event counts once, and when there are no more faults, each shard gets an owner and
//! everything is counted.
//!
//! [`world`] is the protocol as implemented in `fleet.rs`, `tick.rs`, `lease.rs`, the shard's task and `pipeline/rows/shard_checkpoint.rs`,
//! with the real [`balance`](super::balance). Changes there have to be made here, too. It has no clock: a tick may declare any process
//! dead, which is more than any clock could do. The purpose of the clocks is in [`clocks`]; [`reshard`] searches the change of the number of
//! shards.
//!
//! The last property is the reason for a search of our own. stateright, which is maintained, does not detect runs that go in circles
//! without reaching the goal, and includes a web server.

mod clocks;
mod reshard;
mod search;
mod world;

use std::hash::{Hash, Hasher};

use proptest::prelude::*;

use self::{
    search::{Found, State},
    world::{Action, Bounds, Without, World, Wrong},
};

const BOUNDS: Bounds = Bounds {
    events: 2,
    faults: 2,
    without: Without::Nothing,
};

/// A world within its bounds.
#[derive(Clone, Debug)]
struct Bounded<const P: usize, const S: usize> {
    world: World<P, S>,
    bounds: Bounds,
}

impl<const P: usize, const S: usize> Hash for Bounded<P, S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.world.hash(state);
    }
}

impl<const P: usize, const S: usize> State for Bounded<P, S> {
    type Action = Action;
    type Wrong = Wrong;

    fn actions(&self) -> Vec<Action> {
        self.world.actions(self.bounds)
    }

    fn after(&self, action: Action) -> Self {
        Self {
            world: self.world.after(action, self.bounds),
            bounds: self.bounds,
        }
    }

    fn wrong(&self) -> Option<Wrong> {
        self.world.wrong
    }

    fn is_settled(&self) -> bool {
        self.world.is_settled(self.bounds)
    }

    fn is_calm(&self, action: Action) -> bool {
        self.world.is_calm(action)
    }
}

fn search<const P: usize, const S: usize>(bounds: Bounds) -> Found<Action, Wrong> {
    search::search(Bounded {
        world: World::<P, S>::new(bounds),
        bounds,
    })
}

#[test]
fn no_two_owners_commit_and_nothing_is_lost() {
    let found = search::<2, 1>(BOUNDS);
    assert!(
        matches!(found, Found::Right { states } if states > 500_000),
        "{found}"
    );
}

#[test]
fn neither_with_three_processes_nor_with_two_shards() {
    let one = Bounds { faults: 1, ..BOUNDS };
    let without_events = Bounds { events: 0, ..one };
    for found in [search::<3, 1>(one), search::<2, 2>(without_events)] {
        assert!(
            matches!(found, Found::Right { states } if states > 20_000),
            "{found}"
        );
    }
}

/// The search finds an error if a part of the protocol is omitted.
#[test]
fn every_part_of_the_protocol_is_needed() {
    for (without, wrong) in [
        (Without::Fence, Wrong::TwoOwners),
        (Without::NewFence, Wrong::TwoOwners),
        (Without::Revision, Wrong::Twice),
        (Without::Confirmation, Wrong::StolenAgain),
    ] {
        let found = search::<2, 1>(Bounds { without, ..BOUNDS });
        assert!(
            matches!(found, Found::Wrong { wrong: found, .. } if found == wrong),
            "{without:?}: {found}"
        );
    }
    for without in [Without::EnteringAgain, Without::TakingUp, Without::Giving] {
        let found = search::<2, 1>(Bounds {
            events: 1,
            without,
            ..BOUNDS
        });
        assert!(matches!(found, Found::Stuck { .. }), "{without:?}: {found}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Larger bounds than can be searched.
    #[test]
    fn long_runs(choices in prop::collection::vec(any::<u16>(), 100..800)) {
        let bounds = Bounds {
            events: 6,
            faults: 30,
            ..BOUNDS
        };
        let mut world = World::<4, 3>::new(bounds);
        for choice in &choices {
            // One choice in sixteen may be a fault, so that faults are spread over the run.
            world = stepped(&world, bounds, *choice, choice % 16 == 0);
            prop_assert_eq!(world.wrong, None);
        }
        let mut steps = 0_u16;
        for choice in choices.iter().cycle() {
            if world.is_settled(bounds) {
                break;
            }
            prop_assert!(steps < 60_000, "it never settles: {:#?}", world);
            steps += 1;
            // A different one each time around.
            world = stepped(&world, bounds, choice.wrapping_mul(31).wrapping_add(steps), false);
            prop_assert_eq!(world.wrong, None);
        }
    }
}

/// A possible action, with or without faults.
fn stepped<const P: usize, const S: usize>(
    world: &World<P, S>,
    bounds: Bounds,
    choice: u16,
    faults: bool,
) -> World<P, S> {
    let mut actions = world.actions(bounds);
    actions.retain(|action| faults || world.is_calm(*action));
    let chosen = usize::from(choice) % actions.len();
    world.after(actions[chosen], bounds)
}
