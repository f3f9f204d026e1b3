//! Migrations of every kind, as long as the bot has few of its own, and what happens to those that fail.

use eventide::postgres::migrations::{File, MigrateError, Migrations};

use super::Place;

/// Each of them does something different that future versions may do.
const FILES: [File<'static>; 6] = [
    File {
        name: "V1__guild",
        sql: "CREATE TABLE guild (
                  guild_id BIGINT PRIMARY KEY,
                  name     TEXT   NOT NULL CHECK (char_length(name) BETWEEN 2 AND 100),
                  state    TEXT   NOT NULL CHECK (state IN ('on', 'off')),
                  added_at TIMESTAMPTZ NOT NULL DEFAULT now()
              ) WITH (fillfactor = 80);",
        undo: Some("DROP TABLE guild;"),
    },
    File {
        name: "V2__member",
        sql: "CREATE TYPE mood AS ENUM ('calm', 'loud');
              CREATE TABLE member (
                  guild_id BIGINT REFERENCES guild,
                  user_id  BIGINT,
                  mood     mood   NOT NULL,
                  tags     TEXT[] NOT NULL,
                  settings JSONB  NOT NULL DEFAULT '{}',
                  PRIMARY KEY (guild_id, user_id)
              );",
        undo: Some("DROP TABLE member; DROP TYPE mood;"),
    },
    File {
        name: "V3__member_mood_index",
        sql: "-- Finds the loud ones.
              -- Locks: member is read once, and nobody waits for it.
-- eventide: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS member_mood ON member (mood);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"Member Tags\" ON member (tags);",
        undo: Some("DROP INDEX \"Member Tags\"; DROP INDEX member_mood;"),
    },
    File {
        name: "V4__member_note",
        sql: "ALTER TABLE member ADD COLUMN note TEXT, ADD COLUMN warnings INT NOT NULL DEFAULT 0;
              ALTER TABLE member ADD CONSTRAINT member_warnings CHECK (warnings >= 0) NOT VALID;",
        undo: Some("ALTER TABLE member DROP COLUMN warnings, DROP COLUMN note;"),
    },
    File {
        name: "V5__touch",
        sql: "ALTER TABLE member VALIDATE CONSTRAINT member_warnings;
              CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := 'touched'; RETURN NEW; END $$;
              CREATE TRIGGER touch BEFORE UPDATE ON member FOR EACH ROW EXECUTE FUNCTION touch();
              CREATE VIEW loud AS SELECT user_id FROM member WHERE mood = 'loud';",
        undo: Some(
            "DROP VIEW loud; DROP TRIGGER touch ON member; DROP FUNCTION touch();
             ALTER TABLE member DROP CONSTRAINT member_warnings;
             ALTER TABLE member ADD CONSTRAINT member_warnings CHECK (warnings >= 0) NOT VALID;",
        ),
    },
    File {
        name: "V7__log",
        sql: "CREATE TABLE log (
                  guild_id BIGINT,
                  id       BIGINT GENERATED ALWAYS AS IDENTITY,
                  size     BIGINT NOT NULL,
                  twice    BIGINT GENERATED ALWAYS AS (size * 2) STORED,
                  data     BYTEA,
                  parent   BIGINT,
                  PRIMARY KEY (guild_id, id)
              );
              DELETE FROM guild WHERE state = 'gone';",
        undo: Some("DROP TABLE log;"),
    },
];

pub(super) fn samples() -> Migrations {
    Migrations::of(&FILES).expect("migrations")
}

/// The samples, of which one is replaced or to which one is added.
pub(super) fn samples_with(file: File<'static>) -> Migrations {
    let version = |file: &File<'_>| file.name.split_once("__").map(|(version, _)| version.to_owned());
    let mut files: Vec<File<'_>> = FILES.to_vec();
    files.retain(|found| version(found) != version(&file));
    files.push(file);
    Migrations::of(&files).expect("migrations")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_migration_is_rolled_back_and_named() {
    let place = Place::new().await;
    let migrations = samples_with(File {
        name: "V4__breaks",
        sql: "CREATE TABLE half (guild_id BIGINT PRIMARY KEY);\nALTER TABLE half\n  ADD COLUMN a NONSENSE;",
        undo: None,
    });
    let error = migrations
        .up(&place.target, None)
        .await
        .expect_err("it fails")
        .to_string();
    assert!(
        error.starts_with("migration V4__breaks failed and was rolled back: line 3: ")
            && error.contains("nonsense")
            && error.lines().count() == 1,
        "{error}"
    );
    assert!(!place.has("SELECT FROM pg_class WHERE relname = 'half'").await);
    let (statuses, faults) = migrations.overview(&place.target).await.expect("read");
    let applied = statuses
        .iter()
        .filter(|status| status.applied_on.is_some())
        .count();
    assert_eq!((applied, faults.len()), (3, 0));

    // After a correction, it continues from there.
    assert_eq!(
        place.up(&samples()).await,
        ["V4__member_note", "V5__touch", "V7__log"]
    );
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn up_to_a_version() {
    let place = Place::new().await;
    let migrations = samples();
    let to = async |version| migrations.up(&place.target, Some(version)).await;
    assert_eq!(to(2).await.expect("migrated"), ["V1__guild", "V2__member"]);
    assert!(to(2).await.expect("nothing to do").is_empty());
    assert_eq!(to(3).await.expect("migrated"), ["V3__member_mood_index"]);
    let error = to(1).await.expect_err("no way back");
    assert!(
        matches!(&error, MigrateError::Beyond { at, steps: 2 } if at == "V3__member_mood_index"),
        "{error}"
    );
    let error = to(6).await.expect_err("there is none");
    assert!(
        matches!(error, MigrateError::NoSuchVersion { version: 6, .. }),
        "{error}"
    );
    assert_eq!(place.up(&migrations).await.len(), 3);
    place.stop().await;
}

/// Edited, missing and out-of-order files are refused by their names, before anything is changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_that_do_not_fit() {
    let place = Place::new().await;
    place.up(&samples()).await;
    let late = File {
        name: "V6__late",
        sql: "CREATE TABLE late (guild_id BIGINT PRIMARY KEY);",
        undo: None,
    };
    let edited = File {
        name: "V5__touch",
        sql: "SELECT 1;",
        undo: None,
    };
    let renamed = File {
        name: "V5__hit",
        ..edited
    };
    let fewer = Migrations::of(&FILES[..5]).expect("migrations");
    for (migrations, words) in [
        (samples_with(late), "V6__late is older"),
        (samples_with(edited), "V5__touch was changed"),
        (samples_with(renamed), "this binary has V5__hit"),
        (
            fewer,
            "V7__log was applied to this database, but this binary does not",
        ),
    ] {
        let up = migrations
            .up(&place.target, None)
            .await
            .expect_err(words)
            .to_string();
        assert!(up.contains(words) && up.lines().count() == 1, "{up}");
        let down = migrations.undoing(&place.target, 1).await.err();
        assert_eq!(down.map(|error| error.to_string()), Some(up));
    }
    // refinery would panic at it.
    place
        .session
        .execute("UPDATE refinery_schema_history SET applied_on = 'yesterday' WHERE version = 2")
        .await;
    let error = samples()
        .up(&place.target, None)
        .await
        .expect_err("unreadable")
        .to_string();
    assert!(error.contains("the row of migration 2"), "{error}");
    place.stop().await;
}
