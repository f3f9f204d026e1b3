//! Failures, and the state after them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use eventide::postgres::backup::Manifest;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::process::Command;

use super::{Session, backup, change_manifest, ended, eventide, fill, names, restore};
use crate::support::{Scene, bot::url, until};

/// The schema that the backup is of.
const SOURCE: &str = "it's \"x\"";

/// A backup of one schema, and another that it would replace.
struct Stage {
    scene: Scene,
    directory: TempDir,
    good: PathBuf,
    session: Session,
    source: Session,
    before: [String; 2],
}

impl Stage {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let directory = TempDir::new().expect("a directory");
        fill(&scene.postgres, "public", 300).await;
        fill(&scene.postgres, SOURCE, 200).await;
        let good = directory.path().join("good.dump");
        backup(&scene.postgres, SOURCE, &good).await;
        let session = Session::open(&scene.postgres, "public").await;
        let source = Session::open(&scene.postgres, SOURCE).await;
        let before = [session.contents().await, source.contents().await];
        Self {
            scene,
            directory,
            good,
            session,
            source,
            before,
        }
    }

    /// The backup and its manifest under another name.
    fn copy(&self, name: &str) -> PathBuf {
        let file = self.directory.path().join(name);
        fs::copy(&self.good, &file).expect("copied");
        fs::copy(Manifest::path(&self.good), Manifest::path(&file)).expect("copied");
        file
    }

    fn restore(&self, file: &Path) -> Command {
        restore(&self.scene.postgres, "public", file, &["--replace", "--yes"])
    }

    /// Restoring the file is refused with these words, and everything stays as it was.
    async fn refused(&self, file: &Path, words: &[&str]) {
        ended(self.restore(file)).await.refused(1, words);
        let now = [self.session.contents().await, self.source.contents().await];
        assert_eq!(now, self.before);
    }

    /// In the end it can still be restored.
    async fn close(self) {
        ended(self.restore(&self.good)).await.well();
        assert_eq!(self.session.members().await, self.source.members().await);
        assert_eq!(self.source.contents().await, self.before[1]);
        self.session.close().await;
        self.source.close().await;
        self.scene.stop().await;
    }
}

