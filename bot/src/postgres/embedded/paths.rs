//! The directories of the private PostgreSQL.
//!
//! ```text
//! data/eventide.lock               held by the process that runs the server; beside it `.bot` and `.guests`, see `lock`
//! data/postgres/                   the bot's: settings and the server's output at its start; or a link to such a directory
//! data/postgres/cluster/           the server account's, mode 0700: PostgreSQL's data, its log, its socket
//! ```
//!
//! Root writes nothing inside `cluster`: the owner of a directory can replace a file by a link, and so make root write elsewhere. This is
//! why the settings are outside of it.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, lchown, symlink},
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    postgres::embedded::{account::Account, binaries::Binaries, blocking, error::Error},
    support::files::{self, Directory},
};

/// The port in the name of the socket. No TCP port is opened.
pub(super) const PORT: u16 = 5432;

/// The maximum length of the path of a Unix socket: `sun_path` has 108 bytes, including a terminating zero.
const MAX_SOCKET_PATH_BYTES: usize = 107;

/// The directory for clusters whose account cannot enter the data directory.
const ELSEWHERE: &str = "/var/lib/eventide";

/// The bot's directory around the cluster.
const HOME: &str = "postgres";

/// The maximum number of names that are tried.
const MAX_NAMES: usize = 16;

/// The directories of the private PostgreSQL.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The bot's directory around the cluster.
    pub(super) home: Arc<Directory>,
    /// PostgreSQL's data directory.
    pub(super) cluster: PathBuf,
    /// The directory of the socket.
    pub(super) socket: PathBuf,
}

/// Create the data directory if it is missing, and open it.
pub(super) fn data_directory(path: &Path) -> Result<Arc<Directory>, Error> {
    // The server's account must be able to pass through root's directory; its contents are protected one level below.
    let mode = if nix::unistd::Uid::effective().is_root() {
        0o711
    } else {
        0o700
    };
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .map_err(Error::io("make the directory", path))?;
    path.canonicalize()
        .and_then(|path| Directory::open(&path))
        .map(Arc::new)
        .map_err(Error::io("find the directory", path))
}

/// The path of the cluster in `data_directory`, whether it exists or not.
pub(super) fn cluster(data_directory: &Path) -> PathBuf {
    home(data_directory).join("cluster")
}

fn home(data_directory: &Path) -> PathBuf {
    data_directory.join(HOME)
}

impl Place {
    /// The socket and its lock file, which a server removes when it ends properly.
    pub(super) fn socket_files(&self) -> [PathBuf; 2] {
        [format!(".s.PGSQL.{PORT}.lock"), format!(".s.PGSQL.{PORT}")].map(|name| self.socket.join(name))
    }

    /// Remove a directory of the socket that was created outside of the cluster, unless it is in use.
    pub(super) async fn tidy(&self) {
        if self.socket != self.cluster
            && let Err(error) = tokio::fs::remove_dir(&self.socket).await
        {
            tracing::debug!(directory = %self.socket.display(), %error, "the socket's directory stays");
        }
    }

    /// Find or create the directories around the cluster.
    pub(super) async fn settle(
        data: &Arc<Directory>,
        account: &Account,
        binaries: &Binaries,
    ) -> Result<Self, Error> {
        if tokio::fs::symlink_metadata(data.at(HOME)).await.is_err() {
            let enters_data = enters(account, binaries, data.path()).await?;
            let (data, account) = (Arc::clone(data), account.clone());
            blocking(move || {
                if enters_data {
                    make_home(&data, &account)
                } else {
                    settle_elsewhere(&data, &account)
                }
            })
            .await?;
        }
        let data = Arc::clone(data);
        let home = Arc::new(blocking(move || trusted_home(&data)).await?);
        if !enters(account, binaries, home.path()).await? {
            return Err(Error::Unreachable {
                path: home.path().to_owned(),
                account: account.name.clone(),
            });
        }
        let account = account.clone();
        blocking(move || {
            let cluster = home.path().join("cluster");
            let socket = socket_directory(&cluster, &account)?;
            Ok(Self {
                home,
                cluster,
                socket,
            })
        })
        .await
    }
}

/// The directory around the cluster, or the target of a link in its place. A link made by a user who could not write to the target is
/// rejected, because root writes settings there.
fn trusted_home(data: &Directory) -> Result<Directory, Error> {
    let (path, at) = (home(data.path()), data.at(HOME));
    let failed = |error| Error::io("find the directory", &path)(error);
    let link = at.symlink_metadata().map_err(failed)?;
    if !link.is_symlink() {
        return data.open_in(HOME).map_err(failed);
    }
    let home = at
        .canonicalize()
        .and_then(|path| Directory::open(&path))
        .map_err(failed)?;
    // This checks the directory that is used from now on, even if the link changes.
    let owner = home.metadata().map_err(failed)?.uid();
    if !files::is_trusted_link(&link, owner) {
        return Err(Error::StrangersLink { path });
    }
    Ok(home)
}

