//! The losses of an undo are reported before, and it is carried out completely or not at all.

use eventide::{
    config::Config,
    postgres::{
        Store,
        connect::{Target, quoted},
        migrations::{File, Loss, MigrateError},
    },
};

use super::{
    Place,
    samples::{samples, samples_with},
};
use crate::support::rows::{assert_kept, fill};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loss_is_announced_and_nothing_else_is_lost() {
    let place = Place::new().await;
    let migrations = samples();
    place.up(&migrations).await;
    let mut rows = fill(&place.session.client).await;
    place
        .session
        .execute("INSERT INTO member (guild_id, user_id, mood, tags) SELECT guild_id, 2, mood, tags || 'y'::text FROM member")
        .await;
    let undoing = migrations.undoing(&place.target, 3).await.expect("ready");
    assert_eq!(undoing.names(), ["V7__log", "V5__touch", "V4__member_note"]);
    let loss = undoing.loss();
    assert_eq!(loss.tables, [("log".to_owned(), 1)]);
    assert_eq!(
        loss.columns,
        [("member.note".to_owned(), 1), ("member.warnings".to_owned(), 2)]
    );
    assert_eq!(
        loss.to_string(),
        "  the table log with 1 row\n  the column member.note with 1 value\n  the column member.warnings with 2 values\n"
    );
    // The report changes nothing.
    assert_kept(&place.session.client, &rows).await;
    drop(undoing);
    assert!(
        place
            .has("SELECT note FROM member JOIN log USING (guild_id)")
            .await
    );

    let nothing = migrations.undoing(&place.target, 1).await.expect("ready");
    nothing.run().await.expect("taken back");
    let undoing = migrations.undoing(&place.target, 1).await.expect("ready");
    assert!(undoing.loss().is_nothing(), "{:?}", undoing.loss());
    undoing.run().await.expect("taken back");
    place.down(&migrations, 1).await;
    assert_kept(&place.session.client, &rows).await;
    let (all, _) = migrations.overview(&place.target).await.expect("read");
    let pending: Vec<&str> = all
        .iter()
        .filter(|status| status.applied_on.is_none())
        .map(|status| status.name.as_str())
        .collect();
    assert_eq!(pending, ["V4__member_note", "V5__touch", "V7__log"]);
    assert_eq!(place.up(&migrations).await.len(), 3);
    rows.retain(|table, _| table == "guild");
    assert_kept(&place.session.client, &rows).await;
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_and_types_are_lost_too() {
    let place = Place::new().await;
    let migrations = samples_with(File {
        name: "V7__log",
        sql: "CREATE TABLE log (guild_id BIGINT PRIMARY KEY);",
        undo: Some(
            "DROP TABLE log; DELETE FROM member; UPDATE guild SET name = 'gone'; ALTER TABLE member ALTER warnings TYPE SMALLINT",
        ),
    });
    place.up(&migrations).await;
    fill(&place.session.client).await;
    let undoing = migrations.undoing(&place.target, 1).await.expect("ready");
    let expected = Loss {
        tables: vec![("log".to_owned(), 1)],
        columns: Vec::new(),
        altered: vec![(
            "member.warnings".to_owned(),
            "smallint NOT NULL DEFAULT 0".to_owned(),
        )],
        rows: vec![("guild".to_owned(), 0, 1), ("member".to_owned(), 1, 0)],
    };
    assert_eq!(*undoing.loss(), expected);
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_that_fails_or_is_missing() {
    let place = Place::new().await;
    let file = File {
        name: "V7__log",
        sql: "CREATE TABLE log (guild_id BIGINT PRIMARY KEY);",
        undo: Some("DROP TABLE log;\nDROP TABLE nothing;"),
    };
    let failing = samples_with(file);
    place.up(&failing).await;
    let error = failing
        .undoing(&place.target, 1)
        .await
        .err()
        .expect("it fails")
        .to_string();
    assert!(
        error.starts_with("the undo of migration V7__log failed, and nothing was undone: ")
            && error.contains("\"nothing\""),
        "{error}"
    );
    let without = samples_with(File { undo: None, ..file });
    let error = without.undoing(&place.target, 2).await.err().expect("none");
    assert!(
        matches!(&error, MigrateError::NoUndo { name } if name == "V7__log"),
        "{error}"
    );
    assert!(place.has("SELECT FROM pg_tables WHERE tablename = 'log'").await);
    assert!(
        place
            .has("SELECT FROM refinery_schema_history WHERE version = 7")
            .await
    );
    place.stop().await;
}

/// The tables of a running bot are not dropped; a bot on another instance's tables does not matter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_under_a_running_bot() {
    let place = Place::new().await;
    let migrations = samples();
    place.up(&migrations).await;
    let store = |schema: &str| {
        let target = Target::from(place.postgres.connection()).in_schema(schema);
        Store::new(&target, &Config::defaults().database).expect("a pool")
    };
    // The names are seen by roles that may see nothing else of a session.
    let schema = place.target.schema();
    let rights = format!(
        "CREATE ROLE migrator; GRANT ALL ON SCHEMA {0} TO migrator; GRANT ALL ON ALL TABLES IN SCHEMA {0} TO migrator",
        quoted(schema)
    );
    place.session.execute(&rights).await;
    let migrator = place.target.clone().with(|config| {
        config.options("-c role=migrator");
    });
    let others = [store("public"), store("an \"instance\" more")];
    for other in &others {
        other.ping().await.expect("connected");
    }
    let store = store(schema);
    store.ping().await.expect("connected");
    for target in [&place.target, &migrator] {
        let error = migrations.undoing(target, 1).await.err().expect("it is in use");
        let MigrateError::InUse(sessions) = &error else {
            unreachable!("{error}")
        };
        let [session] = sessions.as_slice() else {
            unreachable!("one, not {sessions:?}")
        };
        let process = format!(":{} in aninsta~", std::process::id());
        assert!(session.contains(&process), "{session}");
    }
    store.close();
    crate::support::until("its connection is closed", async || {
        migrations.undoing(&place.target, 1).await.ok().map(drop)
    })
    .await;

    // A process that starts during the confirmation is detected as well.
    let undoing = migrations.undoing(&place.target, 1).await.expect("ready");
    let late = Store::new(&place.target, &Config::defaults().database).expect("a pool");
    late.ping().await.expect("connected");
    let error = undoing.run().await.expect_err("it is in use");
    assert!(matches!(error, MigrateError::InUse(_)), "{error}");
    assert!(place.has("SELECT FROM pg_tables WHERE tablename = 'log'").await);
    place.stop().await;
}
