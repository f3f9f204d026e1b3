//! What a backup is: written beside it, and checked before anything is restored.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::BackupError;

/// What comes after the file's name.
const ENDING: &str = ".manifest.json";

/// The form of manifests that this version writes, and the newest that it reads.
const FORM: u32 = 1;

/// The manifest of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this manifest.
    pub form: u32,
    /// The backup's file name.
    pub file: String,
    /// The schema it is of.
    pub schema: String,
    /// The newest migration's number; 0 before the first.
    pub schema_version: u32,
    /// The migrations that were applied, oldest first.
    pub migrations: Vec<String>,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// Roles but the owner that have rights on something in it.
    pub grantees: Vec<String>,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// The Eventide that made it.
    pub eventide: String,
    /// The server's version.
    pub postgresql: String,
    /// The version of `pg_dump`, whose `pg_restore` or a newer one reads the file.
    pub pg_dump: String,
    /// The moment that it shows, RFC 3339 in UTC.
    pub started_at: String,
    /// How long it took.
    pub duration_ms: u64,
}

impl Manifest {
    /// The form that this version writes.
    pub(super) const fn form() -> u32 {
        FORM
    }

    /// All rows.
    pub fn row_count(&self) -> u64 {
        self.rows.values().sum()
    }

    /// The manifest's path for a backup's.
    pub fn path(file: &Path) -> PathBuf {
        let mut path = file.as_os_str().to_owned();
        path.push(ENDING);
        path.into()
    }

    /// The backup's path for a manifest's, if it is a manifest's.
    pub(super) fn file_of(path: &Path) -> Option<PathBuf> {
        let name = path.file_name()?.to_str()?.strip_suffix(ENDING)?;
        Some(path.with_file_name(name))
    }

    /// Read the one of the backup `file`.
    pub(super) fn read(file: &Path) -> Result<Self, BackupError> {
        let path = Self::path(file);
        let wrong = |why: String| BackupError::Manifest {
            path: path.clone(),
            why,
        };
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let why = if file.exists() {
                    "it is not there; a dump that is not Eventide's own is for pg_restore"
                } else {
                    "neither it nor the backup is there"
                };
                return Err(wrong(why.to_owned()));
            }
            text => text.map_err(BackupError::io("read", &path))?,
        };
        let form = |value: &serde_json::Value| value.get("form").and_then(serde_json::Value::as_u64);
        let value: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        match form(&value) {
            Some(form) if form > u64::from(FORM) => Err(wrong(format!(
                "it has form {form}, which a newer Eventide wrote; restore with that one"
            ))),
            _ => serde_json::from_value(value).map_err(|error| wrong(error.to_string())),
        }
    }

    /// Whether `file` is what was written.
    pub(super) fn check(&self, file: &Path) -> Result<(), BackupError> {
        let differs = |why: String| BackupError::Damaged {
            path: file.to_owned(),
            why,
        };
        let (bytes, sha256) = digest(file)?;
        if bytes != self.bytes {
            return Err(differs(format!("it has {bytes} bytes instead of {}", self.bytes)));
        }
        if sha256 != self.sha256 {
            return Err(differs("its SHA-256 is another one".to_owned()));
        }
        Ok(())
    }
}

/// Length and SHA-256 of a file.
pub(super) fn digest(file: &Path) -> Result<(u64, String), BackupError> {
    let mut reader = File::open(file).map_err(BackupError::io("open", file))?;
    let mut sha256 = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let read = reader.read(&mut buffer).map_err(BackupError::io("read", file))?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        sha256.update(buffer.get(..read).unwrap_or_default());
    }
    let mut digits = String::new();
    for byte in sha256.finalize() {
        write!(digits, "{byte:02x}").expect("a String takes any text");
    }
    Ok((bytes, digits))
}

/// A time in RFC 3339, to the second.
pub(super) fn in_words(time: OffsetDateTime) -> String {
    let time = time.replace_nanosecond(0).unwrap_or(time);
    time.format(&Rfc3339)
        .expect("the years of our time can be written")
}
