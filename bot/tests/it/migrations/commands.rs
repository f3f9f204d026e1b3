//! `eventide migrate` on the command line.

use std::{
    fs::File,
    io::Write as _,
    process::{Output, Stdio},
};

use tokio::process::Command;

use super::Place;
use crate::support::{
    bot::{command, url},
    rows::fill,
};

const QUESTION: &str = "Continue? Type yes: ";

impl Place {
    pub(super) fn migrate(&self, arguments: &[&str]) -> Command {
        let mut command = command(&[&["migrate"], arguments].concat());
        command
            .current_dir(self.directory.path())
            .env("DATABASE_URL", url(&self.postgres.connection()))
            .env("DB_SCHEMA", self.target.schema());
        command
    }
}

/// Exit code, standard output, and the lines for the operator on standard error.
fn told(output: &Output) -> (i32, String, Vec<String>) {
    // On a terminal, the line ends with the answer.
    let errors = String::from_utf8_lossy(&output.stderr).replace(QUESTION, "");
    assert!(!errors.contains("panicked"), "{errors}");
    let lines = errors.lines().filter_map(|line| line.strip_prefix("eventide: "));
    (
        output.status.code().expect("an exit code"),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        lines.map(str::to_owned).collect(),
    )
}

pub(super) async fn run(mut command: Command) -> (i32, String, Vec<String>) {
    told(&command.output().await.expect("the binary runs"))
}

/// An operator on a terminal who types this.
async fn typed(mut command: Command, answer: &str) -> (i32, String, Vec<String>) {
    let terminal = nix::pty::openpty(None, None).expect("a terminal");
    command.stdin(Stdio::from(terminal.slave));
    // Typed text waits until it is read.
    let mut keyboard = File::from(terminal.master);
    keyboard.write_all(answer.as_bytes()).expect("typed");
    let output = command.output().await.expect("the binary runs");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains(QUESTION),
        "it asks"
    );
    told(&output)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn up_down_status_and_verify() {
    let place = Place::new().await;
    let all = eventide::postgres::migrations::Migrations::embedded().names();
    let newest = all.last().expect("there are some").clone();

    let (code, out, _) = run(place.migrate(&["status"])).await;
    assert_eq!(code, 0);
    assert_eq!(out.lines().count(), all.len() + 2, "{out}");
    assert!(out.contains("V1__") && out.contains("pending"), "{out}");
    let (code, out, _) = run(place.migrate(&["up", "--to", "1"])).await;
    assert_eq!(code, 0);
    assert!(out.starts_with("1 applied: the schema is at V1__"), "{out}");
    let (code, _, lines) = run(place.migrate(&["up", "--to", "9999"])).await;
    assert_eq!(code, 1);
    assert_eq!(
        lines,
        [format!(
            "database: there is no migration 9999: this binary's newest is {newest}"
        )]
    );
    assert_eq!(run(place.migrate(&["up"])).await.0, 0);
    let (code, out, lines) = run(place.migrate(&["verify"])).await;
    assert_eq!((code, lines.len()), (0, 0), "{out} {lines:?}");
    assert!(out.contains("are what the migrations make"), "{out}");

    // Nobody is asked, so nothing is done.
    let (code, _, lines) = run(place.migrate(&["down"])).await;
    assert_eq!(code, 64);
    assert!(lines.len() == 1 && lines[0].contains("--yes"), "{lines:?}");
    fill(&place.session.client).await;
    let steps = all.len().to_string();
    for answer in ["no\n", "\n", "y\n"] {
        let (code, out, lines) = typed(place.migrate(&["down", "--steps", &steps]), answer).await;
        assert_eq!(
            (code, lines),
            (1, vec!["cancelled; nothing was changed".to_owned()])
        );
        assert!(out.contains("  the table member_xp with 1 row\n"), "{out}");
    }
    let (code, out, lines) = typed(place.migrate(&["down", "--steps", &steps]), "yes\n").await;
    assert_eq!((code, lines.len()), (0, 0), "{lines:?}");
    assert_eq!(out.matches("undid V").count(), all.len(), "{out}");
    let (code, out, _) = run(place.migrate(&["down", "--yes"])).await;
    assert_eq!((code, out.as_str()), (0, "no migration is applied\n"));
    assert_eq!(run(place.migrate(&["up"])).await.0, 0);
    let (code, out, _) = run(place.migrate(&["down", "--yes"])).await;
    assert_eq!(code, 0);
    assert!(out.ends_with(&format!("undid {newest}\n")), "{out}");
    assert_eq!(run(place.migrate(&["up"])).await.0, 0);

    // One line per finding; the table is shown nevertheless.
    place
        .session
        .execute(
            "UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1;
             ALTER TABLE member_xp ADD mine TEXT",
        )
        .await;
    let (code, out, lines) = run(place.migrate(&["status"])).await;
    assert_eq!((code, lines.len()), (1, 1), "{lines:?}");
    assert!(
        out.contains("V1__") && lines[0].contains("was changed"),
        "{out} {lines:?}"
    );
    let (code, _, lines) = run(place.migrate(&["verify"])).await;
    assert_eq!((code, lines.len()), (1, 2), "{lines:?}");
    assert!(lines[1].contains("member_xp.mine"), "{lines:?}");
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn create() {
    let checkout = tempfile::TempDir::new().expect("a directory");
    let create = |name: &str| {
        let mut command = command(&["migrate", "create", name]);
        command.current_dir(checkout.path());
        command
    };
    let (code, _, lines) = run(create("add_things")).await;
    assert_eq!(code, 1);
    assert!(lines.len() == 1 && lines[0].contains("checkout"), "{lines:?}");
    let directory = checkout.path().join("migrations");
    std::fs::create_dir(&directory).expect("made");
    std::fs::write(directory.join("V1__first.sql"), "").expect("written");
    // It needs nothing that is configured, not even something right.
    std::fs::write(checkout.path().join("config.toml"), "nonsense").expect("written");
    let (code, out, _) = run(create("add_things")).await;
    assert_eq!(code, 0);
    for line in out.lines() {
        assert!(std::path::Path::new(line).is_file(), "{line}");
    }
    assert!(
        out.contains("V2__add_things.sql") && out.contains("V2__add_things.undo.sql"),
        "{out}"
    );
    let (code, _, lines) = run(create("Add Things")).await;
    assert_eq!((code, lines.len()), (1, 1), "{lines:?}");
}

/// A start that may not migrate says so, rather than fail at the first flush.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_is_not_to_migrate() {
    let place = Place::new().await;
    let newest = eventide::postgres::migrations::Migrations::embedded()
        .names()
        .pop();
    let missing = newest.expect("there is one");
    assert_eq!(run(place.migrate(&["up"])).await.0, 0);
    assert_eq!(run(place.migrate(&["down", "--yes"])).await.0, 0);
    let mut start = command(&["run"]);
    start
        .current_dir(place.directory.path())
        .env("DISCORD_TOKEN", "no-secret")
        .env("DATABASE_URL", url(&place.postgres.connection()))
        .env("DB_SCHEMA", place.target.schema())
        .env("EVENTIDE__DATABASE__MIGRATE_ON_START", "false")
        .env("EVENTIDE__HTTP__LISTEN", "127.0.0.1:0");
    let (code, _, lines) = run(start).await;
    assert_eq!((code, lines.len()), (1, 1), "{lines:?}");
    assert!(
        lines[0].contains(&missing) && lines[0].contains("eventide migrate up"),
        "{lines:?}"
    );
    place.stop().await;
}
