//! Two versions side by side: the schema is that of the newer one, and the older one works until the schema requires more than it knows.

use std::{fs::File, process::Stdio};

use discord_simulator::{Rate, Simulator, SimulatorConfig};
use eventide::{
    config::Config,
    postgres::{
        Store,
        migrations::{self, MigrateError, Migrations},
    },
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::process::{Child, Command};

use super::{Place, commands::run};
use crate::support::{
    bot::{command, command_on, discord, settle_exactly, up, url},
    until,
};

/// What a newer version would have done: its migration, with its row in the history. Returns its name.
async fn a_newer_version_was_here(place: &Place) -> String {
    let newest = Migrations::embedded().versions().pop().expect("there is one");
    let sql = format!(
        "BEGIN;
         ALTER TABLE member_xp ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
         CREATE TABLE mood (guild_id BIGINT PRIMARY KEY);
         INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
         VALUES ({0}, 'newer', '2026-11-21T12:00:00Z', '1');
         COMMIT",
        newest + 1
    );
    place.session.execute(&sql).await;
    format!("V{}__newer", newest + 1)
}

/// The real binary in the place's schema, with its output in a file with that name.
fn bot(place: &Place, discord: &Simulator, log: &str) -> Command {
    let mut command = command_on(discord, &place.postgres.connection());
    let file = File::create(place.directory.path().join(log)).expect("made");
    command
        .env("DB_SCHEMA", place.target.schema())
        .env("EVENTIDE__FLEET__LEASE_SECONDS", "3")
        .stderr(Stdio::from(file));
    command
}

async fn stopped(mut bot: Child) {
    let pid = Pid::from_raw(bot.id().expect("it runs").cast_signed());
    kill(pid, Signal::SIGTERM).expect("signalled");
    let status = bot.wait().await.expect("it ends");
    assert!(status.success(), "{status}");
}

async fn spread_is(place: &Place, wanted: &[i64]) {
    let sql =
        "SELECT count(*) FROM shard_lease WHERE process_id IS NOT NULL GROUP BY process_id ORDER BY 1 DESC";
    until("the shards are spread", async || {
        let rows = place.session.client.query(sql, &[]).await.expect("leases");
        let spread: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        (spread == wanted).then_some(())
    })
    .await;
}

async fn more(discord: &Simulator) {
    let before = discord.oracle().sent();
    until("more is sent", async || {
        (discord.oracle().sent() > before + 300).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_older_one_goes_on_and_starts_beside_the_newer() {
    let place = Place::new().await;
    let discord = discord(SimulatorConfig {
        shards: 2,
        ..SimulatorConfig::default()
    })
    .await;
    migrations::up(&place.target).await.expect("migrated");
    let first = bot(&place, &discord, "first").spawn().expect("it starts");
    up(&discord, 2).await;
    discord.control().set_rate(Rate::PerSecond(500.0));
    more(&discord).await;
    // Under the one that runs.
    let newer = a_newer_version_was_here(&place).await;
    more(&discord).await;
    let second = bot(&place, &discord, "second")
        .env("EVENTIDE__DATABASE__MIGRATE_ON_START", "false")
        .spawn()
        .expect("it starts");
    spread_is(&place, &[1, 1]).await;
    more(&discord).await;
    stopped(first).await;
    let third = bot(&place, &discord, "third").spawn().expect("it starts");
    spread_is(&place, &[1, 1]).await;
    more(&discord).await;
    let store = Store::new(&place.target, &Config::defaults().database).expect("a pool");
    settle_exactly(&discord, &store).await;
    assert_eq!(discord.control().stats().sessions_started(), 2);
    store.close();
    stopped(second).await;
    stopped(third).await;
    for (log, lines) in [("first", 0), ("second", 1), ("third", 1)] {
        let text = std::fs::read_to_string(place.directory.path().join(log)).expect("a log");
        let found = text
            .lines()
            .filter(|line| line.contains(&newer) && line.contains("can work with"));
        assert_eq!(found.count(), lines, "{log}: {text}");
    }
    place.stop().await;
}

/// All commands that examine the schema report the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_a_newer_schema() {
    let place = Place::new().await;
    let discord = discord(SimulatorConfig::default()).await;
    migrations::up(&place.target).await.expect("migrated");
    let newer = a_newer_version_was_here(&place).await;
    let doctor = || {
        let mut command = command(&["doctor"]);
        command
            .env("DATABASE_URL", url(&place.postgres.connection()))
            .env("DB_SCHEMA", place.target.schema());
        command
    };

    let (code, out, lines) = run(place.migrate(&["status"])).await;
    assert_eq!((code, lines.len()), (0, 0), "{lines:?}");
    assert!(
        out.contains(&newer) && out.contains("applied by a newer version"),
        "{out}"
    );
    let (code, out, lines) = run(place.migrate(&["verify"])).await;
    assert_eq!((code, lines.len()), (0, 0), "{lines:?}");
    assert!(
        out.contains(&newer) && out.contains("not compared") && !out.contains("history and tables"),
        "{out}"
    );
    let (code, out, _) = run(place.migrate(&["up"])).await;
    assert_eq!((code, out.as_str()), (0, "nothing to apply\n"));
    let (code, _, lines) = run(place.migrate(&["down", "--yes"])).await;
    assert_eq!(code, 1);
    assert_eq!(
        lines,
        [format!(
            "database: this binary does not have the migration {newer}, so it cannot undo it: run `eventide migrate down` with the version of Eventide that contains it"
        )]
    );
    let (_, out, _) = run(doctor()).await;
    let fine = format!("is ahead of this binary, which can work with it: {newer}");
    assert!(out.contains(&fine), "{out}");

    let minimum = i64::from(*Migrations::embedded().versions().last().expect("one")) + 1;
    let raise = format!("UPDATE schema_minimum SET version = {minimum}");
    place.session.execute(&raise).await;
    let known = Migrations::embedded().names().pop().expect("one");
    let refused = format!(
        "the schema \"an \"\"instance\"\"\" needs the migration {newer}, and this binary's newest is {known}: it is too old; start a \
         version of Eventide that has it"
    );
    for arguments in [&["up"][..], &["down", "--yes"]] {
        let (code, _, lines) = run(place.migrate(arguments)).await;
        assert_eq!((code, lines), (1, vec![format!("database: {refused}")]));
    }
    for arguments in [&["status"][..], &["verify"]] {
        let (code, out, lines) = run(place.migrate(arguments)).await;
        assert_eq!(code, 1, "{out}");
        assert!(lines.len() == 1 && lines[0].contains(&refused), "{lines:?}");
    }
    let (code, out, _) = run(doctor()).await;
    assert_eq!(code, 1);
    assert!(out.contains(&refused), "{out}");
    for migrates in ["true", "false"] {
        let mut start = command_on(&discord, &place.postgres.connection());
        start
            .env("DB_SCHEMA", place.target.schema())
            .env("EVENTIDE__DATABASE__MIGRATE_ON_START", migrates)
            .stderr(Stdio::piped());
        let (code, _, lines) = run(start).await;
        assert_eq!((code, lines), (1, vec![format!("database: {refused}")]));
    }
    assert_eq!(discord.control().stats().sessions_started(), 0);
    place.stop().await;
}

const MINIMUM: migrations::File<'_> = migrations::File {
    name: "V1__schema_minimum",
    sql: "CREATE TABLE schema_minimum (version BIGINT PRIMARY KEY); INSERT INTO schema_minimum VALUES (1);
          CREATE TABLE t (guild_id BIGINT PRIMARY KEY, a INT);",
    undo: Some("DROP TABLE t; DROP TABLE schema_minimum;"),
};
const EXPANDS: migrations::File<'_> = migrations::File {
    name: "V2__expands",
    sql: "ALTER TABLE t ADD COLUMN b INT;",
    undo: Some("ALTER TABLE t DROP COLUMN b;"),
};
const CONTRACTS: migrations::File<'_> = migrations::File {
    name: "V3__contracts",
    sql: "ALTER TABLE t DROP COLUMN a; UPDATE schema_minimum SET version = 2;",
    undo: Some("ALTER TABLE t ADD COLUMN a INT; UPDATE schema_minimum SET version = 1;"),
};