/// Create the directory around the cluster.
fn make_home(data: &Directory, account: &Account) -> Result<(), Error> {
    DirBuilder::new()
        .mode(account.home_mode())
        .create(data.at(HOME))
        .map_err(Error::io("make the directory", home(data.path())))
}

/// Whether the server's account can enter a directory. This is tried, because the mode is not the only condition.
async fn enters(account: &Account, binaries: &Binaries, directory: &Path) -> Result<bool, Error> {
    if !account.lent {
        return Ok(true);
    }
    let mut command = account.command(binaries.program("postgres"), directory);
    match command.arg("--version").kill_on_drop(true).status().await {
        Ok(status) => Ok(status.success()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(false),
        Err(error) => Err(Error::io("run a program in", directory)(error)),
    }
}

/// Replace the directory around the cluster by a link to one that the server's account can enter.
fn settle_elsewhere(data: &Directory, account: &Account) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(ELSEWHERE)
        .map_err(Error::io("make the directory", ELSEWHERE))?;
    // Never use an existing directory: it belonged to an earlier data directory at this path, which was deleted.
    let elsewhere =
        names(Path::new(ELSEWHERE), &hash(data.path())).find(|name| name.symlink_metadata().is_err());
    let elsewhere = elsewhere.ok_or_else(|| Error::Unreachable {
        path: data.path().to_owned(),
        account: account.name.clone(),
    })?;
    make(&elsewhere, 0o711)?;
    symlink(&elsewhere, data.at(HOME)).map_err(Error::io("make the link", home(data.path())))?;
    tracing::info!(
        account.name = account.name,
        data.directory = %data.path().display(),
        postgres.directory = %elsewhere.display(),
        "the server's account cannot enter the data directory: the private PostgreSQL is kept elsewhere, behind a link"
    );
    Ok(())
}

/// The cluster itself, or a private directory with a short path if the socket's name would be too long there.
fn socket_directory(cluster: &Path, account: &Account) -> Result<PathBuf, Error> {
    let bytes = cluster
        .join(format!(".s.PGSQL.{PORT}"))
        .as_os_str()
        .as_bytes()
        .len();
    if bytes <= MAX_SOCKET_PATH_BYTES {
        return Ok(cluster.to_owned());
    }
    let own = PathBuf::from(format!("/run/user/{}", account.uid));
    let parents = if account.lent {
        [PathBuf::from("/run"), PathBuf::from("/tmp")]
    } else {
        [own, PathBuf::from("/tmp")]
    };
    let mut refusal = None;
    for parent in parents.iter().filter(|parent| parent.is_dir()) {
        for path in names(parent, &format!("eventide-{}", hash(cluster))) {
            match private_directory(&path, account) {
                Ok(()) => return Ok(path),
                Err(error) => refusal = Some(error),
            }
        }
    }
    Err(refusal.unwrap_or_else(|| Error::UnsafeSocketDirectory {
        path: PathBuf::from("/tmp"),
    }))
}

/// Create a directory that only the server's account can enter, or accept an existing one with these permissions.
fn private_directory(path: &Path, account: &Account) -> Result<(), Error> {
    match make(path, 0o700) {
        Ok(()) => lchown(path, Some(account.uid), Some(account.gid)).map_err(Error::io("hand over", path))?,
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let metadata = path.symlink_metadata().map_err(Error::io("look at", path))?;
    let private = metadata.is_dir() && metadata.uid() == account.uid && metadata.mode() & 0o777 == 0o700;
    if private {
        Ok(())
    } else {
        Err(Error::UnsafeSocketDirectory {
            path: path.to_owned(),
        })
    }
}

/// An empty directory for a new cluster. The remains of an earlier attempt are deleted.
pub(super) fn fresh_directory(home: &Directory, name: &str, account: &Account) -> Result<(), Error> {
    let (path, at) = (home.path().join(name), home.at(name));
    match fs::remove_dir_all(&at) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("remove", path)(error));
        }
        _ => {}
    }
    DirBuilder::new()
        .mode(0o700)
        .create(&at)
        .map_err(Error::io("make the directory", &path))?;
    if account.lent {
        lchown(&at, Some(account.uid), Some(account.gid)).map_err(Error::io("hand over", &path))?;
    }
    Ok(())
}

fn make(path: &Path, mode: u32) -> Result<(), Error> {
    DirBuilder::new()
        .mode(mode)
        .create(path)
        .map_err(Error::io("make the directory", path))
}

/// `name`, `name-1`, `name-2` and so on in `parent`.
fn names(parent: &Path, name: &str) -> impl Iterator<Item = PathBuf> {
    (0..MAX_NAMES).map(move |number| match number {
        0 => parent.join(name),
        _ => parent.join(format!("{name}-{number}")),
    })
}

/// FNV-1a of a path: short, and the same in every version of the bot.
fn hash(path: &Path) -> String {
    let hash = path
        .as_os_str()
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{hash:016x}")
}
