//! Leases that their holder does not know about: the answer to a COMMIT may be lost.

use discord_simulator::{Rate, SimulatorConfig};
use eventide::{
    pipeline::fleet::{identity, registry},
    postgres::{Statement, Store},
};

use super::reshard::{connections, more, start_one, world};
use crate::support::{
    PATIENCE, Scene,
    bot::{discord, settle_exactly},
    session::{Session, every_session_is_stored},
    until,
};

/// How many shards each process has, the most first.
async fn spread(store: &Store) -> Vec<i64> {
    let statement = Statement::new(
        "spread",
        &[],
        "SELECT count(*) FROM shard_lease WHERE process_id IS NOT NULL GROUP BY process_id ORDER BY 1 DESC",
    );
    let rows = store.query(statement, &[]).await.expect("leases");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn spread_is(store: &Store, wanted: &[i64]) {
    until("the shards are spread", async || {
        (spread(store).await == wanted).then_some(())
    })
    .await;
}

/// A row may name a process that does not run the shard, if the answer to a COMMIT was lost or a shard has ended by itself. If another
/// process should have it by then, it is moved nevertheless.
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
    // The last of its owner's five shards is the one that it has to give away and does not run.
    let to_the_other = Statement::new(
        "to_the_other",
        &[],
        "UPDATE shard_lease AS l SET process_id = p.process_id FROM fleet_process AS p
              WHERE l.shard_id = 7 AND p.process_id <> l.process_id",
    );
    store.query(to_the_other, &[]).await.expect("moved");
    spread_is(&store, &[4, 4]).await;
    connections(&discord, 8).await;
    more(&discord, 500).await;
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
                registry::lock(tx).await?;
                registry::join(tx, &process).await?;
                registry::processes(tx).await
            })
        });
        let all = entered.await.expect("entered");
        assert_eq!(all.len(), 1, "{all:?}");
    }
    store.close();
    scene.stop().await;
}

/// A process that is cut off in the middle of a COPY holds its shards' locks: no timeout of PostgreSQL ends a COPY that waits for its client.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_does_not_go_on_holds_up_no_shard() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig { shards: 2, ..world() }).await;
    let store = scene.store();
    let bot = start_one(&discord, &scene).await;
    connections(&discord, 2).await;
    every_session_is_stored(&discord, &store).await;
    bot.drain(PATIENCE).await.expect("a clean end");

    let silent = Session::open(&scene.postgres.connection().into()).await;
    silent
        .execute(
            "INSERT INTO fleet_process (process_id, host, version, capacity, pid_space, pid, pid_started)
             VALUES ('silent', 'elsewhere', '0', 1, 'elsewhere', 1, 1);
             UPDATE shard_lease SET process_id = 'silent'",
        )
        .await;
    silent
        .execute("BEGIN; SELECT FROM shard_checkpoint FOR UPDATE")
        .await;
    let rows = silent
        .client
        .copy_in::<_, bytes::Bytes>(
            "-- member_xp_copy\nCOPY member_xp (guild_id, user_id) FROM STDIN (FORMAT binary)",
        )
        .await
        .expect("a COPY");
    let bot = start_one(&discord, &scene).await;
    connections(&discord, 2).await;
    spread_is(&store, &[2]).await;
    drop(rows);
    bot.drain(PATIENCE).await.expect("a clean end");
    store.close();
    scene.stop().await;
}