/// In any order, both end in the same state, and a version that is too old detects it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_that_start_at_once() {
    let place = Place::new().await;
    let of = |files: &[migrations::File<'_>]| Migrations::of(files).expect("migrations");
    let versions = [
        of(&[MINIMUM]),
        of(&[MINIMUM, EXPANDS]),
        of(&[MINIMUM, EXPANDS, CONTRACTS]),
    ];
    let [oldest, older, newest] = &versions;
    for round in 0..5 {
        let target = place.target.clone().in_schema(&format!("round {round}"));
        let (first, second, third) = tokio::join!(
            oldest.up(&target, None),
            older.up(&target, None),
            newest.up(&target, None),
        );
        let applied = [first.as_ref().map_or(0, Vec::len), second.expect("stood").len()];
        assert_eq!(
            applied.iter().sum::<usize>() + third.expect("up to date").len(),
            3
        );
        // It was before the newest one, or has found out.
        if let Err(error) = first {
            assert!(
                matches!(&error, MigrateError::TooOld { needed, .. } if needed == "V2__expands"),
                "{error}"
            );
        }
        let error = oldest.up(&target, None).await.expect_err("too old");
        assert!(matches!(error, MigrateError::TooOld { .. }), "{error}");
        assert!(older.up(&target, None).await.expect("stood").is_empty());
        let error = older.undoing(&target, 1).await.err().expect("not its own");
        assert!(
            matches!(&error, MigrateError::Foreign { name } if name == "V3__contracts"),
            "{error}"
        );

        // Taken back by the one that has it, the oldest may start again.
        let undoing = newest.undoing(&target, 1).await.expect("ready");
        assert!(undoing.loss().rows.is_empty(), "{:?}", undoing.loss());
        undoing.run().await.expect("taken back");
        assert!(oldest.up(&target, None).await.expect("stood").is_empty());
    }
    place.stop().await;
}
