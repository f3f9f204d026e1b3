//! The private PostgreSQL, with the real programs.

mod refusals;

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, lchown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use eventide::postgres::embedded::{Error, Options, PrivatePostgres, StopMode};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, NoTls};

use crate::support;

/// Set for the process that is started to be killed; its value is the data directory.
const VICTIM: &str = "EVENTIDE_TEST_VICTIM";

/// The major version for the tests, whose programs come first in PATH.
const MAJOR: &str = "EVENTIDE_TEST_POSTGRES";

/// A directory that the server's account can enter.
fn directory() -> TempDir {
    directory_of_mode(0o711)
}

fn directory_of_mode(mode: u32) -> TempDir {
    tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(mode))
        .tempdir()
        .expect("a directory")
}

fn options(data_directory: impl Into<PathBuf>) -> Options {
    support::options(&data_directory.into())
}

async fn connect(postgres: &PrivatePostgres) -> Client {
    let (client, connection) = postgres.connection().connect(NoTls).await.expect("a connection");
    // Ends with its client.
    tokio::task::spawn_local(connection);
    client
}

async fn write(postgres: &PrivatePostgres) {
    let client = connect(postgres).await;
    client
        .batch_execute("CREATE TABLE notes (note TEXT); INSERT INTO notes VALUES ('here')")
        .await
        .expect("rows");
}

async fn assert_written(postgres: &PrivatePostgres) {
    let rows = connect(postgres)
        .await
        .query("SELECT note FROM notes", &[])
        .await
        .expect("rows");
    assert_eq!(
        rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>(),
        ["here"]
    );
}

async fn start(options: &Options) -> PrivatePostgres {
    PrivatePostgres::start(options)
        .await
        .expect("a private PostgreSQL")
}

async fn refusal(options: &Options) -> Error {
    let error = PrivatePostgres::start(options).await.expect_err("a refusal");
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    error
}

async fn stop(postgres: PrivatePostgres) {
    postgres.stop(StopMode::Fast).await.expect("stopped");
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Runs a test's body where `spawn_local` works.
fn run(body: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, body);
}

/// A process's number in the given field of `/proc/PID/stat`, counted after the name.
fn stat(pid: &str, field: usize) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let (_, fields) = text.rsplit_once(')').expect("a name");
    fields.split_whitespace().nth(field).expect("a field").to_owned()
}

#[tokio::test]
async fn it_is_the_version_that_the_tests_were_asked_to_run_on() {
    let directory = directory();
    let postgres = support::start_postgres(directory.path()).await;
    let (client, connection) = postgres.connection().connect(NoTls).await.expect("a connection");
    let connection = eventide::telemetry::task::spawn("connection", connection);
    let row = client
        .query_one("SELECT current_setting('server_version_num')::int / 10000", &[])
        .await
        .expect("a row");
    let major: i32 = row.get(0);
    assert!(major >= 15);
    if let Some(asked) = std::env::var_os(MAJOR) {
        assert_eq!(Some(major.to_string().as_str()), asked.to_str());
    }
    drop(client);
    connection.join().await.expect("joined").expect("a clean end");
    postgres.stop(StopMode::Immediate).await.expect("stopped");
}

#[test]
fn makes_a_cluster_and_finds_it_again() {
    run(async {
        let directory = directory();
        let options = options(directory.path().join("not/yet/there"));
        let postgres = start(&options).await;
        write(&postgres).await;
        let pid = postgres.pid();
        let cluster = postgres.data_directory().to_owned();
        let metadata = cluster.metadata().expect("a directory");
        assert_eq!(metadata.mode() & 0o777, 0o700);
        // PostgreSQL refuses root, so root's is another user's.
        assert_eq!(
            metadata.uid() == Uid::effective().as_raw(),
            !Uid::effective().is_root()
        );
        // Ctrl-C in a terminal goes to the bot's group.
        assert_ne!(stat(&pid.to_string(), 2), stat("self", 2));
        let row = connect(&postgres)
            .await
            .query_one("SHOW listen_addresses", &[])
            .await
            .expect("a row");
        assert_eq!(row.get::<_, String>(0), "", "no port is opened");
        stop(postgres).await;
        assert!(!Path::new(&format!("/proc/{pid}")).exists() && !cluster.join("postmaster.pid").exists());

        let postgres = start(&options).await;
        assert!(!postgres.adopted());
        assert_eq!(postgres.data_directory(), cluster);
        assert_written(&postgres).await;
        stop(postgres).await;
    });
}

/// Start this test again in a separate process, wait until its server runs, and kill it.
async fn leave_a_server_behind(data_directory: &Path) -> i32 {
    let mut victim = Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            "embedded::adopts_or_replaces_what_a_killed_bot_left",
            "--nocapture",
        ])
        .env(VICTIM, data_directory)
        .env("DISCORD_TOKEN", "hunter2")
        .stdout(Stdio::null())
        .spawn()
        .expect("a process");
    let pid_file = data_directory.join("pid");
    until("the victim's server runs", || pid_file.exists()).await;
    victim.kill().expect("killed");
    victim.wait().expect("gone");
    let pid = fs::read_to_string(&pid_file)
        .expect("a file")
        .parse()
        .expect("a number");
    fs::remove_file(pid_file).expect("removed");
    pid
}

