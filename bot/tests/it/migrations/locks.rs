//! Migrations while other sessions use the tables.

use eventide::{
    postgres::migrations::{File, MigrateError},
    telemetry::task,
};

use super::{
    Place,
    samples::{samples, samples_with},
};
use crate::support::{rows::fill, session::Session, until};

/// `CREATE INDEX CONCURRENTLY` waits for every snapshot that is older; a process that waits for the migrations must have none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_while_an_index_is_built() {
    let place = Place::new().await;
    let migrations = samples();
    migrations.up(&place.target, Some(2)).await.expect("migrated");
    let reader = Session::open(&place.target).await;
    reader
        .execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM member")
        .await;
    let start = || {
        let (target, migrations) = (place.target.clone(), migrations.clone());
        task::spawn("a start", async move { migrations.up(&target, None).await })
    };
    let first = start();
    let activity = async |what: &str| {
        let sql = format!(
            "SELECT FROM pg_stat_activity WHERE application_name LIKE 'eventide %migrate' AND query ILIKE '{what}%'"
        );
        until(what, async || place.has(&sql).await.then_some(())).await;
    };
    activity("CREATE INDEX CONCURRENTLY").await;
    let second = start();
    activity("-- migrate_try_lock").await;
    assert!(!first.is_finished() && !second.is_finished());
    reader.execute("COMMIT").await;
    let first = first.join().await.expect("joined").expect("migrated");
    assert_eq!(first.len(), 4);
    let second = second.join().await.expect("joined").expect("nothing to do");
    assert!(second.is_empty());
    reader.close().await;
    place.stop().await;
}

/// A migration that queued for a lock would block all later sessions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_held_by_another_session() {
    let place = Place::new().await;
    let migrations = samples();
    migrations.up(&place.target, Some(3)).await.expect("migrated");
    let reader = Session::open(&place.target).await;
    reader.execute("BEGIN; SELECT FROM member").await;
    let up = {
        let (target, migrations) = (place.target.clone(), migrations.clone());
        task::spawn("migration", async move { migrations.up(&target, None).await })
    };
    let waits = "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'";
    until("it waits", async || place.has(waits).await.then_some(())).await;
    // The reader still has its lock: other readers get through between two attempts.
    place.session.execute("SELECT FROM member").await;
    assert!(!up.is_finished());
    reader.execute("COMMIT").await;
    let applied = up.join().await.expect("joined").expect("migrated");
    assert_eq!(applied, ["V4__member_note", "V5__touch", "V7__log"]);
    reader.close().await;
    place.stop().await;
}

/// An index that could not be built is dropped and built again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_was_interrupted() {
    let place = Place::new().await;
    let migrations = samples_with(File {
        name: "V3__one_mood_each",
        sql: "-- eventide: no-transaction\n\nCREATE INDEX CONCURRENTLY IF NOT EXISTS member_tags ON member (tags);\n\
              CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS\n  member_mood ON member (mood);",
        undo: Some("DROP INDEX member_mood; DROP INDEX member_tags;"),
    });
    migrations.up(&place.target, Some(2)).await.expect("migrated");
    fill(&place.session.client).await;
    place
        .session
        .execute("INSERT INTO member (guild_id, user_id, mood, tags) SELECT guild_id, user_id + 1, mood, tags FROM member")
        .await;
    let error = migrations.up(&place.target, None).await.expect_err("not unique");
    assert!(
        matches!(&error, MigrateError::Interrupted { name, line: 4, .. } if name == "V3__one_mood_each"),
        "{error}"
    );
    // A value of a row is in PostgreSQL's detail, not in the line.
    assert!(!error.to_string().contains("calm"), "{error}");
    let invalid = "SELECT FROM pg_index WHERE NOT indisvalid";
    assert!(place.has(invalid).await);
    let (all, _) = migrations.overview(&place.target).await.expect("read");
    assert!(all[2].applied_on.is_none(), "{all:?}");

    place
        .session
        .execute("DELETE FROM member WHERE user_id = 2")
        .await;
    assert_eq!(place.up(&migrations).await.len(), 4);
    assert!(!place.has(invalid).await);
    let verdict = migrations.verify(&place.target).await.expect("compared");
    assert!(verdict.findings.is_empty(), "{verdict:?}");
    place.stop().await;
}
