//! The pool on a real PostgreSQL: its shares, closing connections, and application names.

use std::time::Duration;

use discord_simulator::SimulatorConfig;
use eventide::{
    config::{Config, Database},
    postgres::{Statement, Store, connect::Target, embedded::StopMode},
    telemetry::task,
};
use tempfile::TempDir;
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

use crate::support::{
    PATIENCE, Scene,
    bot::{config_for, discord, start},
    commit_cutter::CommitCutter,
    start_postgres_with, until,
};

fn database(size: usize, flushes: usize) -> Database {
    let mut database = Config::defaults().database;
    database.pool_size = size;
    database.flush_connections = flushes;
    database
}

/// The application names of client sessions, except the one that asks.
async fn names(watcher: &Store) -> Vec<String> {
    let names = Statement::new(
        "names",
        &[],
        "SELECT application_name FROM pg_stat_activity
              WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY 1",
    );
    let rows = watcher.query(names, &[]).await.expect("read");
    rows.iter().map(|row| row.get(0)).collect()
}

/// A caller that stops waiting for an answer discards the connection, since the next one would wait for the same answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_swallows_is_not_handed_out_again() {
    let scene = Scene::new().await;
    let proxy = CommitCutter::start(scene.postgres.socket_directory());
    let store = Store::new(proxy.connection(&scene.postgres.connection()), &database(2, 1)).expect("a pool");
    store.ping().await.expect("an answer");
    proxy.swallow(false);
    // With a time limit of the caller, like that of a readiness check.
    assert!(timeout(Duration::from_millis(200), store.ping()).await.is_err());
    assert_eq!(store.pool_usage(), (0, 0));
    let again = timeout(PATIENCE, store.ping()).await.expect("in time");
    again.expect("an answer over another connection");
    store.close();
    scene.stop().await;
}

