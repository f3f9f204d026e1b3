//! Missed events are recorded, once each.

use std::time::SystemTime;

use discord_simulator::{Rate, SimulatorConfig};
use eventide::{
    discord::shards::ShardState,
    pipeline::rows::gap::{self, Recorded},
    postgres::Store,
};

use crate::support::{
    PATIENCE, Scene,
    bot::{config_for, discord, printed, settle_exactly, start, up},
    until,
};

async fn recorded(store: &Store) -> Vec<Recorded> {
    gap::list(store, SystemTime::UNIX_EPOCH, 100).await.expect("gaps")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lost_while_running_and_while_stopped() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        shards: 2,
        ..SimulatorConfig::default()
    })
    .await;
    let control = discord.control();
    let store = scene.store();
    let config = config_for(&discord);
    let bot = start(&config, scene.postgres.connection()).await;
    up(&discord, 2).await;
    control.set_rate(Rate::PerSecond(500.0));
    until("something is sent", async || {
        (discord.oracle().sent() > 500).then_some(())
    })
    .await;
    settle_exactly(&discord, &store).await;
    assert_eq!(recorded(&store).await, [], "nothing was missed so far");

    control.kill_sessions(None);
    control.reset(None);
    up(&discord, 4).await;
    let gaps = until("both gaps are written and over", async || {
        let gaps = recorded(&store).await;
        (gaps.len() == 2 && gaps.iter().all(|gap| gap.ended_at.is_some())).then_some(gaps)
    })
    .await;
    for gap in &gaps {
        assert_eq!((gap.shard_count, gap.missing), (2, None));
        assert_eq!(gap.reason, "invalid_session");
        assert!(gap.last_sequence > 0 && gap.seconds >= 0.0, "{gap:?}");
    }
    bot.drain(PATIENCE).await.expect("a clean end");

    // While the bot is offline the sessions die; the gap starts with the last flush.
    control.kill_sessions(None);
    let bot = start(&config, scene.postgres.connection()).await;
    up(&discord, 6).await;
    until("two more are over", async || {
        let gaps = recorded(&store).await;
        (gaps.len() == 4 && gaps.iter().all(|gap| gap.ended_at.is_some())).then_some(())
    })
    .await;
    bot.drain(PATIENCE).await.expect("a clean end");

    let table = printed(&scene, &["gaps"]).await;
    assert_eq!(table.matches("invalid_session").count(), 4, "{table}");
    let json = printed(&scene, &["gaps", "--json", "--limit", "1"]).await;
    let gap: serde_json::Value = serde_json::from_str(&json).expect("an object");
    assert_eq!(gap["reason"], "invalid_session");
    scene.stop().await;
}

/// Killed between the loss and the next READY: the next process finds no session, and the gap still open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_that_a_restart_ends() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        shards: 2,
        ..SimulatorConfig::default()
    })
    .await;
    let control = discord.control();
    let store = scene.store();
    let config = config_for(&discord);
    let bot = start(&config, scene.postgres.connection()).await;
    // A session whose READY never arrived is unknown, and not a gap.
    until("both shards know their sessions", async || {
        let shards = bot.shards.list();
        let up = shards.iter().filter(|shard| shard.state() == ShardState::Up);
        (up.count() == 2).then_some(())
    })
    .await;
    // Nobody gets a new session for now.
    control.kill_sessions(None);
    control.reset(None);
    let open = until("the gaps are written", async || {
        let gaps = recorded(&store).await;
        (gaps.len() == 2).then_some(gaps)
    })
    .await;
    drop(bot);
    let bot = start(&config, scene.postgres.connection()).await;
    let over = until("they are over", async || {
        let gaps = recorded(&store).await;
        gaps.iter().all(|gap| gap.ended_at.is_some()).then_some(gaps)
    })
    .await;
    assert_eq!(over.len(), 2, "{open:?} {over:?}");
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}
