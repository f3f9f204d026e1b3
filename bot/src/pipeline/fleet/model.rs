//! The protocol of the leases, searched: in whatever order looks, flushes, events, crashes, pauses and lost or late messages come, no two
//! owners of a shard both commit, every event counts once, and when the faults stop, somebody runs each shard and everything is counted.
//!
//! [`world`] is the protocol as `fleet.rs`, `tick.rs`, `tenure.rs`, the shard's task and `pipeline/rows/shard_checkpoint.rs` have it, with the real
//! [`balance`](super::balance). What is changed there is changed here, too. It has no clock: whoever looks may take anybody for dead,
//! which is more than any clock could do. What the clocks are for is in [`clocks`].
//!
//! The search is our own because of the last promise. stateright, the one that is kept, does not see a run that goes in circles and
//! never gets there, and brings a web server.

mod clocks;
mod search;
mod world;

use proptest::prelude::*;

use self::{
    search::{Found, search},
    world::{Bounds, Without, World, Wrong},
};

const BOUNDS: Bounds = Bounds {
    events: 2,
    faults: 2,
    without: Without::Nothing,
};

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

/// What the search finds where a part of the protocol is left out.
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

    /// More of everything than can be searched.
    #[test]
    fn long_runs(choices in prop::collection::vec(any::<u16>(), 100..800)) {
        let bounds = Bounds {
            events: 6,
            faults: 30,
            ..BOUNDS
        };
        let mut world = World::<4, 3>::new(bounds);
        for choice in &choices {
            // One in sixteen may be a fault, so that they are spread over the run.
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
            // Another one each time around.
            world = stepped(&world, bounds, choice.wrapping_mul(31).wrapping_add(steps), false);
            prop_assert_eq!(world.wrong, None);
        }
    }
}

/// Something that can happen, with or without faults.
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
