//! Locks: one Eventide process runs the server of a data directory, and commands connect to it as guests.
//!
//! `eventide.lock` is held by the process that runs the server. `eventide.guests` is a shared lock held by those that use the server
//! meanwhile: a command that runs the server waits for them before it stops the server. The bot does not wait for guests.
//!
//! A bot takes `eventide.bot` before `eventide.lock` and holds it as long as it runs. So a bot that finds the latter taken knows, without
//! reading the file, that a command holds it and will finish soon. The content of a lock file is written after it is locked, and only used
//! in messages.

use std::{
    fs::{File, TryLockError},
    io::{Read, Seek, Write},
};

use crate::{
    postgres::embedded::error::Error,
    support::files::{Directory, open_shared},
};

const FILE: &str = "eventide.lock";

const GUESTS_FILE: &str = "eventide.guests";

const BOT_FILE: &str = "eventide.bot";

/// The result of an attempt to lock a file.
#[derive(Debug)]
pub(super) enum Taken<T> {
    Ours(T),
    /// Another process holds the lock. The value is its process ID, if it has already written it.
    Others(String),
}

/// Keeps other bots out of a data directory until it is dropped, or until the process ends in any way.
#[derive(Debug)]
pub(super) struct Claim {
    _file: File,
}

impl Claim {
    /// Claim the data directory for this bot. If another bot has it, return that one.
    pub(super) fn take(data: &Directory) -> Result<Taken<Self>, Error> {
        Ok(match exclusive(data, BOT_FILE)? {
            Taken::Ours(file) => Taken::Ours(Self { _file: file }),
            Taken::Others(pid) => Taken::Others(pid),
        })
    }
}

/// Locks the server of a data directory until it is dropped, or until the process ends in any way.
#[derive(Debug)]
pub(super) struct Lock {
    // The first field, so that the next bot does not find this claim when the server is already released.
    role: Role,
    _file: File,
}

/// The process that runs the server.
#[derive(Debug)]
enum Role {
    /// A bot, until it is stopped.
    Bot { _claim: Claim },
    /// A command, until it is done and its guests have left.
    Command { guests: File },
}

impl Lock {
    /// Lock the server for a bot. If it is taken, a command has it, since no other bot has the claim.
    pub(super) fn of_bot(data: &Directory, claim: Claim) -> Result<Result<Self, (Claim, String)>, Error> {
        Ok(match exclusive(data, FILE)? {
            Taken::Ours(file) => Ok(Self {
                role: Role::Bot { _claim: claim },
                _file: file,
            }),
            Taken::Others(pid) => Err((claim, pid)),
        })
    }

    /// Lock the server for a command. If it is taken, either a bot or a command has it.
    pub(super) fn of_command(data: &Directory) -> Result<Taken<Self>, Error> {
        let file = match exclusive(data, FILE)? {
            Taken::Ours(file) => file,
            Taken::Others(pid) => return Ok(Taken::Others(pid)),
        };
        let guests = open(data, GUESTS_FILE)?;
        Ok(Taken::Ours(Self {
            role: Role::Command { guests },
            _file: file,
        }))
    }

    /// Whether the server may be stopped. From then on, no guest can enter.
    pub(super) fn is_left_alone(&self) -> bool {
        match &self.role {
            Role::Bot { .. } => true,
            Role::Command { guests } => !matches!(guests.try_lock(), Err(TryLockError::WouldBlock)),
        }
    }
}

/// Keep a command from stopping its server, as long as the file is open. `None` if it is already stopping.
pub(super) fn stay(data: &Directory) -> Result<Option<File>, Error> {
    let file = open(data, GUESTS_FILE)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", data.path().join(GUESTS_FILE))(error)),
    }
}

fn open(data: &Directory, name: &str) -> Result<File, Error> {
    open_shared(&data.at(name)).map_err(Error::io("open", data.path().join(name)))
}

/// Lock a file and write this process's ID to it, or return the ID that is in it.
fn exclusive(data: &Directory, name: &str) -> Result<Taken<File>, Error> {
    let mut file = open(data, name)?;
    let path = &data.path().join(name);
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid).map_err(Error::io("read", path))?;
            return Ok(Taken::Others(pid.trim().to_owned()));
        }
        Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(Error::io("write to", path))?;
    Ok(Taken::Ours(file))
}

#[cfg(test)]
mod tests;
