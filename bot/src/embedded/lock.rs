//! One eventide a data directory.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

use crate::embedded::error::Error;

const FILE: &str = "eventide.lock";

/// Holds the data directory until it is dropped, or until the process ends in whatever way.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes `data_directory`, or tells who holds it.
    pub(super) fn take(data_directory: &Path) -> Result<Self, Error> {
        let path = data_directory.join(FILE);
        let mut options = OpenOptions::new();
        // Not truncated: until the lock is ours, it holds the other's process id.
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.read_to_string(&mut pid).map_err(Error::io("read", &path))?;
                return Err(Error::InUse {
                    path: data_directory.to_owned(),
                    pid: pid.trim().to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(Error::io("write to", &path))?;
        Ok(Self { _file: file })
    }
}
