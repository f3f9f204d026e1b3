//! The names of backups, and writing them: a file gets its final name when it is complete.

use std::{
    fs::{self, File, TryLockError},
    io::Write as _,
    path::{Path, PathBuf},
};

use time::{OffsetDateTime, macros::format_description};

use super::{BackupError, Manifest};
use crate::support::files;

/// The suffix of the file while it is written.
const PARTIAL: &str = ".partial";

/// The meaning of `--out`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    /// A given file.
    File(PathBuf),
    /// A directory, in which each backup gets a new name.
    Directory(PathBuf),
}

impl Out {
    /// An existing directory, or a path with a trailing slash, is a directory; anything else is a file.
    pub fn new(path: PathBuf) -> Self {
        let slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if slash || path.is_dir() {
            Self::Directory(path)
        } else {
            Self::File(path)
        }
    }

    /// The file for a backup of `schema` at this time.
    pub(super) fn file(&self, schema: &str, time: OffsetDateTime) -> PathBuf {
        match self {
            Self::File(file) => file.clone(),
            Self::Directory(directory) => {
                let second = format_description!("[year][month][day]T[hour][minute][second]Z");
                let second = time.format(second).expect("the years of our time can be written");
                directory.join(format!("{}{second}.dump", prefix(schema)))
            }
        }
    }
}

/// The prefix of the names of a schema's backups. It can match those of another schema; the manifests differ.
pub(super) fn prefix(schema: &str) -> String {
    let plain = |character: char| {
        if character.is_alphanumeric() || matches!(character, '_' | '-') {
            character
        } else {
            '_'
        }
    };
    format!("eventide-{}-", schema.chars().map(plain).collect::<String>())
}

/// A file that is being written. It is deleted when dropped, unless it was finished.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    wanted: PathBuf,
    file: File,
}

impl Partial {
    /// Create it next to its final path. The lock distinguishes it from the remains of a backup that was killed.
    pub(super) fn begin(wanted: &Path) -> Result<Self, BackupError> {
        if wanted.symlink_metadata().is_ok() || Manifest::path(wanted).symlink_metadata().is_ok() {
            return Err(BackupError::Exists(wanted.to_owned()));
        }
        let mut path = wanted.as_os_str().to_owned();
        path.push(PARTIAL);
        let path = PathBuf::from(path);
        remove_leftover(&path);
        // The file contains data about people, so other users cannot read it.
        let file = files::create_new(&path).map_err(BackupError::io("write", &path))?;
        let partial = Self {
            path,
            wanted: wanted.to_owned(),
            file,
        };
        partial
            .file
            .try_lock()
            .map_err(|error| BackupError::io("lock", &partial.path)(error.into()))?;
        Ok(partial)
    }

    /// A handle for a program's standard output.
    pub(super) fn handle(&self) -> Result<File, BackupError> {
        self.file
            .try_clone()
            .map_err(BackupError::io("write", &self.path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The final file name.
    pub(super) fn file_name(&self) -> String {
        let name = self.wanted.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The number of bytes written.
    pub(super) fn bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }

    /// Sync the file and rename it, then do the same with its manifest. After an error neither exists.
    pub(super) fn finish(self, manifest: &Manifest) -> Result<(), BackupError> {
        self.file
            .sync_all()
            .map_err(BackupError::io("write", &self.path))?;
        let path = Manifest::path(&self.wanted);
        let described = Self::begin(&path)?;
        let text = serde_json::to_vec_pretty(manifest).expect("a manifest is plain data");
        (&described.file)
            .write_all(&text)
            .and_then(|()| (&described.file).write_all(b"\n"))
            .and_then(|()| described.file.sync_all())
            .map_err(BackupError::io("write", &described.path))?;
        fs::rename(&self.path, &self.wanted).map_err(BackupError::io("name", &self.wanted))?;
        let named = fs::rename(&described.path, &path)
            .and_then(|()| sync_directory(&self.wanted))
            .map_err(BackupError::io("name", &path));
        if named.is_err() {
            drop(fs::remove_file(&path));
            drop(fs::remove_file(&self.wanted));
        }
        named
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // It no longer has this name if it was finished.
        drop(fs::remove_file(&self.path));
    }
}

/// Delete what a killed backup left, but not a file that is being written.
pub(super) fn remove_leftover(path: &Path) {
    if path.extension().is_some_and(|ending| ending == "partial")
        && let Ok(file) = files::open_to_read(path)
        && !matches!(file.try_lock(), Err(TryLockError::WouldBlock))
    {
        drop(fs::remove_file(path));
    }
}

/// Renaming changes the directory, which has to be synced as well.
fn sync_directory(file: &Path) -> std::io::Result<()> {
    let parent = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}
