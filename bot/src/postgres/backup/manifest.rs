//! The manifest, which describes a backup. It is written next to it, and checked before a restore.

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

/// The suffix after the file's name.
const ENDING: &str = ".manifest.json";

/// The version of the manifest's format that is written, and the newest one that can be read.
const FORM: u32 = 1;

/// The manifest of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the manifest's format.
    pub form: u32,
    /// The backup's file name.
    pub file: String,
    /// The schema that was backed up.
    pub schema: String,
    /// The number of the newest migration; 0 if there is none.
    pub schema_version: u32,
    /// The applied migrations, oldest first.
    pub migrations: Vec<String>,
    /// The number of rows in each table.
    pub rows: BTreeMap<String, u64>,
    /// The roles other than the owner that have privileges on objects in the schema.
    pub grantees: Vec<String>,
    /// The length of the file.
    pub bytes: u64,
    /// The SHA-256 of the file in hexadecimal.
    pub sha256: String,
    /// The version of Eventide that made it.
    pub eventide: String,
    /// The version of the server.
    pub postgresql: String,
    /// The version of `pg_dump`. `pg_restore` of this version or a later one can read the file.
    pub pg_dump: String,
    /// The time of the snapshot, RFC 3339 in UTC.
    pub started_at: String,
    /// How long the backup took.
    pub duration_ms: u64,
}

impl Manifest {
    /// The version of the manifest's format that is written.
    pub(super) const fn form() -> u32 {
        FORM
    }

    /// The total number of rows.
    pub fn row_count(&self) -> u64 {
        self.rows.values().sum()
    }

    /// The path of the manifest of `file`.
    pub fn path(file: &Path) -> PathBuf {
        let mut path = file.as_os_str().to_owned();
        path.push(ENDING);
        path.into()
    }

    /// The path of the backup if `path` is that of a manifest.
    pub(super) fn file_of(path: &Path) -> Option<PathBuf> {
        let name = path.file_name()?.to_str()?.strip_suffix(ENDING)?;
        Some(path.with_file_name(name))
    }

    /// Read the manifest of the backup `file`.
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

    /// Check that `file` is unchanged.
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

/// The length and SHA-256 of a file.
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
