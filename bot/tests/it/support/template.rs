//! Clusters that are created once per run of the tests and copied for each server: `initdb` and the migrations take longer than many tests.

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::SystemTime,
};

use eventide::postgres::{
    embedded::{Options, PrivatePostgres, StopMode},
    migrations,
};
use tempfile::TempDir;

/// The contents of a new server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// The empty database `eventide`.
    Database,
    /// The database with the schema up to date.
    Schema,
}

/// Templates of earlier runs that are kept, since such a run may still be going on.
const KEPT: usize = 4;

/// The run that a template belongs to: one of nextest with all its processes, or this process. Another run may have other programs of
/// PostgreSQL or other migrations.
static RUN: LazyLock<String> = LazyLock::new(|| {
    std::env::var_os("NEXTEST_RUN_ID")
        .and_then(|run| run.into_string().ok())
        .unwrap_or_else(|| format!("{:016x}", fastrand::u64(..)))
});

/// Put a cluster where a server with `options` looks for its own. Does nothing if there already is one.
pub(super) async fn place(content: Content, options: &Options) {
    let home = options.data_directory.join("postgres");
    if home.exists() {
        return;
    }
    fs::create_dir_all(&home).expect("a directory");
    open_the_way_to(&home);
    let templates = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clusters");
    fs::create_dir_all(&templates).expect("a directory");
    let template = templates.join(format!("{}-{content:?}", *RUN));
    // Tests run in several processes. Creating or deleting a template takes an exclusive lock, and copying one a shared lock; closing the
    // file releases it.
    let lock = File::create(templates.join("lock")).expect("a lock file");
    lock.lock_shared().expect("locked");
    while !template.exists() {
        lock.unlock().expect("unlocked");
        lock.lock().expect("locked");
        if !template.exists() {
            remove_old(&templates);
            make(content, options, &template).await;
        }
        lock.unlock().expect("unlocked");
        lock.lock_shared().expect("locked");
    }
    copy(&template, &home.join("cluster"));
}

/// Makes a template with the programs that `options` names.
async fn make(content: Content, options: &Options, template: &Path) {
    let directory = TempDir::new().expect("a directory");
    open_the_way_to(directory.path());
    let options = Options {
        data_directory: directory.path().to_owned(),
        settings: vec![("fsync".to_owned(), "off".to_owned())],
        ..options.clone()
    };
    let postgres = PrivatePostgres::start(&options).await.expect("PostgreSQL starts");
    if content == Content::Schema {
        migrations::up(&postgres.connection()).await.expect("migrations");
    }
    let cluster = postgres.data_directory().to_owned();
    // Only a cluster that was shut down is consistent as a copy.
    postgres.stop(StopMode::Fast).await.expect("PostgreSQL stops");
    // A test that reads its server's log finds nothing of this one.
    fs::remove_dir_all(cluster.join("log")).expect("the log is removed");
    // A run that is ended here leaves no half of a template.
    let new = template.with_extension("new");
    copy(&cluster, &new);
    fs::rename(&new, template).expect("renamed");
}

/// Lets the account that runs the server for root through to a directory of a test.
fn open_the_way_to(directory: &Path) {
    let all = std::env::temp_dir();
    for directory in directory.ancestors().take_while(|directory| *directory != all) {
        assert!(
            directory.starts_with(&all),
            "{} is a test's own",
            directory.display()
        );
        fs::set_permissions(directory, Permissions::from_mode(0o711)).expect("permissions");
    }
}

/// Copies a cluster with its owner and modes.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .args(["--archive", "--reflink=auto", "--sparse=always"].map(OsStr::new))
        .args([from, to])
        .status()
        .expect("cp runs");
    assert!(status.success(), "{} is copied: {status}", from.display());
}

/// Delete all but the newest templates. The caller has the exclusive lock, so none are being copied.
fn remove_old(templates: &Path) {
    let mut old: Vec<(SystemTime, PathBuf)> = fs::read_dir(templates)
        .expect("read")
        .flatten()
        .filter_map(|entry| {
            let metadata = entry.metadata().ok().filter(fs::Metadata::is_dir)?;
            Some((metadata.modified().ok()?, entry.path()))
        })
        .collect();
    old.sort_unstable();
    old.truncate(old.len().saturating_sub(KEPT));
    for (_, path) in old {
        fs::remove_dir_all(path).expect("removed");
    }
}
