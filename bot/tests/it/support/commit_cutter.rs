//! A proxy in front of PostgreSQL that cuts connections around COMMIT, when nobody can know whether it went through.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use eventide::task::{Task, spawn};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
};

/// The simple query `COMMIT` as tokio-postgres sends it:
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// The proxy.
pub(crate) struct CommitCutter {
    directory: TempDir,
    to_cut: Arc<AtomicU32>,
    _task: Task<()>,
}

/// Where a connection is cut. Each cut takes the next in turn.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// The server never sees the COMMIT.
    Before,
    /// The server gets the COMMIT, and the client no answer.
    AnswerSwallowed,
    /// Both sides are cut the moment the COMMIT was passed on.
    During,
}

impl CommitCutter {
    /// A proxy to the server whose socket is in `server`.
    pub(crate) fn start(server: &Path) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).expect("a socket");
        let server = server.join(".s.PGSQL.5432");
        let to_cut = Arc::new(AtomicU32::new(0));
        let task = spawn("commit cutter", accept(listener, server, Arc::clone(&to_cut)));
        Self {
            directory,
            to_cut,
            _task: task,
        }
    }

    /// The directory to connect to.
    pub(crate) fn socket_directory(&self) -> &Path {
        self.directory.path()
    }

    /// Cut the next COMMIT.
    pub(crate) fn cut_next(&self) {
        self.to_cut.fetch_add(1, Ordering::SeqCst);
    }

    /// Cuts that were asked for and have not happened yet.
    pub(crate) fn outstanding(&self) -> u32 {
        self.to_cut.load(Ordering::SeqCst)
    }
}

async fn accept(listener: UnixListener, server: PathBuf, to_cut: Arc<AtomicU32>) {
    let cuts = Arc::new(AtomicU32::new(0));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else {
            return;
        };
        let (server, to_cut, cuts) = (server.clone(), Arc::clone(&to_cut), Arc::clone(&cuts));
        connections.spawn(async move {
            if let Ok(server) = UnixStream::connect(&server).await {
                // An error is a connection that ended, which is what this proxy is about.
                drop(serve(client, server, &to_cut, &cuts).await);
            }
        });
    }
}

async fn serve(
    mut client: UnixStream,
    mut server: UnixStream,
    to_cut: &AtomicU32,
    cuts: &AtomicU32,
) -> std::io::Result<()> {
    let (mut from_client, mut from_server) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                let bytes = &from_client[..read];
                let commits = bytes.windows(COMMIT.len()).any(|window| window == COMMIT);
                let cut = commits
                    && to_cut
                        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                        .is_ok();
                if !cut {
                    server.write_all(bytes).await?;
                    continue;
                }
                match [Cut::Before, Cut::AnswerSwallowed, Cut::During][cuts.fetch_add(1, Ordering::SeqCst) as usize % 3] {
                    Cut::Before => {}
                    Cut::During => server.write_all(bytes).await?,
                    Cut::AnswerSwallowed => {
                        server.write_all(bytes).await?;
                        let answered = server.read(&mut from_server).await?;
                        assert!(answered > 0, "the server answered the COMMIT");
                    }
                }
                return Ok(());
            }
            read = server.read(&mut from_server) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                client.write_all(&from_server[..read]).await?;
            }
        }
    }
}