#[test]
fn adopts_or_replaces_what_a_killed_bot_left() {
    run(async {
        if let Some(data_directory) = std::env::var_os(VICTIM).map(PathBuf::from) {
            let postgres = start(&options(&data_directory)).await;
            fs::write(data_directory.join("pid.new"), postgres.pid().to_string()).expect("a file");
            fs::rename(data_directory.join("pid.new"), data_directory.join("pid")).expect("a file");
            return std::future::pending().await;
        }
        let directory = directory();
        let mut options = options(directory.path());
        let left = leave_a_server_behind(directory.path()).await;
        let environment = fs::read(format!("/proc/{left}/environ")).expect("the server still runs");
        assert!(
            !String::from_utf8_lossy(&environment).contains("hunter2"),
            "secrets are not handed down"
        );
        let postgres = start(&options).await;
        assert!(postgres.adopted());
        assert_eq!(postgres.pid(), left);
        write(&postgres).await;
        stop(postgres).await;
        assert!(
            fs::read(format!("/proc/{left}/cmdline"))
                .unwrap_or_default()
                .is_empty(),
            "it has ended"
        );

        // One with other settings is stopped first.
        let left = leave_a_server_behind(directory.path()).await;
        options.settings = vec![("work_mem".to_owned(), "5MB".to_owned())];
        let postgres = start(&options).await;
        assert!(!postgres.adopted());
        assert_ne!(postgres.pid(), left);
        let row = connect(&postgres)
            .await
            .query_one("SHOW work_mem", &[])
            .await
            .expect("a row");
        assert_eq!(row.get::<_, String>(0), "5MB");
        assert_written(&postgres).await;
        stop(postgres).await;
    });
}

#[test]
fn starts_over_the_leftovers_of_a_power_cut() {
    run(async {
        let directory = directory();
        let options = options(directory.path());
        let mut postgres = start(&options).await;
        write(&postgres).await;
        kill(Pid::from_raw(postgres.pid()), Signal::SIGKILL).expect("killed");
        let deadline = Instant::now() + Duration::from_secs(30);
        while postgres.is_running().await {
            assert!(Instant::now() < deadline, "the server ends");
            sleep(Duration::from_millis(10)).await;
        }
        let pid_file = postgres.data_directory().join("postmaster.pid");
        drop(postgres);
        // After a reboot the number is another process's: here, this one's.
        let left = fs::read_to_string(&pid_file).expect("a leftover");
        let (_, rest) = left.split_once('\n').expect("lines");
        fs::write(&pid_file, format!("{}\n{rest}", std::process::id())).expect("a file");
        let postgres = start(&options).await;
        assert_written(&postgres).await;
        stop(postgres).await;
    });
}

#[test]
fn restarts_on_the_same_socket() {
    run(async {
        let directory = directory();
        let mut postgres = start(&options(directory.path())).await;
        write(&postgres).await;
        for mode in [StopMode::Immediate, StopMode::Fast] {
            let before = postgres.pid();
            postgres.restart(mode).await.expect("restarted");
            assert_ne!(postgres.pid(), before);
            assert_written(&postgres).await;
        }
        // This includes a server that was killed.
        kill(Pid::from_raw(postgres.pid()), Signal::SIGKILL).expect("killed");
        postgres.restart(StopMode::Fast).await.expect("restarted");
        assert_written(&postgres).await;
        stop(postgres).await;
    });
}

#[test]
fn dropped_without_a_stop_it_stops_all_the_same() {
    run(async {
        let directory = directory();
        let postgres = start(&options(directory.path())).await;
        let pid_file = postgres.data_directory().join("postmaster.pid");
        assert!(pid_file.exists());
        drop(postgres);
        until("the server ends", || !pid_file.exists()).await;
    });
}

#[test]
fn a_long_path_gets_its_socket_elsewhere() {
    run(async {
        let directory = directory();
        let options = options(directory.path().join("a, \"long\" path ".repeat(8)));
        let postgres = start(&options).await;
        let socket = postgres.socket_directory().to_owned();
        assert!(!socket.starts_with(directory.path()));
        assert_eq!(socket.metadata().expect("a directory").mode() & 0o777, 0o700);
        write(&postgres).await;
        stop(postgres).await;
        assert!(!socket.exists(), "nothing is left behind");

        // Somebody else's directory under that name is not used.
        fs::create_dir(&socket).expect("a directory");
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o777)).expect("a mode");
        let postgres = start(&options).await;
        assert_ne!(postgres.socket_directory(), socket);
        assert_written(&postgres).await;
        stop(postgres).await;
        fs::remove_dir(&socket).expect("removed");
    });
}

/// After a power cut the number in a lock file can be that of any process, and PostgreSQL would take it for a server's.
#[test]
fn starts_over_a_stale_lock_of_the_socket() {
    run(async {
        let directory = directory();
        let options = options(directory.path());
        let postgres = start(&options).await;
        write(&postgres).await;
        let lock = postgres.socket_directory().join(".s.PGSQL.5432.lock");
        let left = fs::read_to_string(&lock).expect("a lock file");
        let owner = lock.metadata().expect("a file");
        stop(postgres).await;
        let mut living = Command::new("sleep");
        living.arg("600").uid(owner.uid()).gid(owner.gid());
        let mut living = living.spawn().expect("a process of the server's account");
        let (_, rest) = left.split_once('\n').expect("lines");
        fs::write(&lock, format!("{}\n{rest}", living.id())).expect("a file");
        lchown(&lock, Some(owner.uid()), Some(owner.gid())).expect("handed over");
        let postgres = start(&options).await;
        assert_written(&postgres).await;
        stop(postgres).await;
        living.kill().and_then(|()| living.wait()).expect("ended");
    });
}
