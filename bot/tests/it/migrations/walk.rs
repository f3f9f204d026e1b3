//! Every version with rows: a database is migrated from version to version with its data, and back again.

use std::collections::BTreeMap;

use discord_simulator::SimulatorConfig;
use eventide::postgres::{
    connect::Target,
    migrations::{Catalog, Migrations},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{Place, samples::samples};
use crate::support::{
    bot::{discord, spawn_in},
    full_counts,
    rows::{Rows, assert_kept, assert_kept_by_a_bot, fill},
    session::Session,
    until,
};

/// The files of the tables' rows: a table that is rewritten gets another file.
async fn files(session: &Session) -> BTreeMap<String, i64> {
    let rows = session
        .client
        .query(
            "SELECT relname::text, pg_relation_filenode(oid)::bigint FROM pg_class
             WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND relkind = 'r'",
            &[],
        )
        .await
        .expect("read");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Columns that a version fills on purpose: this one computes the buckets and counts of existing members.
const CHANGED: [(i32, &str, &str); 3] = [
    (14, "member_xp", "by_xp"),
    (14, "member_xp", "by_messages"),
    (14, "board_place", "members"),
];

/// Migrate up one version at a time with a row in every existing table, down again one at a time, and up at once.
async fn walk(migrations: &Migrations) {
    let place = Place::new().await;
    let versions = migrations.versions();
    let target = place.target.clone().in_schema("a walk");
    migrations.up(&target, Some(0)).await.expect("nothing to do");
    let session = Session::open(&target).await;

    let mut catalogs = vec![Migrations::catalog(&target).await.expect("read")];
    assert_eq!(catalogs[0], Catalog::default());
    let mut rows = Rows::new();
    for version in &versions {
        let before = files(&session).await;
        let applied = migrations.up(&target, Some(*version)).await.expect("migrated");
        assert_eq!(applied.len(), 1, "version {version}");
        catalogs.push(Migrations::catalog(&target).await.expect("read"));
        for (_, table, column) in CHANGED.iter().filter(|(changing, ..)| changing == version) {
            let row = rows.get_mut(*table).expect("it was filled");
            row.remove(*column).expect("a column");
        }
        assert_kept(&session.client, &rows).await;
        for (table, file) in files(&session).await {
            if let Some(before) = before.get(&table).filter(|_| table != "refinery_schema_history") {
                assert_eq!(
                    *before, file,
                    "version {version} writes {table} anew, which locks it for long"
                );
            }
        }
        rows = fill(&session.client).await;
    }
    let verdict = migrations.verify(&target).await.expect("compared");
    assert!(
        verdict.findings.is_empty() && verdict.notes.is_empty(),
        "{verdict:?}"
    );

    for (left, version) in versions.iter().enumerate().rev() {
        let undoing = migrations.undoing(&target, 1).await.expect("ready");
        undoing.run().await.expect("taken back");
        let catalog = Migrations::catalog(&target).await.expect("read");
        assert_eq!(catalog, catalogs[left], "the undo of version {version}");
    }
    let undoing = migrations.undoing(&target, 1).await.expect("ready");
    assert!(undoing.names().is_empty());
    drop(undoing);
    let applied = migrations.up(&target, None).await.expect("migrated");
    assert_eq!(applied, migrations.names());
    let catalog = Migrations::catalog(&target).await.expect("read");
    assert_eq!(Some(&catalog), catalogs.last());
    session.close().await;
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bot_s_migrations() {
    walk(&Migrations::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_of_every_kind() {
    walk(&samples()).await;
}

/// The real binary migrates a database that was restored from an older version: some versions, or all of them with full counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_older_versions() {
    let place = Place::new().await;
    let migrations = Migrations::embedded();
    let versions = migrations.versions();
    let newest = versions.len();
    let tried = |position: &usize| full_counts() || position.is_multiple_of(6) || position + 1 >= newest;
    for position in (0..=newest).filter(tried) {
        let version = if position == 0 { 0 } else { versions[position - 1] };
        let schema = format!("version {version}");
        let target = Target::from(place.postgres.connection()).in_schema(&schema);
        migrations.up(&target, Some(version)).await.expect("migrated");
        let session = Session::open(&target).await;
        let mut rows = fill(&session.client).await;
        // Backfill left by an earlier process would be adopted, and count.
        for (table, _) in rows.extract_if(.., |table, _| table.starts_with("backfill_")) {
            let delete = format!("DELETE FROM {table}");
            session.client.batch_execute(&delete).await.expect("deleted");
        }
        // A new Discord for each: on the same one, there would be 5 s from one session to the next.
        let discord = discord(SimulatorConfig::default()).await;
        let mut bot = spawn_in(&discord, &place.postgres.connection(), &schema);
        until("the bot has a checkpoint of its own", async || {
            let rows = session
                .client
                .query(
                    // The row that was there before is another shard's.
                    "SELECT FROM shard_checkpoint WHERE shard_id = 0 AND session_id IS NOT NULL",
                    &[],
                )
                .await
                // The table is not there yet.
                .unwrap_or_default();
            (!rows.is_empty()).then_some(())
        })
        .await;
        let pid = Pid::from_raw(bot.id().expect("it runs").cast_signed());
        kill(pid, Signal::SIGTERM).expect("signalled");
        let status = bot.wait().await.expect("it ends");
        assert!(status.success(), "{status}");
        let (all, faults) = migrations.overview(&target).await.expect("read");
        assert!(all.iter().all(|status| status.applied_on.is_some()), "{all:?}");
        assert!(faults.is_empty(), "{faults:?}");
        assert_kept_by_a_bot(&session.client, &rows).await;
        session.close().await;
    }
    place.stop().await;
}
