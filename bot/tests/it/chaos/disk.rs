//! PostgreSQL's disk is full. It is a small file system in memory, which requires the privilege to mount one.

use std::{
    fs::{self, File, Permissions},
    io::Write as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use eventide::postgres::{connect::Target, embedded::StopMode};
use futures_util::future::LocalBoxFuture;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::time::sleep;

use super::{Extent, Fault, SELDOM, database::restarted, stage::Stage};
use crate::support::until;

pub(super) fn faults() -> Vec<Fault> {
    let on_a_small_disk = |name, inject| Fault {
        missing: || SmallDisk::new(1, None).err(),
        tries: SELDOM,
        ..Fault::new(name, inject)
    };
    vec![
        on_a_small_disk("PostgreSQL's disk is full: the tables' (ERROR 53100)", tables),
        on_a_small_disk("PostgreSQL's disk is full: the log's (PANIC)", log),
    ]
}

/// A file system of a few megabytes. Unmounted when dropped.
pub(super) struct SmallDisk {
    directory: TempDir,
}

impl SmallDisk {
    /// A disk that belongs to the owner of `like`.
    fn new(mebibytes: u32, like: Option<&Path>) -> Result<Self, String> {
        let directory = TempDir::new().expect("a temporary directory");
        // If the tests run as root, PostgreSQL runs as another user.
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("a directory to enter");
        let disk = directory.path().join("disk");
        fs::create_dir(&disk).expect("a directory");
        let Output { status, stderr, .. } = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={mebibytes}m,mode=0700"),
                "tmpfs",
            ])
            .arg(&disk)
            .output()
            .map_err(|error| format!("mount cannot be run ({error})"))?;
        if !status.success() {
            let why = String::from_utf8_lossy(&stderr);
            return Err(why.lines().next().unwrap_or("mount is refused").to_owned());
        }
        let small = Self { directory };
        if let Some(like) = like {
            let owner = fs::metadata(like).expect("a directory");
            chown(small.path(), Some(owner.uid()), Some(owner.gid())).expect("a change of owner");
        }
        Ok(small)
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("disk")
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Leave nothing free.
    fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("a file");
        let zeros = vec![0; 1 << 16];
        while ballast.write_all(&zeros).is_ok() {}
        while ballast.write_all(&zeros[..512]).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).expect("removed");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Immediately, or when the last open file is closed. If it fails, the directory remains; nothing is lost.
        drop(Command::new("umount").arg("--lazy").arg(self.path()).status());
    }
}

/// There is no room for new rows: the statements fail, and the server continues.
fn tables(stage: &mut Stage, _extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        const FAILED: &str = "eventide_flush_failures_total{class=\"53";
        let session = stage.session().await;
        if stage.disk.is_none() {
            let disk = SmallDisk::new(64, Some(stage.scene.postgres.data_directory())).expect("a disk");
            let place = disk.path().join("tables");
            fs::create_dir(&place).expect("a directory");
            let owner = fs::metadata(disk.path()).expect("a directory");
            chown(&place, Some(owner.uid()), Some(owner.gid())).expect("a change of owner");
            let create = format!("CREATE TABLESPACE small LOCATION '{}'", place.display());
            session.execute(&create).await;
            session
                .execute("ALTER TABLE member_xp SET TABLESPACE small, SET (fillfactor = 100, autovacuum_enabled = off)")
                .await;
            stage.disk = Some(disk);
        }
        let disk = stage.disk.as_ref().expect("a disk");
        disk.fill();
        let before = stage.metric(FAILED).await;
        until("flushes fail", async || {
            (stage.metric(FAILED).await >= before + 3.0).then_some(())
        })
        .await;
        disk.make_room();
        session.close().await;
    })
}

/// Without WAL nothing can be done, and WAL that ends in the middle stops the server: it is started again when there is room.
fn log(stage: &mut Stage, _extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        if stage.disk.is_none() {
            stage.disk = Some(move_log(stage).await);
            stage.receives().await;
        }
        let disk = stage.disk.as_ref().expect("a disk");
        disk.fill();
        let panics = panics(stage);
        let target = Target::from(stage.scene.postgres.connection());
        until("the server panics", async || {
            // A new segment each time, until there is no room for one. After a panic the server does not answer any more.
            if let Ok((client, driver)) = target.connect().await {
                let switched = client.batch_execute(
                    "CREATE TABLE IF NOT EXISTS filler (); DROP TABLE filler; SELECT pg_switch_wal()",
                );
                drop(
                    tokio::time::timeout(
                        Duration::from_secs(5),
                        futures_util::future::join(switched, driver_of(driver)),
                    )
                    .await,
                );
            }
            (self::panics(stage) > panics).then_some(())
        })
        .await;
        // It tries to recover by itself, without success.
        sleep(Duration::from_secs(2)).await;
        disk.make_room();
        restarted(stage, StopMode::Immediate).await;
    })
}

/// Drive a connection for as long as it lives.
async fn driver_of(driver: eventide::postgres::connect::Driver) {
    // It ends with its server, as intended.
    drop(driver.await);
}

/// How often the server has panicked, as its own log says.
fn panics(stage: &Stage) -> usize {
    let logs = fs::read_dir(stage.scene.postgres.log_directory()).expect("PostgreSQL's log");
    logs.flatten()
        .map(|file| fs::read_to_string(file.path()).unwrap_or_default())
        .map(|text| text.matches("PANIC:").count())
        .sum()
}

/// Move the server's log to a small disk.
async fn move_log(stage: &mut Stage) -> SmallDisk {
    let session = stage.session().await;
    for setting in [
        "max_wal_size = '32MB'",
        "min_wal_size = '32MB'",
        "wal_recycle = off",
    ] {
        session.execute(&format!("ALTER SYSTEM SET {setting}")).await;
    }
    session.close().await;
    let data = stage.scene.postgres.data_directory().to_owned();
    let disk = SmallDisk::new(160, Some(&data)).expect("a disk");
    kill(Pid::from_raw(stage.scene.postgres.pid()), Signal::SIGINT).expect("a signal");
    while stage.scene.postgres.is_running().await {
        sleep(Duration::from_millis(20)).await;
    }
    let (old, new) = (data.join("pg_wal"), disk.path().join("pg_wal"));
    let moved = Command::new("mv").arg(&old).arg(&new).status().expect("mv runs");
    assert!(moved.success(), "the log is moved");
    symlink(&new, &old).expect("a link");
    restarted(stage, StopMode::Immediate).await;
    disk
}
