//! Manual changes of the tables are found.

use std::process::Command;

use eventide::postgres::{
    connect::{Target, quoted},
    migrations::File,
};

use super::{
    Place,
    samples::{samples, samples_with},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_difference_is_named() {
    let place = Place::new().await;
    let migrations = samples();
    place.up(&migrations).await;
    let verdict = migrations.verify(&place.target).await.expect("compared");
    assert!(
        verdict.findings.is_empty() && verdict.notes.is_empty(),
        "{verdict:?}"
    );
    place
        .session
        .execute(
            "ALTER TABLE guild ALTER state DROP NOT NULL, RESET (fillfactor);
             ALTER TABLE member ADD mine TEXT, DROP CONSTRAINT member_guild_id_fkey, ALTER warnings SET DEFAULT 1;
             DROP INDEX member_mood;
             CREATE INDEX \"by me\" ON guild (name);
             CREATE OR REPLACE VIEW loud AS SELECT user_id FROM member WHERE mood = 'calm';
             ALTER TABLE member DISABLE TRIGGER touch;
             ALTER TYPE mood ADD VALUE 'bored';
             DROP TABLE log;
             CREATE TABLE mine (a INT PRIMARY KEY)",
        )
        .await;
    let verdict = migrations.verify(&place.target).await.expect("compared");
    for words in [
        "the table log is missing",
        "the constraint member.member_guild_id_fkey is missing",
        "the index member.member_mood is missing",
        "the column guild.state is text, and should be text NOT NULL",
        "the table guild is plain, and should be plain with (fillfactor=80)",
        "the column member.warnings is integer NOT NULL DEFAULT 1, and should be",
        "the view loud is SELECT",
        "the trigger member.touch is CREATE TRIGGER",
        "the type mood is 'calm', 'loud', 'bored', and should be 'calm', 'loud'",
        "the column member.mine is one more",
        "the index guild.by me is one more than the migrations make: every flush pays for it",
    ] {
        assert!(
            verdict.findings.iter().any(|finding| finding.starts_with(words)),
            "{words}: {:#?}",
            verdict.findings
        );
    }
    assert_eq!(verdict.findings.len(), 11, "{:#?}", verdict.findings);
    assert_eq!(verdict.notes, ["the table mine is not Eventide's"]);
    assert!(
        !place
            .has("SELECT FROM pg_namespace WHERE nspname LIKE 'eventide_verify%'")
            .await
    );
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_and_undos() {
    let place = Place::new().await;
    samples().up(&place.target, Some(5)).await.expect("migrated");
    let edited = File {
        name: "V1__guild",
        sql: "CREATE TABLE guild (guild_id BIGINT PRIMARY KEY);",
        undo: None,
    };
    let migrations = samples_with(edited);
    let place_verdict = migrations.verify(&place.target).await;
    let verdict = place_verdict.expect("compared");
    assert!(
        verdict.findings[0].starts_with("migration V1__guild was changed"),
        "{verdict:?}"
    );
    assert!(
        verdict.findings[1].starts_with("migration V1__guild has no undo"),
        "{verdict:?}"
    );
    assert!(
        verdict
            .findings
            .iter()
            .any(|finding| finding == "the column guild.name is one more than the migrations make"),
        "{verdict:?}"
    );
    assert!(
        verdict.notes.contains(&"migration V7__log is pending".to_owned()),
        "{verdict:?}"
    );

    // A newer database: this version does not know what it should look like.
    place
        .session
        .execute("UPDATE refinery_schema_history SET version = 9, name = 'newer' WHERE version = 5")
        .await;
    let verdict = samples().verify(&place.target).await.expect("compared");
    assert!(
        verdict.findings[0].starts_with("migration V9__newer was applied"),
        "{verdict:?}"
    );
    assert!(
        verdict.notes.iter().any(|note| note.contains("not compared")),
        "{verdict:?}"
    );
    place.stop().await;
}

/// A dump contains definitions as returned by the server, and a restore must not look like drift.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_dump_is_the_same() {
    let place = Place::new().await;
    let migrations = samples();
    place.up(&migrations).await;
    place.session.execute("CREATE DATABASE restored").await;
    let mut connection = place.postgres.connection();
    let tokio_postgres::config::Host::Unix(socket) = connection.get_hosts()[0].clone() else {
        unreachable!("the private server is on a socket")
    };
    let dump = place.directory.path().join("dump.sql");
    let run = |program: &str, database: &str| {
        let output = Command::new(program)
            .args(["--username", "eventide", "--no-password", "--host"])
            .arg(&socket)
            .args(["--dbname", database, "--file"])
            .arg(&dump)
            .output()
            .expect("PostgreSQL's programs are in PATH");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    run("pg_dump", "eventide");
    run("psql", "restored");
    connection.dbname("restored");
    let target = Target::from(connection).in_schema(place.target.schema());
    let verdict = migrations.verify(&target).await.expect("compared");
    assert!(
        verdict.findings.is_empty() && verdict.notes.is_empty(),
        "{verdict:?}"
    );
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_not_compare() {
    let place = Place::new().await;
    let migrations = samples();
    place.up(&migrations).await;
    let schema = quoted(place.target.schema());
    let rights = format!(
        "CREATE ROLE runner; GRANT USAGE ON SCHEMA {schema} TO runner; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO runner"
    );
    place.session.execute(&rights).await;
    let target = place.target.clone().with(|config| {
        config.options("-c role=runner");
    });
    let verdict = migrations.verify(&target).await.expect("looked at");
    assert_eq!(verdict.findings.len(), 1, "{verdict:?}");
    assert!(
        verdict.findings[0].contains("GRANT CREATE ON DATABASE \"eventide\" TO \"runner\";"),
        "{verdict:?}"
    );
    place.stop().await;
}
