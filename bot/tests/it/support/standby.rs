//! A physical standby: a copy of a running server that replays its WAL.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::fs::chown,
    path::Path,
    process::Stdio,
};

use eventide::postgres::embedded::PrivatePostgres;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::process::Child;
use tokio_postgres::{Config, NoTls};

use super::{
    session::Session,
    stock::{account, program},
    until,
};

/// The settings of a server that has a standby: `Scene::with(REPLICATED)`.
pub(crate) const REPLICATED: &[(&str, &str)] = &[("wal_level", "replica"), ("max_wal_senders", "4")];

/// It ends with this.
pub(crate) struct Standby {
    directory: TempDir,
    server: Child,
}

impl Standby {
    /// A standby of `primary`, which runs with [`REPLICATED`]: asynchronous, and open for reads when this returns.
    pub(crate) async fn of(primary: &PrivatePostgres) -> Self {
        admit(primary).await;
        let directory = TempDir::new().expect("a temporary directory");
        let home = directory.path();
        let account = account();
        if let Some(account) = &account {
            chown(home, Some(account.uid.as_raw()), Some(account.gid.as_raw())).expect("its own");
        }
        let connection = primary.connection();
        until("the server lets itself be copied", async || {
            let copied = program("pg_basebackup", account.as_ref())
                .arg("--pgdata")
                .arg(home.join("data"))
                .arg("--host")
                .arg(primary.socket_directory())
                .args(["--username", connection.get_user().expect("a user")])
                .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"])
                .output()
                .await
                .expect("pg_basebackup runs");
            let error = String::from_utf8_lossy(&copied.stderr);
            // It reads its rules again a moment after it is asked to.
            let refused = error.contains("no pg_hba.conf entry");
            assert!(copied.status.success() || refused, "{error}");
            copied.status.success().then_some(())
        })
        .await;
        fs::write(home.join("hba.conf"), "local all all trust\n").expect("written");
        let log = File::create(home.join("log")).expect("a log");
        let server = program("postgres", account.as_ref())
            .arg("-D")
            .arg(home.join("data"))
            .arg("-k")
            .arg(home)
            .arg("-c")
            .arg(format!("hba_file={}", home.join("hba.conf").display()))
            .args(["-c", "listen_addresses=", "-c", "fsync=off"])
            .stderr(Stdio::from(log))
            .spawn()
            .expect("PostgreSQL starts");
        let standby = Self { directory, server };
        let connection = standby.connection_as(&connection);
        until("the standby answers", async || {
            connection.connect(NoTls).await.ok().map(drop)
        })
        .await;
        standby
    }

    /// To it, as `primary` is connected to.
    pub(crate) fn connection_as(&self, primary: &Config) -> Config {
        let mut config = Config::new();
        config
            .host_path(self.directory.path())
            .user(primary.get_user().expect("a user"))
            .dbname(primary.get_dbname().expect("a database"));
        config
    }

    /// A session on it, as `primary` is connected to.
    pub(crate) async fn session_as(&self, primary: &Config) -> Session {
        Session::open(&self.connection_as(primary).into()).await
    }

    pub(crate) async fn stop(mut self) {
        let pid = Pid::from_raw(self.server.id().expect("it runs").cast_signed());
        kill(pid, Signal::SIGQUIT).expect("signalled");
        self.server.wait().await.expect("it ends");
    }
}

/// A private server accepts no replication until it is restarted.
async fn admit(primary: &PrivatePostgres) {
    let home: &Path = primary.data_directory().parent().expect("the cluster is in it");
    let mut access = OpenOptions::new()
        .append(true)
        .open(home.join("pg_hba.conf"))
        .expect("its rules");
    writeln!(access, "local replication all peer map=eventide").expect("written");
    let session = Session::open(&primary.connection().into()).await;
    session.execute("SELECT pg_reload_conf()").await;
    session.close().await;
}
