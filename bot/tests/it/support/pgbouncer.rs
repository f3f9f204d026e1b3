//! A real PgBouncer in transaction mode in front of a real PostgreSQL.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    net::UnixStream,
    process::{Child, Command},
};
use tokio_postgres::{Config, config::Host};

use super::until;

const PORT: u16 = 6432;

/// It ends with this.
pub(crate) struct PgBouncer {
    directory: TempDir,
    _process: Child,
}

impl PgBouncer {
    /// Before `server`, with fewer sessions there than its clients open.
    pub(crate) async fn start(server: &Config) -> Self {
        Self::start_with(server, "").await
    }

    /// With more settings.
    pub(crate) async fn start_with(server: &Config, more: &str) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        fs::set_permissions(directory.path(), Permissions::from_mode(0o777))
            .expect("a directory for everybody");
        let Host::Unix(socket) = &server.get_hosts()[0] else {
            unreachable!("the private server is on a socket")
        };
        let (user, database) = (
            server.get_user().expect("a user"),
            server.get_dbname().expect("a database"),
        );
        let settings = format!(
            "[databases]\n{database} = host={socket} port={port} user={user}\n\
             [pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {directory}\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 100\n{more}\n",
            socket = socket.display(),
            port = server.get_ports().first().unwrap_or(&5432),
            directory = directory.path().display(),
        );
        let file = directory.path().join("pgbouncer.ini");
        fs::write(&file, settings).expect("a configuration");
        let mut command = Command::new(program());
        if nix::unistd::geteuid().is_root() {
            // It refuses to run as root.
            command.args(["-u", "postgres"]);
        }
        let process = command
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("PgBouncer starts");
        let bouncer = Self {
            directory,
            _process: process,
        };
        until("PgBouncer listens", async || {
            UnixStream::connect(bouncer.socket()).await.ok()
        })
        .await;
        bouncer
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join(format!(".s.PGSQL.{PORT}"))
    }

    /// How clients get to `server` through it.
    pub(crate) fn connection(&self, server: &Config) -> Config {
        let mut config = Config::new();
        config
            .host_path(self.directory.path())
            .port(PORT)
            .user(server.get_user().expect("a user"))
            .dbname(server.get_dbname().expect("a database"))
            .connect_timeout(Duration::from_secs(10));
        config
    }
}

/// Debian installs it outside of an ordinary user's PATH.
fn program() -> PathBuf {
    let places = ["/usr/sbin/pgbouncer", "/usr/local/bin/pgbouncer"].map(PathBuf::from);
    places
        .into_iter()
        .find(|place| place.exists())
        .unwrap_or_else(|| PathBuf::from("pgbouncer"))
}
