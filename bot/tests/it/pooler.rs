//! PgBouncer in transaction mode between the bot and PostgreSQL.

use std::time::Duration;

use discord_simulator::{Rate, SimulatorConfig};
use eventide::{
    config::Config,
    postgres::{Statement, Store, connect::Target, migrations},
};
use tokio_postgres::types::Type;

use crate::support::{
    Scene,
    bot::{command, config_for, discord, settle_exactly, start, url},
    pgbouncer::PgBouncer,
    until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bot_counts_exactly_through_pgbouncer() {
    let scene = Scene::new().await;
    let bouncer = PgBouncer::start(&scene.postgres.connection()).await;
    let discord = discord(SimulatorConfig {
        shards: 4,
        ..SimulatorConfig::default()
    })
    .await;
    let pooled = Target::from(bouncer.connection(&scene.postgres.connection())).pooled();
    let bot = start(&config_for(&discord), pooled).await;
    discord.control().set_rate(Rate::PerSecond(5_000.0));
    until("much has been sent", async || {
        (discord.control().stats().delivered > 10_000).then_some(())
    })
    .await;
    // Also with every session of the pooler ended in between.
    let watcher = scene.store();
    let end = Statement::new(
        "end",
        &[],
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
              WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    );
    for _ in 0..5 {
        watcher.query(end, &[]).await.expect("ended");
        let sent = discord.control().stats().delivered;
        until("more has been sent", async || {
            (discord.control().stats().delivered > sent + 500).then_some(())
        })
        .await;
    }
    settle_exactly(&discord, &watcher).await;
    bot.drain(Duration::from_secs(20)).await.expect("drained");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemas_and_time_limits_hold_in_every_transaction() {
    let scene = Scene::new().await;
    let server = &scene.postgres.connection();
    let bouncer = PgBouncer::start(server).await;
    let names = [
        "public",
        "Capital Letters",
        "it's; DROP SCHEMA public CASCADE; --",
    ];
    let mut database = Config::defaults().database;
    database.statement_timeout = Duration::from_millis(300);
    let mut stores = Vec::new();
    for name in names {
        migrations::up(Target::from(server).in_schema(name))
            .await
            .expect("migrated");
        let target = Target::from(bouncer.connection(server)).in_schema(name).pooled();
        stores.push(Store::new(target, &database).expect("a pool"));
    }
    let who = Statement::new(
        "who",
        &[Type::INT8, Type::TEXT],
        "SELECT current_schema()::text, $1 + 1, $2 || '!'",
    );
    // Many at a time on three sessions, so that each runs in sessions that others have used.
    let asked = (0..60_i64).map(async |n| {
        let index = usize::try_from(n % 3).expect("small");
        let rows = stores[index]
            .query(who, &[&n, &names[index]])
            .await
            .expect("rows");
        assert_eq!(rows[0].get::<_, &str>(0), names[index]);
        assert_eq!(rows[0].get::<_, i64>(1), n + 1);
    });
    futures_util::future::join_all(asked).await;

    let slow = Statement::new("slow", &[], "SELECT pg_sleep(30)");
    let error = stores[0]
        .query(slow, &[])
        .await
        .expect_err("too slow")
        .to_string();
    assert!(error.contains("57014"), "{error}");
    // An error inside a transaction leaves nothing behind.
    stores[0].ping().await.expect("goes on");
    let failed = stores[1]
        .transaction("test", |tx| {
            Box::pin(async move {
                assert_eq!(
                    tx.query(who, &[&1_i64, &"x"]).await?[0].get::<_, &str>(0),
                    "Capital Letters"
                );
                tx.query(slow, &[]).await
            })
        })
        .await;
    assert!(failed.is_err());
    stores[1].ping().await.expect("goes on");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_go_past_the_pooler() {
    let scene = Scene::new().await;
    let server = &scene.postgres.connection();
    let bouncer = PgBouncer::start(server).await;
    let environment = [
        ("DATABASE_URL", url(&bouncer.connection(server))),
        ("DB_SCHEMA", "another".to_owned()),
        ("EVENTIDE__DATABASE__POOLER", "transaction".to_owned()),
    ];
    let without = command(&["migrate", "up"])
        .envs(environment.clone())
        .output()
        .await
        .expect("ran");
    assert_eq!(without.status.code(), Some(64));
    let line = String::from_utf8_lossy(&without.stderr);
    assert!(
        line.contains("database.direct_url") || line.contains("DATABASE_DIRECT_URL"),
        "{line}"
    );
    let with = command(&["migrate", "up"])
        .envs(environment)
        .env("DATABASE_DIRECT_URL", url(server))
        .output()
        .await
        .expect("ran");
    assert!(with.status.success(), "{}", String::from_utf8_lossy(&with.stderr));
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undeclared_pooler_is_detected() {
    let scene = Scene::new().await;
    let server = &scene.postgres.connection();
    for more in ["", "ignore_startup_parameters = options"] {
        let bouncer = PgBouncer::start_with(server, more).await;
        let target = Target::from(bouncer.connection(server)).in_schema("instance");
        let store = Store::new(target.clone(), &Config::defaults().database).expect("a pool");
        let error = store.ping().await.expect_err("no schema").to_string();
        assert!(
            error.contains("database.pooler = \"transaction\""),
            "{more}: {error}"
        );
        let error = migrations::up(target).await.expect_err("no schema").to_string();
        assert!(
            error.contains("database.pooler = \"transaction\""),
            "{more}: {error}"
        );
    }
    scene.stop().await;
}
