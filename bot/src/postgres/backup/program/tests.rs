use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{Programs, Wanted, listen, major, minor};
use crate::config::Config;

#[test]
fn versions() {
    assert_eq!(major("15.18 (Debian 15.18-0+deb12u1)"), Some(15));
    assert_eq!(major("18rc1"), Some(18));
    assert_eq!(major("devel"), None);
    assert_eq!(minor("15.18 (Debian 15.18-0+deb12u1)"), Some(18));
    assert_eq!(minor("18rc1"), None);
}

#[test]
fn programs_before_the_fix_do_not_restrict_what_psql_runs() {
    for (version, restricts) in [
        ("15.13", false),
        ("15.14", true),
        ("16.9 (Debian)", false),
        ("16.10", true),
        ("17.6", true),
        ("17rc1", false),
        ("18rc1", true),
        ("14.19", false),
    ] {
        let programs = Programs {
            directory: "/".into(),
            major: major(version).expect("a version"),
            minor: minor(version),
            version: version.to_owned(),
        };
        assert_eq!(programs.restricts(), restricts, "{version}");
    }
}

#[tokio::test]
async fn a_restore_wants_programs_with_the_fix_and_a_backup_takes_any() {
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("pg_restore");
    fs::write(&program, "").expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("made executable");
    let mut database = Config::defaults().database;
    database.binaries_directory = Some(directory.path().to_owned());
    let find = async |version: &str, restricted| {
        let script = format!("#!/bin/sh\necho 'pg_restore (PostgreSQL) {version}'\n");
        fs::write(&program, script).expect("written");
        let wanted = Wanted {
            names: &["pg_restore"],
            server: 17,
            oldest: 17,
            who: "the backup was made by pg_dump",
            restricted,
        };
        Programs::find(&database, wanted).await
    };
    assert_eq!(find("17.5", false).await.expect("any").version, "17.5");
    assert_eq!(find("17.6", true).await.expect("the fix").version, "17.6");
    match find("17.5", true).await {
        // If a newer version is installed, it is found.
        Ok(other) => assert_ne!(other.version, "17.5"),
        Err(error) => {
            let error = error.to_string();
            assert!(
                error.contains("17.5 (in ") && error.contains("15.14, 16.10, 17.6 or later"),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn programs_that_are_too_old_or_not_there_are_told() {
    let database = Config::defaults().database;
    let find = |names, oldest| {
        let wanted = Wanted {
            names,
            server: 15,
            oldest,
            who: "the server is PostgreSQL",
            restricted: true,
        };
        Programs::find(&database, wanted)
    };
    let programs = find(&["pg_dump"], 15).await.expect("the tests' own PostgreSQL");
    assert!(programs.major >= 15 && programs.version.starts_with(&programs.major.to_string()));
    let error = find(&["pg_dump"], 99).await.expect_err("none").to_string();
    let wanted = format!(
        "the server is PostgreSQL 99, and the newest pg_dump found is {}",
        programs.version
    );
    assert!(error.starts_with(&wanted), "{error}");
    assert!(error.contains("apt-get install postgresql-client-99"), "{error}");
    let error = find(&["pg_dump", "pg_nothing"], 15)
        .await
        .expect_err("none")
        .to_string();
    assert!(
        error.starts_with("found no pg_dump and pg_nothing in "),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1);
}

#[tokio::test]
async fn the_first_error_tells() {
    let said = "pg_dump: dumping contents of table \"public.t\"\n\
                psql:<stdin>:12: ERROR:  relation \"t\" already exists\n\
                pg_dump: error: later\n";
    let mut lines = 0;
    let message = listen(said.as_bytes(), |_| lines += 1).await;
    assert_eq!(message.as_deref(), Some("relation \"t\" already exists"));
    assert_eq!(lines, 3);
    assert_eq!(
        listen(&b"killed\n\n"[..], |_| ()).await.as_deref(),
        Some("killed")
    );
    assert_eq!(listen(&b""[..], |_| ()).await, None);
}
