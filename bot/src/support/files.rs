//! Writing files where another user may write as well. Commands run by root work in directories owned by the bot's user, who could replace
//! a file by a link and so make root overwrite another file. No link is followed here.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::{
        fd::AsRawFd as _,
        unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown},
    },
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    libc::{O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_PATH},
    unistd::Uid,
};

/// A directory that was opened once. Later changes of its path, such as a link put in its place, have no effect.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    file: File,
}

impl Directory {
    /// Opens a directory whose `path` contains no links.
    ///
    /// # Errors
    ///
    /// Also if the path contains a link by now.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let directory = Self::open_at(path, path.to_owned())?;
        // `O_NOFOLLOW` applies to the last component only.
        let is = fs::read_link(directory.descriptor())?;
        if is != path {
            return Err(refusal(&format!("it leads to {} now", is.display())));
        }
        Ok(directory)
    }

    /// Opens a directory in this one.
    pub(crate) fn open_in(&self, name: &str) -> io::Result<Self> {
        Self::open_at(&self.at(name), self.path.join(name))
    }

    fn open_at(at: &Path, path: PathBuf) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(O_PATH | O_DIRECTORY | O_NOFOLLOW);
        let file = options.open(at)?;
        Ok(Self { path, file })
    }

    /// Its path when it was opened: for messages, and for programs run as another user.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a name in this directory for this process, through the descriptor as with `openat`.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.descriptor().join(name)
    }

    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    fn descriptor(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

/// Opens a file for reading and writing, and creates it if it does not exist. Its content stays.
///
/// When root creates the file, it gets the owner of its directory, so that the bot can open it too; an existing file must belong to that
/// owner or to root.
///
/// # Errors
///
/// Also if the path is a link, a hard link of another file, or not a regular file.
pub(crate) fn open_shared(path: &Path) -> io::Result<File> {
    let directory = parent(path).metadata()?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o644);
    let file = match open(&options, path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match open(options.clone().create_new(true), path) {
                // Created by another process meanwhile.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(&options, path)?,
                Err(error) => return Err(error),
                Ok(file) => {
                    if Uid::effective().is_root() {
                        fchown(&file, Some(directory.uid()), Some(directory.gid()))?;
                    }
                    file
                }
            }
        }
        opened => opened?,
    };
    let metadata = file.metadata()?;
    if Uid::effective().is_root() && ![0, directory.uid()].contains(&metadata.uid()) {
        return Err(refusal(&format!(
            "it belongs to user {}, and its directory to user {}; remove it if nothing uses it",
            metadata.uid(),
            directory.uid()
        )));
    }
    Ok(file)
}

/// Creates a file that only its owner can read, in place of anything with this name: a link is removed, not its target.
pub(crate) fn replace(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    create_new(path)
}

/// Creates a file that only its owner can read.
///
/// # Errors
///
/// Also if anything with this name exists, including a link.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Opens a file for reading.
///
/// # Errors
///
/// Also if the path is a link, a hard link of another file, or not a regular file.
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    open(OpenOptions::new().read(true), path)
}

fn open(options: &OpenOptions, path: &Path) -> io::Result<File> {
    // Opening a pipe without a writer would block.
    let file = match options.clone().custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path) {
        Err(error) if error.raw_os_error() == Some(Errno::ELOOP as i32) => {
            return Err(refusal(
                "it is a symbolic link, which is not followed here; remove it",
            ));
        }
        opened => opened?,
    };
    check(&file.metadata()?)?;
    Ok(file)
}

fn check(metadata: &Metadata) -> io::Result<()> {
    if !metadata.is_file() {
        Err(refusal("it is no regular file; remove it"))
    } else if metadata.nlink() > 1 {
        Err(refusal(
            "it is a second name (hard link) of another file; remove it",
        ))
    } else {
        Ok(())
    }
}

/// Whether a link with this metadata may be followed to a target of `owner`: if the link was created by root, by this user, or by the owner
/// of the target, like the kernel's rule for links in `/tmp` (`fs.protected_symlinks`).
pub(crate) fn is_trusted_link(link: &Metadata, owner: u32) -> bool {
    [0, Uid::effective().as_raw(), owner].contains(&link.uid())
}

fn refusal(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests;
