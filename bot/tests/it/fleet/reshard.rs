//! The number of shards changes under load: every message counts once, and the only cost is sessions of both numbers.

use std::time::Duration;

use discord_simulator::{LevelRules, Rate, Simulator, SimulatorConfig};
use eventide::{
    app::bot::Bot,
    config::ShardCount,
    postgres::{Statement, Store},
};
use futures_util::future::LocalBoxFuture;
use tokio::{process::Child, time::Instant};
use tokio_postgres::types::Type;

use super::{Scenario, Shown, stage::Stage, table::seconds};
use crate::support::{
    PATIENCE, Scene,
    bot::{command, command_on, config_for, discord, settle_exactly, start, url},
    session::Session,
    until,
};

const FOUR_EIGHT: &str = "4 → 8 shards while they run";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        world: |world, _| world.shards = 4,
        ..Scenario::new(FOUR_EIGHT, four_eight)
    }]
}

/// For the table; the short form is in the tests below.
fn four_eight(stage: &mut Stage) -> LocalBoxFuture<'_, Shown> {
    Box::pin(async move {
        stage.start();
        stage.start();
        stage.is_shared().await;
        stage.load();
        stage.more().await;
        let began = Instant::now();
        reshard(&stage.scene, &["--total", "8"]).await.expect("it begins");
        number_is(&stage.store, 8).await;
        let took = began.elapsed();
        (stage.shards, stage.sessions) = (8, 4 + 8);
        stage.is_shared().await;
        // Discord keeps the old sessions for a while, although they are not resumed any more.
        stage.discord.control().kill_unconnected_sessions(4);
        stage.more().await;
        Shown {
            silence: None,
            words: format!("{} until all had changed over", seconds(took)),
        }
    })
}

