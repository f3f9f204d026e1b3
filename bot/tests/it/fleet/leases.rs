//! Leases whose holder does not know of them: the answer to a COMMIT may get lost.

use discord_simulator::{Rate, SimulatorConfig};
use eventide::{
    fleet::identity,
    store::{Statement, Store, fleet},
};

use super::reshard::{connections, more, start_one, world};
use crate::support::{
    PATIENCE, Scene,
    bot::{discord, settle_exactly},
    until,
};

/// How many shards each process has, the most first.
async fn spread(store: &Store) -> Vec<i64> {
    let statement = Statement {
        name: "spread",
        types: &[],
        sql: "SELECT count(*) FROM shard_lease WHERE process_id IS NOT NULL GROUP BY process_id ORDER BY 1 DESC",
    };
    let rows = store.query(statement, &[]).await.expect("leases");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn spread_is(store: &Store, wanted: &[i64]) {
    until("the shards are spread", async || {
        (spread(store).await == wanted).then_some(())
    })
    .await;
}

/// A row may name a process that does not run the shard, when the answer to a COMMIT got lost, or a shard has ended by itself. If another
/// one should have it by then, it goes there all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_that_its_owner_does_not_run_goes_on() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig { shards: 8, ..world() }).await;
    let store = scene.store();
    let control = discord.control();
    let bots = [
        start_one(&discord, &scene).await,
        start_one(&discord, &scene).await,
    ];
    spread_is(&store, &[4, 4]).await;
    connections(&discord, 8).await;
    control.set_rate(Rate::PerSecond(1_000.0));
    more(&discord, 500).await;
    // The last one of its owner's five is the one that it has to give away, and does not run.
    let to_the_other = Statement {
        name: "to_the_other",
        types: &[],
        sql: "UPDATE shard_lease AS l SET process_id = p.process_id FROM fleet_process AS p
              WHERE l.shard_id = 7 AND p.process_id <> l.process_id",
    };
    store.query(to_the_other, &[]).await.expect("moved");
    spread_is(&store, &[4, 4]).await;
    connections(&discord, 8).await;
    more(&discord, 500).await;
    control.set_rate(Rate::Paused);
    settle_exactly(&discord, &store).await;
    for bot in bots {
        bot.drain(PATIENCE).await.expect("a clean end");
    }
    store.close();
    scene.stop().await;
}

/// The answer to the COMMIT of a process that enters may get lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entering_twice_is_entering_once() {
    let scene = Scene::new().await;
    let store = scene.store();
    let process = identity::this_process(1);
    for _ in 0..2 {
        let process = process.clone();
        let entered = store.transaction("enter", move |tx| {
            Box::pin(async move {
                fleet::lock(tx).await?;
                fleet::join(tx, &process).await?;
                fleet::processes(tx).await
            })
        });
        let all = entered.await.expect("entered");
        assert_eq!(all.len(), 1, "{all:?}");
    }
    store.close();
    scene.stop().await;
}
