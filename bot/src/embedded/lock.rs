//! One eventide a data directory; commands are its guests.
//!
//! `eventide.lock` is held by whoever runs the server. `eventide.guests` is shared by those who use it meanwhile: a command that
//! runs the server waits for them before it stops it. The bot does not: its end is not a guest's to delay.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{MetadataExt, fchown},
    path::Path,
};

use crate::embedded::error::Error;

const FILE: &str = "eventide.lock";

const GUESTS_FILE: &str = "eventide.guests";

/// What the lock's file says of a holder that will be done soon.
const COMMAND: &str = "command";

/// Who runs the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// The bot, until it is stopped.
    Bot,
    /// A command, until it is done.
    Command,
}

/// What became of an attempt at the lock.
#[derive(Debug)]
pub(super) enum Taken {
    Ours(Lock),
    /// Somebody else holds it; with the process id as that one wrote it down.
    Others(Holder, String),
}

/// Holds the data directory until it is dropped, or until the process ends in whatever way.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    holder: Holder,
    guests: Option<File>,
}

impl Lock {
    /// Takes `data_directory`, or tells who holds it.
    pub(super) fn take(data_directory: &Path, holder: Holder) -> Result<Taken, Error> {
        let path = data_directory.join(FILE);
        let mut file = open(&path).map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(Error::io("read", &path))?;
                let mut lines = text.lines();
                let pid = lines.next().unwrap_or_default().trim().to_owned();
                let holder = if lines.next() == Some(COMMAND) {
                    Holder::Command
                } else {
                    Holder::Bot
                };
                return Ok(Taken::Others(holder, pid));
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        let what = match holder {
            Holder::Bot => String::new(),
            Holder::Command => format!("{COMMAND}\n"),
        };
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}\n{what}", std::process::id()))
            .map_err(Error::io("write to", &path))?;
        let path = data_directory.join(GUESTS_FILE);
        let guests = match holder {
            Holder::Bot => None,
            Holder::Command => Some(open(&path).map_err(Error::io("open", &path))?),
        };
        Ok(Taken::Ours(Self {
            _file: file,
            holder,
            guests,
        }))
    }

    pub(super) const fn holder(&self) -> Holder {
        self.holder
    }

    /// Whether the server may be stopped; once it may, nobody comes in any more.
    pub(super) fn is_left_alone(&self) -> bool {
        !self
            .guests
            .as_ref()
            .is_some_and(|guests| matches!(guests.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

/// Keeps a command from stopping its server, for as long as the file is open. `None`: it is stopping it.
pub(super) fn stay(data_directory: &Path) -> Result<Option<File>, Error> {
    let path = data_directory.join(GUESTS_FILE);
    let file = open(&path).map_err(Error::io("open", &path))?;
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
    }
}

/// A file that is made if there is none, and then belongs to the directory's owner: a command that root typed must not keep the
/// bot out.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // Not truncated: until the lock is ours, it holds the other's process id.
    options.read(true).write(true).truncate(false);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    let file = options.create(true).open(path)?;
    if nix::unistd::Uid::effective().is_root()
        && let Some(directory) = path.parent()
    {
        let owner = directory.metadata()?;
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(file)
}