/// Nobody at the other end, and no limit but the statement's: it ends, and the next try goes another way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_is_an_error_in_the_end() {
    let scene = Scene::new().await;
    let proxy = CommitCutter::start(scene.postgres.socket_directory());
    let mut database = database(3, 1);
    database.statement_timeout = Duration::from_millis(100);
    let store = Store::new(proxy.connection(&scene.postgres.connection()), &database).expect("a pool");
    // Two connections, of which the one that lies idle is as dead as the other.
    let (first, second) = tokio::join!(store.ping(), store.ping());
    first.and(second).expect("answers");
    proxy.swallow(false);
    let error = timeout(PATIENCE, store.ping())
        .await
        .expect("in time")
        .expect_err("nobody is there");
    assert!(error.to_string().contains("did not answer"), "{error}");
    assert_eq!(store.pool_usage(), (0, 0));
    store.ping().await.expect("an answer over another connection");
    store.close();
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_reads_does_not_hold_up_a_flush() {
    let scene = Scene::new().await;
    let mut database = database(4, 2);
    database.connection_timeout = Duration::from_millis(300);
    let store = Store::new(scene.postgres.connection(), &database).expect("a pool");
    let holder = Target::from(scene.postgres.connection());
    let (client, driver) = holder.connect().await.expect("a connection");
    let driver = task::spawn("holder", driver);
    client
        .batch_execute("SELECT pg_advisory_lock(1)")
        .await
        .expect("locked");

    // Every connection of the other share waits for a lock, and as many again for a connection.
    let slow = Statement::new("slow", &[], "SELECT pg_advisory_xact_lock(1)");
    let flood: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            task::spawn("read", async move { store.query(slow, &[]).await.map(drop) })
        })
        .collect();
    until("the reads have all connections of their share", async || {
        (store.pool_usage() == (2, 2)).then_some(())
    })
    .await;
    let error = store.ping().await.expect_err("no connection").to_string();
    assert!(error.contains("database.connection_timeout_ms"), "{error}");
    store
        .for_flushes()
        .ping()
        .await
        .expect("the flushes have their own");
    assert_eq!(store.pool_usage(), (3, 2));

    client
        .batch_execute("SELECT pg_advisory_unlock_all()")
        .await
        .expect("unlocked");
    let mut done = 0;
    for read in flood {
        done += usize::from(read.join().await.expect("joined").is_ok());
    }
    assert!(done >= 2, "{done}");
    store.ping().await.expect("an answer");
    drop(client);
    driver.join().await.expect("joined").expect("a clean end");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_are_closed() {
    let scene = Scene::new().await;
    let watcher = scene.store();
    let mut database = database(4, 2);
    database.idle_timeout = Duration::from_millis(400);
    let store = Store::new(scene.postgres.connection(), &database).expect("a pool");
    store.ping().await.expect("an answer");
    store.for_flushes().ping().await.expect("an answer");
    until("nobody has a session but the pool", async || {
        (names(&watcher).await.len() == 2).then_some(())
    })
    .await;
    let (stop, stopped) = watch::channel(false);
    let closing = task::spawn("idle connections", store.clone().close_idle(stopped));
    until("PostgreSQL has no session of the pool", async || {
        names(&watcher).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(store.pool_usage(), (0, 0));
    store.ping().await.expect("opened again");

    stop.send_replace(true);
    closing.join().await.expect("ended");

    // Zero keeps them.
    database.idle_timeout = Duration::ZERO;
    let kept = Store::new(scene.postgres.connection(), &database).expect("a pool");
    let (stop, stopped) = watch::channel(false);
    let closing = task::spawn("idle connections", kept.clone().close_idle(stopped));
    kept.ping().await.expect("an answer");
    drop(stop);
    closing.join().await.expect("ended");
    assert_eq!(kept.pool_usage(), (1, 0));
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_say_which_process_and_shards_they_serve() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        shards: 3,
        ..SimulatorConfig::default()
    })
    .await;
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    let wanted = |what: &str| format!(":{} {what} in public", std::process::id());
    let (shards, settings) = (wanted("shards 0-2/3"), wanted("settings"));
    let watcher = scene.store();
    until("every connection has the name", async || {
        let names = names(&watcher).await;
        let is =
            |name: &String, end| name.starts_with("eventide ") && name.ends_with(end) && name.len() <= 63;
        let of_shards = names.iter().filter(|name| is(name, &shards)).count();
        let of_settings = names.iter().filter(|name| is(name, &settings)).count();
        (of_shards > 0 && of_settings == 1 && of_shards + of_settings == names.len()).then_some(())
    })
    .await;
    bot.drain(Duration::from_secs(20)).await.expect("drained");

    let target = Target::from(scene.postgres.connection()).with(|config| {
        config.application_name("of the address");
    });
    let before = names(&watcher).await;
    let (client, driver) = target.connect().await.expect("a connection");
    let driver = task::spawn("driver", driver);
    let after = names(&watcher).await;
    assert!(
        after.contains(&"of the address".to_owned()),
        "{before:?} {after:?}"
    );
    drop(client);
    driver.join().await.expect("joined").expect("a clean end");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_is_reported_with_the_numbers_to_change() {
    let directory = TempDir::new().expect("a directory");
    let postgres = start_postgres_with(
        directory.path(),
        &[("max_connections", "5"), ("superuser_reserved_connections", "0")],
    )
    .await;
    let target = Target::from(postgres.connection());
    let mut held = Vec::new();
    let error = loop {
        assert!(held.len() <= 5, "the server takes too many");
        match target.connect().await {
            Ok((client, driver)) => held.push((client, task::spawn("held", driver))),
            Err(_) => break Store::new(&target, &database(3, 1)).expect("a pool").ping().await,
        }
    };
    let error = error.expect_err("full").to_string();
    assert!(
        error.contains("database.pool_size") && error.contains("max_connections"),
        "{error}"
    );
    for (client, driver) in held {
        drop(client);
        driver.join().await.expect("joined").expect("a clean end");
    }
    postgres.stop(StopMode::Immediate).await.expect("stopped");
}

/// A process that is paused in the middle of a transaction, or cut off, blocks others for a moment only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_transaction_gives_its_locks_back() {
    let lock = Statement::new("lock", &[], "SELECT FROM fleet FOR UPDATE");
    let scene = Scene::new().await;
    let mut database = database(4, 2);
    // Nothing else may end it.
    database.statement_timeout = Duration::from_hours(1);
    let store = Store::new(scene.postgres.connection(), &database).expect("a pool");
    let (locked, is_locked) = oneshot::channel();
    let (silent, speaks) = oneshot::channel::<()>();
    let first = {
        let store = store.clone();
        task::spawn("silent", async move {
            let silent = store.transaction("silent", move |tx| {
                Box::pin(async move {
                    tx.query(lock, &[]).await?;
                    locked.send(()).expect("somebody waits");
                    speaks.await.expect("it is told");
                    tx.query(lock, &[]).await.map(drop)
                })
            });
            silent.await
        })
    };
    is_locked.await.expect("locked");
    let second = store.transaction("second", move |tx| {
        Box::pin(async move { tx.query(lock, &[]).await.map(drop) })
    });
    timeout(PATIENCE, second)
        .await
        .expect("in time")
        .expect("the lock");
    silent.send(()).expect("it waits");
    let first = first.join().await.expect("joined");
    assert!(first.is_err(), "its session was ended");
    store.close();
    scene.stop().await;
}
