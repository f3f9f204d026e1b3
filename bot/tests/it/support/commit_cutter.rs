//! A proxy in front of PostgreSQL that cuts connections around COMMIT, when its outcome is unknown, and that can swallow data without a
//! reset, like the path to a host that is gone.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use eventide::telemetry::task::{Task, spawn};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::watch,
};
use tokio_postgres::Config;

/// The simple query `COMMIT` as tokio-postgres sends it:
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// The proxy.
pub(crate) struct CommitCutter {
    directory: TempDir,
    orders: Arc<Orders>,
    /// Incremented when open connections have to be swallowed.
    swallowing: watch::Sender<u32>,
    _task: Task<()>,
}

/// The orders for connections.
#[derive(Default)]
struct Orders {
    to_cut: AtomicU32,
    cuts: AtomicU32,
    /// How many connections lead nowhere.
    swallowed: AtomicU32,
    swallows_new: AtomicBool,
    /// The server's ends of them, which the server keeps for open.
    lost: Mutex<Vec<UnixStream>>,
}

/// Where a connection is cut. The places are used in turn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
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
        let orders = Arc::<Orders>::default();
        let (swallowing, swallow) = watch::channel(0);
        let task = spawn(
            "commit cutter",
            accept(listener, server, Arc::clone(&orders), swallow),
        );
        Self {
            directory,
            orders,
            swallowing,
            _task: task,
        }
    }

    /// How to get to `server` through it.
    pub(crate) fn connection(&self, server: &Config) -> Config {
        let mut config = Config::new();
        config
            .host_path(self.directory.path())
            .user(server.get_user().expect("a user"))
            .dbname(server.get_dbname().expect("a database"));
        config
    }

    /// Cut the next COMMIT.
    pub(crate) fn cut_next(&self) {
        self.orders.to_cut.fetch_add(1, Ordering::SeqCst);
    }

    /// Cut the next COMMIT there, while no other cut is outstanding.
    pub(crate) fn cut(&self, cut: Cut) {
        self.orders.cuts.store(cut as u32, Ordering::SeqCst);
        self.cut_next();
    }

    /// Cuts that were asked for and have not happened yet.
    pub(crate) fn outstanding(&self) -> u32 {
        self.orders.to_cut.load(Ordering::SeqCst)
    }

    /// From now on nothing passes over open connections, and neither side is notified. With `new_ones` the same applies to those opened
    /// from now on; without, those work again.
    pub(crate) fn swallow(&self, new_ones: bool) {
        self.orders.swallows_new.store(new_ones, Ordering::SeqCst);
        self.swallowing.send_modify(|times| *times += 1);
    }

    /// Let the connections pass that are opened from now on.
    pub(crate) fn let_new_ones_pass(&self) {
        self.orders.swallows_new.store(false, Ordering::SeqCst);
    }

    /// How many connections were swallowed so far.
    pub(crate) fn swallowed(&self) -> u32 {
        self.orders.swallowed.load(Ordering::SeqCst)
    }
}

async fn accept(listener: UnixListener, server: PathBuf, orders: Arc<Orders>, swallow: watch::Receiver<u32>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else {
            return;
        };
        let (server, orders, mut swallow) = (server.clone(), Arc::clone(&orders), swallow.clone());
        swallow.mark_unchanged();
        connections.spawn(async move {
            if orders.swallows_new.load(Ordering::SeqCst) {
                into_nothing(client, None, &orders).await;
            } else if let Ok(server) = UnixStream::connect(&server).await {
                // An error is the end of a connection, which is the purpose of this proxy.
                drop(serve(client, server, &orders, swallow).await);
            }
        });
    }
}

/// Read everything that the client sends, and let the server wait.
async fn into_nothing(mut client: UnixStream, server: Option<UnixStream>, orders: &Orders) {
    orders.swallowed.fetch_add(1, Ordering::SeqCst);
    orders
        .lost
        .lock()
        .expect("nothing panics while it holds them")
        .extend(server);
    let mut nothing = vec![0; 1 << 16];
    while client.read(&mut nothing).await.is_ok_and(|read| read > 0) {}
}

async fn serve(
    mut client: UnixStream,
    mut server: UnixStream,
    orders: &Orders,
    mut swallow: watch::Receiver<u32>,
) -> std::io::Result<()> {
    let (mut from_client, mut from_server) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            Ok(()) = swallow.changed() => {
                into_nothing(client, Some(server), orders).await;
                return Ok(());
            }
            read = client.read(&mut from_client) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                let bytes = &from_client[..read];
                let commits = bytes.windows(COMMIT.len()).any(|window| window == COMMIT);
                let cut = commits
                    && orders
                        .to_cut
                        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                        .is_ok();
                if !cut {
                    server.write_all(bytes).await?;
                    continue;
                }
                let cuts = orders.cuts.fetch_add(1, Ordering::SeqCst);
                match [Cut::Before, Cut::AnswerSwallowed, Cut::During][cuts as usize % 3] {
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
