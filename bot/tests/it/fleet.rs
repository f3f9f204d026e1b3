//! Several processes share the shards: nothing is lost, nothing counts twice, and no session begins anew.

mod reshard;

use std::{collections::BTreeSet, time::Duration};

use discord_simulator::{LevelRules, Rate, Simulator, SimulatorConfig};
use eventide::{
    bot::Bot,
    store::{Statement, Store},
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;

use crate::support::{
    PATIENCE, Scene,
    bot::{command_on, config_for, discord, settle_exactly, start},
    until,
};

const SHARDS: u32 = 8;

fn world() -> SimulatorConfig {
    SimulatorConfig {
        shards: SHARDS,
        guilds: 60,
        members: 3_000,
        levels: LevelRules {
            cooldown_ms: 60_000,
            ..LevelRules::default()
        },
        ..SimulatorConfig::default()
    }
}

/// The real binary, as one process of several.
fn spawn(discord: &Simulator, scene: &Scene) -> Child {
    command_on(discord, &scene.postgres.connection())
        .env("EVENTIDE__FLEET__LEASE_SECONDS", "3")
        .spawn()
        .expect("the binary starts")
}

async fn start_one(discord: &Simulator, scene: &Scene) -> Bot {
    let mut config = config_for(discord);
    config.fleet.lease = Duration::from_secs(3);
    start(&config, scene.postgres.connection()).await
}

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

/// Every shard has a connection, and events come.
async fn all_up(discord: &Simulator) {
    let control = discord.control();
    until("every shard has a session, and a connection", async || {
        let stats = control.stats();
        let sessions = stats.sessions_started() >= SHARDS as usize;
        (sessions && stats.connections_open == u64::from(SHARDS)).then_some(())
    })
    .await;
}

async fn more(discord: &Simulator, messages: u64) {
    let before = discord.oracle().sent();
    until("more is sent", async || {
        (discord.oracle().sent() > before + messages).then_some(())
    })
    .await;
}

fn signal(bot: &Child, signal: Signal) {
    let pid = i32::try_from(bot.id().expect("it runs")).expect("a pid");
    kill(Pid::from_raw(pid), signal).expect("a signal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_three_two_one() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let store = scene.store();
    let control = discord.control();
    let first = start_one(&discord, &scene).await;
    all_up(&discord).await;
    control.set_rate(Rate::PerSecond(1_000.0));
    more(&discord, 500).await;
    let second = start_one(&discord, &scene).await;
    let third = start_one(&discord, &scene).await;
    spread_is(&store, &[3, 3, 2]).await;
    all_up(&discord).await;
    more(&discord, 500).await;
    let held =
        |bot: &Bot| -> BTreeSet<u32> { bot.shards.list().iter().map(|shard| shard.key().id).collect() };
    let together: BTreeSet<u32> = [&first, &second, &third].into_iter().flat_map(held).collect();
    assert_eq!(together.len(), SHARDS as usize, "each shard runs once");
    first.drain(PATIENCE).await.expect("a clean end");
    spread_is(&store, &[4, 4]).await;
    all_up(&discord).await;
    more(&discord, 500).await;
    second.drain(PATIENCE).await.expect("a clean end");
    spread_is(&store, &[8]).await;
    all_up(&discord).await;
    more(&discord, 500).await;
    control.set_rate(Rate::Paused);
    settle_exactly(&discord, &store).await;
    assert_eq!(
        control.stats().sessions_started(),
        SHARDS as usize,
        "no session began anew"
    );
    third.drain(PATIENCE).await.expect("a clean end");
    assert_eq!(spread(&store).await, [0_i64; 0]);
    store.close();
    scene.stop().await;
}

/// A process that is killed is missed after the lease, or at once by one that starts on the same machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_processes_are_replaced() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let store = scene.store();
    let control = discord.control();
    let mut processes = vec![spawn(&discord, &scene), spawn(&discord, &scene)];
    spread_is(&store, &[4, 4]).await;
    all_up(&discord).await;
    control.set_rate(Rate::PerSecond(1_000.0));
    for _ in 0..3 {
        more(&discord, 500).await;
        let mut victim = processes.remove(0);
        victim.kill().await.expect("SIGKILL");
        // Nobody starts: the other one takes all of them when the lease is over.
        spread_is(&store, &[8]).await;
        all_up(&discord).await;
        processes.push(spawn(&discord, &scene));
        spread_is(&store, &[4, 4]).await;
        all_up(&discord).await;
    }
    control.set_rate(Rate::Paused);
    settle_exactly(&discord, &store).await;
    assert_eq!(
        control.stats().sessions_started(),
        SHARDS as usize,
        "no session began anew"
    );
    for mut process in processes {
        process.kill().await.expect("SIGKILL");
    }
    store.close();
    scene.stop().await;
}

/// A process that was stopped for longer than its lease finds its shards to be others', and what it still writes is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_process_comes_back_to_nothing() {
    let scene = Scene::new().await;
    let discord = discord(world()).await;
    let store = scene.store();
    let control = discord.control();
    let mut processes = [spawn(&discord, &scene), spawn(&discord, &scene)];
    spread_is(&store, &[4, 4]).await;
    all_up(&discord).await;
    control.set_rate(Rate::PerSecond(2_000.0));
    more(&discord, 1_000).await;
    signal(&processes[0], Signal::SIGSTOP);
    spread_is(&store, &[8]).await;
    more(&discord, 1_000).await;
    signal(&processes[0], Signal::SIGCONT);
    spread_is(&store, &[4, 4]).await;
    all_up(&discord).await;
    more(&discord, 1_000).await;
    control.set_rate(Rate::Paused);
    settle_exactly(&discord, &store).await;
    assert_eq!(
        control.stats().sessions_started(),
        SHARDS as usize,
        "no session began anew"
    );
    for process in &mut processes {
        process.kill().await.expect("SIGKILL");
    }
    store.close();
    scene.stop().await;
}
