//! A connection to PostgreSQL that can be cut, and on which packets can be lost.

use std::path::{Path, PathBuf};

use eventide::telemetry::task::{Task, spawn};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::watch,
};

/// What happens to packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// They arrive.
    Open,
    /// Every connection is closed, and new ones immediately.
    Cut,
    /// Nothing arrives on open or new connections, and neither side is notified.
    Swallowing,
    /// Nothing arrives before the way is another, and everything does then, as when packets are sent again until they get through.
    Holding,
}

/// A socket that leads to a server's.
pub(crate) struct Unsteady {
    directory: TempDir,
    way: watch::Sender<Way>,
    _task: Task<()>,
}

impl Unsteady {
    /// A way to the server whose socket is in `server`.
    pub(crate) fn start(server: &Path) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).expect("a socket");
        let (way, seen) = watch::channel(Way::Open);
        let task = spawn(
            "unsteady way",
            accept(listener, server.join(".s.PGSQL.5432"), seen),
        );
        Self {
            directory,
            way,
            _task: task,
        }
    }

    /// The same server by this way.
    pub(crate) fn lead(&self, server: &tokio_postgres::Config) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(self.directory.path())
            .user(server.get_user().expect("a user"))
            .dbname(server.get_dbname().expect("a database"));
        config
    }

    /// From now on.
    pub(crate) fn be(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn accept(listener: UnixListener, server: PathBuf, way: watch::Receiver<Way>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (server, way) = (server.clone(), way.clone());
        connections.spawn(async move {
            if let Ok(server) = UnixStream::connect(&server).await {
                // An error is the end of a connection, which is the purpose of this proxy.
                drop(serve(client, server, way).await);
            }
        });
    }
}

async fn serve(
    mut client: UnixStream,
    mut server: UnixStream,
    mut way: watch::Receiver<Way>,
) -> std::io::Result<()> {
    let (mut from_client, mut from_server) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    // A connection with lost packets never works again.
    let mut whole = true;
    loop {
        whole &= *way.borrow_and_update() != Way::Swallowing;
        if *way.borrow() == Way::Cut {
            return Ok(());
        }
        let holding = *way.borrow() == Way::Holding;
        tokio::select! {
            biased;
            changed = way.changed() => if changed.is_err() {
                return Ok(());
            },
            read = client.read(&mut from_client), if !holding => match read? {
                0 => return Ok(()),
                read if whole => server.write_all(&from_client[..read]).await?,
                _ => {}
            },
            read = server.read(&mut from_server), if !holding => match read? {
                0 => return Ok(()),
                read if whole => client.write_all(&from_server[..read]).await?,
                _ => {}
            },
        }
    }
}