async fn sha256(file: &Path) -> String {
    let output = Command::new("sha256sum")
        .arg(file)
        .output()
        .await
        .expect("sha256sum runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.split_whitespace().next().expect("a sum").to_owned()
}

/// A bad file is detected before anything is changed, and errors during the restore leave everything unchanged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_not_right_changes_nothing() {
    let stage = Stage::new().await;
    let file = stage.copy("tampered");
    let mut bytes = fs::read(&file).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).expect("written");
    stage
        .refused(&file, &["tampered", "its SHA-256 is another one"])
        .await;
    bytes[middle] ^= 1;
    bytes.truncate(bytes.len() * 9 / 10);
    fs::write(&file, &bytes).expect("written");
    stage.refused(&file, &["bytes instead of"]).await;
    // The same, with a manifest that says so: pg_restore fails in the middle.
    let sum = sha256(&file).await;
    change_manifest(&file, |manifest| {
        manifest.bytes = bytes.len() as u64;
        manifest.sha256 = sum;
    });
    stage.refused(&file, &["pg_restore failed: "]).await;

    let file = stage.copy("miscounted");
    change_manifest(&file, |manifest| {
        *manifest.rows.get_mut("member_xp").expect("a table") += 1;
    });
    let words = "psql failed: the table member_xp holds 200 rows, and the manifest says 201";
    stage.refused(&file, &[words]).await;
    change_manifest(&file, |manifest| {
        manifest.rows.remove("member_xp").expect("a table");
    });
    let words = "tables, and its manifest says";
    stage.refused(&file, &[words]).await;
    let file = stage.copy("another's");
    change_manifest(&file, |manifest| "public".clone_into(&mut manifest.schema));
    stage.refused(&file, &["psql failed: "]).await;
    let file = stage.copy("newer");
    change_manifest(&file, |manifest| {
        manifest.migrations.push("V999__things_to_come".to_owned());
    });
    stage.refused(&file, &["V999__things_to_come", "newer"]).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_that_cannot_be_read_changes_nothing() {
    let stage = Stage::new().await;
    let file = stage.copy("without");
    fs::remove_file(Manifest::path(&file)).expect("removed");
    stage
        .refused(&file, &["without.manifest.json", "pg_restore"])
        .await;
    for (text, words) in [
        ("{\"form\": 2}", "newer Eventide"),
        ("{}", "missing field"),
        ("", "EOF"),
    ] {
        fs::write(Manifest::path(&file), text).expect("written");
        stage.refused(&file, &[words]).await;
    }
    let nothing = stage.directory.path().join("nothing");
    stage
        .refused(&nothing, &["neither it nor the backup is there"])
        .await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsuitable_schema_stays_unchanged() {
    let stage = Stage::new().await;
    let owner = Session::open(&stage.scene.postgres, "public").await;
    // Somebody else's view would go with the table.
    owner
        .execute("CREATE SCHEMA reports; CREATE VIEW reports.total AS SELECT sum(xp) FROM public.member_xp")
        .await;
    let words = ["reports.total", "in the schema \"public\"", "drop it first"];
    stage.refused(&stage.good, &words).await;
    owner.execute("DROP SCHEMA reports CASCADE").await;
    // Another process migrates.
    owner
        .execute("SELECT pg_advisory_lock(hashtextextended('eventide migrate public', 0))")
        .await;
    let words = "another process is migrating or restoring the schema \"public\"";
    stage.refused(&stage.good, &[words]).await;
    owner.execute("SELECT pg_advisory_unlock_all()").await;
    // A role without rights.
    owner
        .execute("CREATE ROLE stranger; GRANT ALL ON ALL TABLES IN SCHEMA public TO stranger")
        .await;
    let url = url(&stage.scene.postgres.connection());
    let as_stranger = format!("{url}?options=-c%20role%3Dstranger");
    let stranger = async |schema: &str, words: &str| {
        let mut command = restore(
            &stage.scene.postgres,
            schema,
            &stage.good,
            &["--replace", "--yes"],
        );
        command.env("DATABASE_URL", &as_stranger);
        ended(command).await.refused(1, &[words]);
    };
    stranger("new", "GRANT CREATE ON DATABASE \"eventide\" TO \"stranger\";").await;
    stranger(
        "public",
        "GRANT USAGE, CREATE ON SCHEMA \"public\" TO \"stranger\";",
    )
    .await;
    owner
        .execute(
            "GRANT USAGE, CREATE ON SCHEMA public TO stranger; GRANT CREATE ON DATABASE eventide TO stranger",
        )
        .await;
    stranger("public", "GRANT \"eventide\" TO \"stranger\";").await;
    owner.close().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_leaves_nothing() {
    let scene = Scene::new().await;
    fill(&scene.postgres, "public", 200_000).await;
    let directory = TempDir::new().expect("a directory");
    let small = directory.path().join("small");
    fs::create_dir(&small).expect("made");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "none"])
        .arg(&small)
        .stderr(Stdio::null())
        .status()
        .await
        .is_ok_and(|status| status.success());
    let out = format!("{}/", small.display());
    if mounted {
        let failed = ended(eventide(&scene.postgres, "public", &["backup", "--out", &out])).await;
        let found = names(&small);
        let unmounted = Command::new("umount").arg(&small).status().await;
        assert!(unmounted.expect("umount runs").success());
        failed.refused(1, &["pg_dump failed: ", "No space left on device"]);
        assert!(found.is_empty(), "{found:?}");
    } else {
        // A user who may not mount may still be limited in what they write.
        let mut limited = Command::new("sh");
        limited
            .args([
                "-c",
                "ulimit -f 256; trap '' XFSZ; exec \"$0\" backup --out \"$1\"",
            ])
            .args([env!("CARGO_BIN_EXE_eventide"), &out])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DATABASE_URL", url(&scene.postgres.connection()))
            .stdin(Stdio::null());
        ended(limited)
            .await
            .refused(1, &["pg_dump failed: ", "File too large"]);
        assert!(names(&small).is_empty());
    }
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_stopped_leaves_nothing() {
    let scene = Scene::new().await;
    fill(&scene.postgres, "public", 10).await;
    let directory = TempDir::new().expect("a directory");
    let session = Session::open(&scene.postgres, "public").await;
    session
        .execute("BEGIN; LOCK TABLE shard_checkpoint IN ACCESS EXCLUSIVE MODE")
        .await;
    let out = format!("{}/", directory.path().display());
    let child = eventide(&scene.postgres, "public", &["backup", "--out", &out])
        .spawn()
        .expect("the binary starts");
    let pid = Pid::from_raw(child.id().expect("a process").cast_signed());
    // A transaction keeps its first view of other transactions.
    let watcher = Session::open(&scene.postgres, "public").await;
    let dumps = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'eventide %pg_dump'";
    until("pg_dump waits for the table", async || {
        let waits = format!("{dumps} AND wait_event_type = 'Lock'");
        (watcher.number(&waits).await == 1).then_some(())
    })
    .await;
    assert_eq!(names(directory.path()).len(), 1, "it is being written");
    kill(pid, Signal::SIGTERM).expect("a signal");
    let output = child.wait_with_output().await.expect("an end");
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("eventide: stopped by SIGTERM"), "{errors}");
    assert_eq!(names(directory.path()), [""; 0]);
    session.execute("ROLLBACK").await;
    until("pg_dump has gone", async || {
        (watcher.number(dumps).await == 0).then_some(())
    })
    .await;
    watcher.close().await;
    session.close().await;
    scene.stop().await;
}
