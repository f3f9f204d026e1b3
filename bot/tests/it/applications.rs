//! Two applications on one database, one after the other and at the same time.

use std::time::Duration;

use discord_simulator::{Rate, Simulator, SimulatorConfig};
use eventide::{
    app::{bot::Bot, ops_http},
    config::Config,
    postgres::{Statement, Store},
    telemetry::metrics,
};

use crate::support::{
    Scene,
    bot::{command, config_for, discord, settle_exactly, start, up, url},
    session::every_session_is_stored,
    until,
};

const LEASE: Duration = Duration::from_secs(3);

async fn application(seed: u64) -> (Simulator, Config) {
    let discord = discord(SimulatorConfig {
        seed,
        shards: 2,
        ..SimulatorConfig::default()
    })
    .await;
    let mut config = config_for(&discord);
    config.fleet.lease = LEASE;
    (discord, config)
}

async fn number(store: &Store, sql: &'static str) -> i64 {
    let statement = Statement::new("number", &[], sql);
    store.query(statement, &[]).await.expect("counted")[0].get(0)
}

async fn execute(store: &Store, sql: &'static str) {
    let statement = Statement::new("execute", &[], sql);
    store.query(statement, &[]).await.expect(sql);
}

/// Start a bot that is expected to refuse.
async fn refused(config: &Config, scene: &Scene) -> String {
    let token = config.require_token().expect("a token");
    let listening = ops_http::listen(config.http.listen).await.expect("a free port");
    let http = listening.serve(metrics::install().expect("a recorder"));
    let store = Store::new(scene.postgres.connection(), &config.database).expect("a pool");
    let started = Box::pin(Bot::start(config, token, store, http)).await;
    started.expect_err("another application runs").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_application_resumes_and_sends_nothing_of_the_one_before() {
    let scene = Scene::new().await;
    let store = scene.store();
    let (first, first_config) = application(1).await;
    let bot = start(&first_config, scene.postgres.connection()).await;
    up(&first, 2).await;
    first.control().set_rate(Rate::PerSecond(200.0));
    every_session_is_stored(&first, &store).await;
    settle_exactly(&first, &store).await;
    bot.drain(Duration::from_secs(20)).await.expect("drained");

    // It owes something to a guild that the other application has no part in, and gave a role.
    execute(
        &store,
        "INSERT INTO outbox (guild_id, lane_id, kind, channel_id, body) VALUES (5, 6, 'level_up', 6, '{}')",
    )
    .await;
    execute(
        &store,
        "INSERT INTO outbox_lane (guild_id, lane_id) VALUES (5, 6)",
    )
    .await;
    execute(
        &store,
        "INSERT INTO given_role (guild_id, user_id, role_id) VALUES (5, 7, 8)",
    )
    .await;
    execute(&store, "DELETE FROM member_xp").await;

    let (second, second_config) = application(2).await;
    let bot = start(&second_config, scene.postgres.connection()).await;
    up(&second, 2).await;
    second.control().set_rate(Rate::PerSecond(200.0));
    every_session_is_stored(&second, &store).await;
    settle_exactly(&second, &store).await;
    let stats = second.control().stats();
    assert_eq!((stats.resumes, stats.resumes_refused), (0, 0), "{stats:?}");
    let gaps = "SELECT count(*) FROM gap WHERE reason = 'application' AND ended_at IS NOT NULL";
    assert_eq!(number(&store, gaps).await, 2, "one a session, over by now");
    let own_roles = "SELECT count(*) FROM given_role WHERE application_id IS NULL";
    assert_eq!(number(&store, own_roles).await, 0);
    let set_aside = command(&["effects", "--failed"])
        .env("DATABASE_URL", url(&scene.postgres.connection()))
        .output()
        .await
        .expect("ran");
    let text = String::from_utf8_lossy(&set_aside.stdout);
    assert!(
        text.contains("level_up") && text.contains("whose token is not used any more"),
        "{text}"
    );

    // The first one starts while the second is running.
    let error = refused(&first_config, &scene).await;
    assert!(
        error.contains("in use by the application") && error.contains("database.schema"),
        "{error}"
    );
    until("the second one goes on", async || {
        (second.control().stats().connections_open == 2).then_some(())
    })
    .await;
    let resumes = second.control().stats().resumes;
    bot.drain(Duration::from_secs(20)).await.expect("drained");
    assert_eq!(resumes, 0, "nobody took its shards");

    // And after it.
    let bot = start(&first_config, scene.postgres.connection()).await;
    up(&first, 4).await;
    assert_eq!(number(&store, own_roles).await, 1);
    bot.drain(Duration::from_secs(20)).await.expect("drained");
    store.close();
    scene.stop().await;
}

/// The same application resumes its sessions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_application_resumes() {
    let scene = Scene::new().await;
    let store = scene.store();
    let (discord, config) = application(1).await;
    let bot = start(&config, scene.postgres.connection()).await;
    up(&discord, 2).await;
    discord.control().set_rate(Rate::PerSecond(200.0));
    every_session_is_stored(&discord, &store).await;
    bot.drain(Duration::from_secs(20)).await.expect("drained");
    let bot = start(&config, scene.postgres.connection()).await;
    until("both sessions are resumed", async || {
        (discord.control().stats().resumes == 2).then_some(())
    })
    .await;
    settle_exactly(&discord, &store).await;
    bot.drain(Duration::from_secs(20)).await.expect("drained");
    store.close();
    scene.stop().await;
}
