//! `eventide doctor` on real servers: one that is well, and one that is not.

use eventide::{
    embedded::StopMode,
    store::{Statement, Store, migrations},
    task,
};
use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::support::{
    Scene,
    bot::{command, url},
    start_postgres_with,
};

async fn examined(connection: &tokio_postgres::Config) -> (Option<i32>, String) {
    let output = command(&["doctor"])
        .env("DATABASE_URL", url(connection))
        .output()
        .await
        .expect("ran");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code(), text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_well() {
    let scene = Scene::new().await;
    let store: Store = scene.store();
    let insert = Statement {
        name: "insert",
        types: &[],
        sql: "INSERT INTO member_xp (guild_id, user_id, xp) SELECT 1, n, n FROM generate_series(1, 1000) AS n",
    };
    store.query(insert, &[]).await.expect("inserted");
    let (code, text) = examined(&scene.postgres.connection()).await;
    // The tests' servers do without fsync, and the doctor says so.
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("fsync = off"), "{text}");
    for about in [
        "server",
        "connection",
        "clock",
        "connections",
        "schema",
        "tables",
        "indexes",
        "checkpoints",
    ] {
        let fine = text
            .lines()
            .any(|line| line.starts_with("ok") && line.split_whitespace().nth(1) == Some(about));
        assert!(fine, "{about}: {text}");
    }
    assert!(text.contains("pg_stat_statements is not installed"), "{text}");
    assert_eq!(text.matches("BAD ").count(), 1, "{text}");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not() {
    let directory = TempDir::new().expect("a directory");
    let postgres = start_postgres_with(
        directory.path(),
        &[
            ("autovacuum", "off"),
            ("shared_buffers", "1MB"),
            ("shared_preload_libraries", "pg_stat_statements"),
            ("max_connections", "12"),
        ],
    )
    .await;
    let (code, text) = examined(&postgres.connection()).await;
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("lacks V1__"), "{text}");

    migrations::up(&postgres.connection()).await.expect("migrated");
    let (client, connection) = postgres.connection().connect(NoTls).await.expect("a connection");
    let connection = task::spawn("connection", connection);
    client
        .batch_execute(
            "CREATE EXTENSION pg_stat_statements;
             INSERT INTO member_xp (guild_id, user_id, xp) SELECT 1, n, 5 FROM generate_series(1, 100) AS n;
             ALTER TABLE member_xp SET (autovacuum_enabled = off);
             UPDATE shard_checkpoint SET sequence = 0;
             INSERT INTO shard_checkpoint (shard_count, shard_id, session_id, updated_at) VALUES (2, 1, 's', now() - interval '1 hour')",
        )
        .await
        .expect("prepared");
    client
        .batch_execute("SELECT pg_sleep(0.3) -- the_slowest_of_all")
        .await
        .expect("slept");
    // It cannot be unique, and leaves an index that cannot be used.
    client
        .batch_execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON member_xp (xp)")
        .await
        .expect_err("not unique");
    let (code, text) = examined(&postgres.connection()).await;
    assert_eq!(code, Some(1), "{text}");
    for expected in [
        "autovacuum = off",
        "shared_buffers = 1",
        "broken on member_xp is not valid",
        "REINDEX INDEX CONCURRENTLY broken",
        "member_xp: autovacuum is off",
        "shard 1 of 2 was last committed 3",
        "the heaviest:",
        "the_slowest_of_all",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    drop(client);
    connection.join().await.expect("joined").expect("a clean end");
    postgres.stop(StopMode::Immediate).await.expect("stopped");
}
