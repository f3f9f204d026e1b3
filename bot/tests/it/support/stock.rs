//! A server as its package creates it: initdb's configuration unchanged, JIT and fsync on, and a role of the bot that is not a superuser.

use std::{
    fs::{self, File},
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::Stdio,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, geteuid},
};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio_postgres::Config;

use super::{session::Session, until};

/// It ends with this.
pub(crate) struct Stock {
    directory: TempDir,
    server: Child,
}

impl Stock {
    pub(crate) async fn start() -> Self {
        let (directory, account) = home();
        let made = program("initdb", account.as_ref())
            .arg("--pgdata")
            .arg(directory.path().join("data"))
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
            ])
            .output()
            .await
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let stock = Self::serve(directory, account.as_ref()).await;
        let session = stock.session().await;
        session.execute("CREATE ROLE bot LOGIN").await;
        session.execute("CREATE DATABASE bot OWNER bot").await;
        session.close().await;
        stock
    }

    /// A streaming standby of this server, asynchronous as by default.
    pub(crate) async fn standby(&self) -> Self {
        let (directory, account) = home();
        let copied = program("pg_basebackup", account.as_ref())
            .args([
                "--username=postgres",
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--host",
            ])
            .arg(self.directory.path())
            .arg("--pgdata")
            .arg(directory.path().join("data"))
            .output()
            .await
            .expect("pg_basebackup runs");
        let errors = String::from_utf8_lossy(&copied.stderr);
        assert!(copied.status.success(), "{errors}");
        Self::serve(directory, account.as_ref()).await
    }

    async fn serve(directory: TempDir, account: Option<&User>) -> Self {
        let home = directory.path();
        let log = File::create(home.join("log")).expect("a log");
        // Its address, and nothing else.
        let server = program("postgres", account)
            .arg("-D")
            .arg(home.join("data"))
            .arg("-k")
            .arg(home)
            .args(["-c", "listen_addresses="])
            .stderr(Stdio::from(log))
            .spawn()
            .expect("PostgreSQL starts");
        let stock = Self { directory, server };
        until("the stock server answers", async || {
            let connected = stock.admin().connect(tokio_postgres::NoTls).await;
            connected.ok().map(drop)
        })
        .await;
        stock
    }

    /// The directory of its socket.
    pub(crate) fn socket_directory(&self) -> &Path {
        self.directory.path()
    }

    /// As the bot's role in its database.
    pub(crate) fn connection(&self) -> Config {
        self.config("bot", "bot")
    }

    /// As a superuser in the bot's database.
    pub(crate) async fn session_in_bot(&self) -> Session {
        Session::open(&self.config("postgres", "bot").into()).await
    }

    /// As a superuser.
    async fn session(&self) -> Session {
        Session::open(&self.admin().into()).await
    }

    fn admin(&self) -> Config {
        self.config("postgres", "postgres")
    }

    fn config(&self, user: &str, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host_path(self.directory.path())
            .user(user)
            .dbname(database);
        config
    }

    /// The server's log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).expect("a log")
    }

    pub(crate) async fn stop(mut self) {
        let pid = Pid::from_raw(self.server.id().expect("it runs").cast_signed());
        kill(pid, Signal::SIGQUIT).expect("signalled");
        self.server.wait().await.expect("it ends");
    }
}

/// A directory of a server's own.
fn home() -> (TempDir, Option<User>) {
    let directory = TempDir::new().expect("a temporary directory");
    let account = account();
    if let Some(account) = &account {
        chown(
            directory.path(),
            Some(account.uid.as_raw()),
            Some(account.gid.as_raw()),
        )
        .expect("its own");
    }
    (directory, account)
}

/// The account that a server runs as in place of root, which it refuses.
pub(super) fn account() -> Option<User> {
    let is_root = geteuid().is_root();
    is_root.then(|| {
        User::from_name("postgres")
            .expect("read")
            .expect("Debian makes it")
    })
}

pub(super) fn program(name: &str, account: Option<&User>) -> Command {
    let mut command = Command::new(binary(name));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.current_dir("/").kill_on_drop(true);
    if let Some(account) = account {
        command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
    }
    command
}

/// The program of the version that comes first in PATH, or else of the newest one in Debian's directories.
fn binary(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|directory| directory.join(name));
    let mut versions: Vec<PathBuf> = fs::read_dir(Path::new("/usr/lib/postgresql"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin").join(name)))
        .collect();
    versions.sort();
    in_path
        .chain(versions.into_iter().rev())
        .find(|program| program.is_file())
        .expect("PostgreSQL is installed")
}
