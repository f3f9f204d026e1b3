//! Compares the ledger and the checkpoint with a sequential model: whatever happens in any order, the tables contain what a bot would have
//! counted that processes one event after the other, up to each shard's checkpoint; and in the end everything.
//!
//! Ledger, entries and outcomes are the real ones. There are two databases: PostgreSQL with the real statements, for a few cases, and the
//! same rule in a few lines, for many.

mod databases;
mod owners;

use futures_util::FutureExt as _;
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};

use self::{
    databases::{Database, InMemory, OnPostgres},
    owners::{Said, World},
};
use crate::support::Scene;

/// Shards, each with its own guilds.
const SHARDS: u32 = 3;
/// Members of each shard: few, so that each has many messages.
const MEMBERS: u64 = 4;

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    /// A member writes, and the shard's owner receives the message.
    Message { shard: u32, said: Said },
    /// The owners of some shards hand over their changes, in one transaction.
    Flush { shards: Vec<u32>, fate: Fate },
    /// The process is killed and restarted: uncommitted events are replayed.
    Restart,
    /// Another process takes a shard. The one before does not know.
    Move { shard: u32 },
    /// The previous owner tries to write its changes.
    Late { shard: u32, fate: Fate },
}

/// The fate of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Committed,
    /// The connection broke before the server had the COMMIT.
    RolledBack,
    /// The connection broke afterwards: the transaction is committed, and the answer is lost.
    Unanswered,
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let fate = || {
        prop_oneof![
            3 => Just(Fate::Committed),
            1 => Just(Fate::RolledBack),
            1 => Just(Fate::Unanswered),
        ]
    };
    let said = (
        0..MEMBERS,
        // Mostly later than the last message; sometimes of the same millisecond, or late.
        prop_oneof![6 => 1..80_i64, 1 => Just(0_i64), 1 => -50..0_i64],
        1..30_u32,
        prop_oneof![1 => Just(0_i64), 4 => Just(60_i64)],
    )
        .prop_map(|(member, after, xp, cooldown)| Said {
            member,
            after,
            xp,
            cooldown,
        });
    let some = prop::sample::subsequence((0..SHARDS).collect::<Vec<_>>(), 1..=SHARDS as usize);
    let step = prop_oneof![
        10 => (0..SHARDS, said).prop_map(|(shard, said)| Step::Message { shard, said }),
        6 => (some, fate()).prop_map(|(shards, fate)| Step::Flush { shards, fate }),
        1 => Just(Step::Restart),
        1 => (0..SHARDS).prop_map(|shard| Step::Move { shard }),
        1 => (0..SHARDS, fate()).prop_map(|(shard, fate)| Step::Late { shard, fate }),
    ];
    prop::collection::vec(step, 0..most)
}

/// Play all steps, and check after each.
async fn played(database: &mut impl Database, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::new(database).await;
    for step in steps {
        world.play(database, step).await;
        world.assert_as_the_model_says(database).await?;
    }
    world.finish(database).await;
    world.assert_as_the_model_says(database).await?;
    world.assert_complete(database).await
}

proptest! {
    #![proptest_config(Config { cases: 2_000, ..Config::default() })]

    #[test]
    fn any_order_of_events_flushes_failures_restarts_and_moves(steps in steps(120)) {
        played(&mut InMemory::default(), &steps).now_or_never().expect("nothing waits")?;
    }
}

#[test]
fn the_same_on_postgresql() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let scene = runtime.block_on(Scene::new());
    let mut runner = TestRunner::new(Config {
        cases: 40,
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    });
    let result = runner.run(&steps(40), |steps| {
        runtime.block_on(async {
            let mut database = OnPostgres::new(&scene).await;
            let played = played(&mut database, &steps).await;
            database.close().await;
            played
        })
    });
    runtime.block_on(scene.stop());
    assert!(result.is_ok(), "{}", result.expect_err("a failure"));
}