pub(super) fn world() -> SimulatorConfig {
    SimulatorConfig {
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

pub(super) async fn start_one(discord: &Simulator, scene: &Scene) -> Bot {
    let mut config = config_for(discord);
    config.fleet.lease = Duration::from_secs(3);
    start(&config, scene.postgres.connection()).await
}

pub(super) async fn more(discord: &Simulator, messages: u64) {
    let before = discord.oracle().sent();
    until("more is sent", async || {
        (discord.oracle().sent() > before + messages).then_some(())
    })
    .await;
}

/// The number of shards, and the one that it is changed to.
async fn numbers(store: &Store) -> (Option<i64>, Option<i64>) {
    let statement = Statement::new("numbers", &[], "SELECT shard_count, reshard_to FROM fleet");
    let rows = store.query(statement, &[]).await.expect("the fleet");
    (rows[0].get(0), rows[0].get(1))
}

/// How many shards of this number have a session that can be resumed: a kill before that costs another one.
async fn stored(store: &Store, number: usize) -> usize {
    let statement = Statement::new(
        "stored",
        &[Type::INT8],
        "SELECT count(session_id) FROM shard_checkpoint WHERE shard_count = $1",
    );
    let number = i64::try_from(number).expect("few");
    let rows = store.query(statement, &[&number]).await.expect("checkpoints");
    usize::try_from(rows[0].get::<_, i64>(0)).expect("few")
}

async fn number_is(store: &Store, wanted: i64) {
    until("the number of shards has changed", async || {
        (numbers(store).await == (Some(wanted), None)).then_some(())
    })
    .await;
}

/// Request another number of shards. Returns the error message if it is refused.
async fn reshard(scene: &Scene, arguments: &[&str]) -> Result<(), String> {
    let output = command(&["fleet", "reshard"])
        .args(arguments)
        .env("DATABASE_URL", url(&scene.postgres.connection()))
        .output()
        .await
        .expect("it runs");
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

pub(super) async fn connections(discord: &Simulator, wanted: u64) {
    let control = discord.control();
    until("every shard has a connection", async || {
        (control.stats().connections_open == wanted).then_some(())
    })
    .await;
}

async fn end(processes: Vec<Child>, store: Store, scene: Scene) {
    for mut process in processes {
        process.kill().await.expect("SIGKILL");
    }
    store.close();
    scene.stop().await;
}

/// Two processes change from 4 to 8 shards and then to 3 while messages arrive; one of them is killed in the middle of each change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_eight_three() {
    let scene = Scene::new().await;
    let mut config = world();
    config.shards = 4;
    let discord = discord(config).await;
    let store = scene.store();
    let control = discord.control();
    let mut processes = vec![spawn(&discord, &scene), spawn(&discord, &scene)];
    connections(&discord, 4).await;
    number_is(&store, 4).await;
    // Messages for a shard without a session are not counted, unless one of the other number receives them.
    until("every shard has a session", async || {
        (stored(&store, 4).await == 4).then_some(())
    })
    .await;
    control.set_rate(Rate::PerSecond(1_000.0));
    more(&discord, 1_000).await;
    let mut sessions = 4;
    for (before, wanted) in [(4, 8), (8, 3)] {
        reshard(&scene, &["--total", &wanted.to_string()])
            .await
            .expect("it begins");
        let refused = reshard(&scene, &["--total", "5"])
            .await
            .expect_err("one at a time");
        assert!(
            refused.contains(&format!("already being changed to {wanted}")),
            "{refused}"
        );
        sessions += wanted;
        until("both have their sessions, and they are stored", async || {
            let begun = control.stats().sessions_started() >= sessions;
            (begun && stored(&store, wanted).await == wanted).then_some(())
        })
        .await;
        assert_eq!(
            numbers(&store).await.0,
            Some(before),
            "nothing has changed over before"
        );
        let mut victim = processes.remove(0);
        victim.kill().await.expect("SIGKILL");
        processes.push(spawn(&discord, &scene));
        number_is(&store, i64::try_from(wanted).expect("few")).await;
        connections(&discord, wanted as u64).await;
        // Discord keeps the old sessions for a while, although they are not resumed any more.
        control.kill_unconnected_sessions(u32::try_from(before).expect("few"));
        more(&discord, 1_000).await;
    }
    settle_exactly(&discord, &store).await;
    let stats = control.stats();
    assert_eq!(stats.sessions_started(), 4 + 8 + 3, "no session began anew");
    assert_eq!(stats.resumes_refused, 0);
    let gaps = eventide::pipeline::rows::gap::list(&store, std::time::SystemTime::UNIX_EPOCH, 10).await;
    assert_eq!(gaps.expect("gaps"), [], "nothing was missed");
    end(processes, store, scene).await;
}

/// As long as no shard has switched, the number can remain the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_change_leaves_everything() {
    let scene = Scene::new().await;
    let mut config = world();
    config.shards = 2;
    // The new sessions take their time, so that there is some to cancel.
    config.gateway.max_concurrency = 1;
    let discord = discord(config).await;
    let store = scene.store();
    let control = discord.control();
    let refused = reshard(&scene, &["--total", "4"])
        .await
        .expect_err("no fleet yet");
    assert!(refused.contains("no process has run"), "{refused}");
    let processes = vec![spawn(&discord, &scene)];
    connections(&discord, 2).await;
    number_is(&store, 2).await;
    let refused = reshard(&scene, &["--total", "2"]).await.expect_err("as it is");
    assert!(refused.contains("already has this number of shards"), "{refused}");
    let refused = reshard(&scene, &["--cancel"])
        .await
        .expect_err("nothing to cancel");
    assert!(refused.contains("nothing to cancel"), "{refused}");
    control.set_rate(Rate::PerSecond(500.0));
    reshard(&scene, &["--total", "12"]).await.expect("it begins");
    until("the first of them is there", async || {
        (control.stats().sessions_started() >= 3).then_some(())
    })
    .await;
    reshard(&scene, &["--cancel"]).await.expect("it is cancelled");
    connections(&discord, 2).await;
    control.kill_unconnected_sessions(12);
    assert_eq!(numbers(&store).await, (Some(2), None));
    more(&discord, 500).await;
    settle_exactly(&discord, &store).await;
    end(processes, store, scene).await;
}

/// A shard of the old number still waits for a server that is unavailable. Those of the new number count what that server sends, so it must
/// not be read once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_awaited_meanwhile() {
    const LEFT: &str =
        "SELECT string_agg(concat_ws(' ', u.guild_id, u.reason, u.after_id), ',') FROM gap_unread AS u
                        WHERE NOT EXISTS (SELECT FROM backfill_channel)";
    let scene = Scene::new().await;
    let mut config = world();
    config.shards = 1;
    let discord = discord(config).await;
    let store = scene.store();
    let processes = vec![spawn(&discord, &scene)];
    connections(&discord, 1).await;
    until("the session is stored", async || {
        (stored(&store, 1).await == 1).then_some(())
    })
    .await;
    // Without messages, a change takes 70 s.
    discord.control().set_rate(Rate::PerSecond(500.0));
    let session = Session::open(&scene.postgres.connection().into()).await;
    session
        .execute(
            "INSERT INTO gap (shard_count, shard_id, reason, last_sequence, began_at) VALUES (1, 0, 'invalid_session', 1, now());
             INSERT INTO backfill_channel (guild_id, channel_id, after_id, until_id) VALUES (77, 0, 5, 5)",
        )
        .await;
    reshard(&scene, &["--total", "2"]).await.expect("it begins");
    number_is(&store, 2).await;
    let left = session.client.query_one(LEFT, &[]).await.expect(LEFT);
    assert_eq!(
        left.get::<_, Option<String>>(0).as_deref(),
        Some("77 unavailable 5")
    );
    session.close().await;
    end(processes, store, scene).await;
}

/// A process with `gateway.shard_count = "auto"` that enters a fleet of fewer shards than Discord recommends begins the change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discord_recommends_more() {
    let scene = Scene::new().await;
    let mut config = world();
    config.shards = 3;
    let discord = discord(config).await;
    let store = scene.store();
    let control = discord.control();
    let mut fixed = config_for(&discord);
    fixed.gateway.shard_count = ShardCount::Fixed(1);
    let first = start(&fixed, scene.postgres.connection()).await;
    connections(&discord, 1).await;
    control.set_rate(Rate::PerSecond(1_000.0));
    more(&discord, 200).await;
    let second = start_one(&discord, &scene).await;
    number_is(&store, 3).await;
    connections(&discord, 3).await;
    control.kill_unconnected_sessions(1);
    more(&discord, 500).await;
    settle_exactly(&discord, &store).await;
    assert_eq!(control.stats().sessions_started(), 1 + 3);
    first.drain(PATIENCE).await.expect("a clean end");
    second.drain(PATIENCE).await.expect("a clean end");
    store.close();
    scene.stop().await;
}
