//! Creating the files of a new migration.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use thiserror::Error;

/// The maximum length of a name.
const NAME_CHARACTERS: usize = 60;

/// Why no files were created.
#[derive(Debug, Error)]
pub enum CreateError {
    /// The name is not a valid file name.
    #[error(
        "{0:?} is no name for a migration: 1 to {NAME_CHARACTERS} of a-z, 0-9 and _, beginning with a letter, such as add_guild_settings"
    )]
    Name(String),
    /// The working directory is not a checkout.
    #[error(
        "there is no migrations/V1__….sql in {}: migrations are made in a checkout of Eventide's source code, and its binary brings \
         them along",
        .0.display()
    )]
    NoCheckout(PathBuf),
    /// The name is already used.
    #[error("there is a migration of that name: {}", .0.display())]
    Taken(PathBuf),
    /// A file could not be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        error: io::Error,
    },
}

/// Create the file of the next migration and its undo in `migrations` below `checkout`. Returns their paths.
///
/// # Errors
///
/// See [`CreateError`]. Existing files are never overwritten.
pub fn create(checkout: &Path, name: &str) -> Result<[PathBuf; 2], CreateError> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !begins || name.len() > NAME_CHARACTERS || !name.chars().all(letters) {
        return Err(CreateError::Name(name.to_owned()));
    }
    let directory = checkout.join("migrations");
    let versions = versions(&directory);
    let Some((newest, _)) = versions.iter().max() else {
        return Err(CreateError::NoCheckout(checkout.to_owned()));
    };
    if let Some((version, _)) = versions.iter().find(|(_, found)| found == name) {
        return Err(CreateError::Taken(
            directory.join(format!("V{version}__{name}.sql")),
        ));
    }
    let version = newest + 1;
    let undo = directory.join(format!("V{version}__{name}.undo.sql"));
    let file = directory.join(format!("V{version}__{name}.sql"));
    // The undo comes first, so that a failure leaves no migration without one.
    write(&undo, &format!("-- Takes V{version} back. {UNDO_HEAD}\n\n"))?;
    write(&file, &format!("-- {HEAD}\n--\n-- Locks: {LOCKS}\n\n"))?;
    Ok([file, undo])
}

/// A placeholder that the author replaces; the lint requires it.
pub(super) const HEAD: &str = "What it is for, in a sentence.";
/// The placeholder of the undo.
pub(super) const UNDO_HEAD: &str = "What is lost, in a sentence.";
/// The placeholder for the line about locks.
pub(super) const LOCKS: &str =
    "which existing tables, how, and for how long; remove this line if it only creates new ones.";

/// The existing migrations; none if the directory does not exist.
fn versions(directory: &Path) -> Vec<(u32, String)> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let file = entry.ok()?.file_name().into_string().ok()?;
            let (version, name) = file.strip_prefix('V')?.strip_suffix(".sql")?.split_once("__")?;
            (!name.contains('.')).then_some((version.parse().ok()?, name.to_owned()))
        })
        .collect()
}

fn write(path: &Path, text: &str) -> Result<(), CreateError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| CreateError::Io {
            path: path.to_owned(),
            error,
        })
}

#[cfg(test)]
mod tests;
