//! `eventide doctor` on a healthy server and on one with problems.

use eventide::{
    postgres::{Statement, Store, embedded::StopMode, migrations},
    telemetry::task,
};
use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::support::{
    Scene,
    bot::{command, url},
    session::Session,
    start_postgres_with, until,
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
    let insert = Statement::new(
        "insert",
        &[],
        "INSERT INTO member_xp (guild_id, user_id, xp) SELECT 1, n, n FROM generate_series(1, 1000) AS n",
    );
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

/// A problem for a healthy server, one statement each, the doctor's finding, and the statement that undoes it.
struct Case {
    spoil: &'static [&'static str],
    said: &'static str,
    repair: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        spoil: &["DROP INDEX outbox_failed"],
        said: "BAD   definitions    the index outbox.outbox_failed is missing",
        repair: &["CREATE INDEX outbox_failed ON outbox (failed_at) WHERE failed_at IS NOT NULL"],
    },
    Case {
        spoil: &["ALTER TABLE guild_settings DISABLE TRIGGER USER"],
        said: "which is not enabled",
        repair: &["ALTER TABLE guild_settings ENABLE TRIGGER USER"],
    },
    Case {
        spoil: &["CREATE INDEX one_more ON member_xp (xp)"],
        said: "warn  definitions    the index member_xp.one_more is one more than the migrations make",
        repair: &["DROP INDEX one_more"],
    },
    Case {
        spoil: &["ALTER ROLE eventide SET statement_timeout = '5s'"],
        said: "statement_timeout=5s for the role or the database",
        repair: &["ALTER ROLE eventide RESET statement_timeout"],
    },
    Case {
        spoil: &["ALTER DATABASE eventide SET idle_in_transaction_session_timeout = '1s'"],
        said: "idle_in_transaction_session_timeout=1s for the role or the database",
        repair: &["ALTER DATABASE eventide RESET idle_in_transaction_session_timeout"],
    },
    Case {
        spoil: &["ALTER ROLE eventide CONNECTION LIMIT 3"],
        said: "and the CONNECTION LIMIT of the role or database is 3",
        repair: &["ALTER ROLE eventide CONNECTION LIMIT -1"],
    },
    Case {
        spoil: &[
            "INSERT INTO fleet_process (process_id, host, version, capacity, pid_space, pid, pid_started)
                  SELECT 'p' || n, 'host', '1', 1, 'space', n, n FROM generate_series(1, 20) AS n",
        ],
        said: "20 of its processes may open 120",
        repair: &["DELETE FROM fleet_process"],
    },
    Case {
        spoil: &[
            "ALTER SYSTEM SET maintenance_work_mem = '1MB'",
            "SELECT pg_reload_conf()",
        ],
        said: "maintenance_work_mem = 1 MB",
        repair: &["ALTER SYSTEM RESET maintenance_work_mem"],
    },
    Case {
        spoil: &[
            "ALTER SYSTEM SET autovacuum_naptime = '1d'",
            "SELECT pg_reload_conf()",
        ],
        said: "autovacuum_naptime = 86400s",
        repair: &["ALTER SYSTEM RESET autovacuum_naptime"],
    },
    Case {
        spoil: &[
            "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
            "SELECT pg_reload_conf()",
        ],
        said: "synchronous_standby_names = nobody, and no standby is connected",
        repair: &[
            "ALTER SYSTEM RESET synchronous_standby_names",
            "SELECT pg_reload_conf()",
        ],
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_thing_that_is_not_well_is_named() {
    let scene = Scene::new().await;
    let connection = scene.postgres.connection();
    let session = Session::open(&connection.clone().into()).await;
    for case in CASES {
        let (_, before) = examined(&connection).await;
        assert!(!before.contains(case.said), "{}: {before}", case.said);
        for statement in case.spoil {
            session.execute(statement).await;
        }
        // The server reads its settings again a moment after it was asked to.
        until(case.said, async || {
            let (code, text) = examined(&connection).await;
            assert_eq!(code, Some(1), "{text}");
            text.contains(case.said).then_some(())
        })
        .await;
        for statement in case.repair {
            session.execute(statement).await;
        }
    }
    session.close().await;
    scene.stop().await;
}
