//! The file to import: its kind, and its rows in order.

use std::{
    fmt,
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{
    csv,
    fields::{Columns, Field, Fields, Format, MissingColumn, Names},
    json, sqlite,
    validation::Reason,
};

/// The first bytes of a SQLite file: <https://www.sqlite.org/fileformat.html#magic_header_string>.
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// Written before UTF-8 text by programs on Windows.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a file cannot be read at all.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The operating system reported an error.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        error: std::io::Error,
    },
    /// It is not a regular file, and cannot be read twice.
    #[error(
        "{}: this is {what}, and an import reads a file twice: write it to a file first, as in `COMMAND > levels.json`",
        .path.display()
    )]
    NoFile {
        /// The given path.
        path: PathBuf,
        /// The type of file.
        what: &'static str,
    },
    /// The file is empty.
    #[error("{}: the file is empty", .0.display())]
    Empty(PathBuf),
    /// The file is HTML.
    #[error("{}: this is a web page, perhaps an error of the site that it comes from: fetch it again, as JSON or CSV", .0.display())]
    WebPage(PathBuf),
    /// The text is UTF-16, not UTF-8.
    #[error("{}: the file is UTF-16: save it as UTF-8", .0.display())]
    Utf16(PathBuf),
    /// The kind differs from `--format`.
    #[error("{}: this is {found}, and --format asks for {asked}", .path.display())]
    Kind {
        /// The path of the file.
        path: PathBuf,
        /// The detected kind.
        found: Kind,
        /// The kind given by `--format`.
        asked: &'static str,
    },
    /// The JSON is invalid.
    #[error("{}: no JSON from line {line}, column {column} on: {what}", .path.display())]
    Json {
        /// The path of the file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column.
        column: usize,
        /// The parser's message.
        what: String,
    },
    /// The SQLite file cannot be read.
    #[error("{}: {what}", .path.display())]
    Sqlite {
        /// The path of the file.
        path: PathBuf,
        /// The error of SQLite.
        what: String,
    },
    /// The location of the members is unclear.
    #[error("{}: {what}", .path.display())]
    Layout {
        /// The path of the file.
        path: PathBuf,
        /// What is missing, and what was found.
        what: String,
    },
    /// The receiver of rows has stopped.
    #[error("stopped")]
    Stopped,
}

/// The file type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A SQLite database.
    Sqlite,
    /// JSON.
    Json,
    /// CSV.
    Csv,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Json => "JSON",
            Self::Csv => "CSV",
        })
    }
}

/// A row as read by a format.
#[derive(Debug)]
pub enum Row {
    /// Its fields.
    Fields(Fields),
    /// It could not be parsed.
    Broken {
        /// The reason for the rejection.
        reason: Reason,
        /// The raw text.
        raw: String,
    },
}

/// The receiver of rows has stopped.
#[derive(Clone, Copy, Debug)]
pub struct Stop;

/// Receives the rows of a format, each with its position.
pub type Sink<'a> = &'a mut dyn FnMut(&dyn fmt::Display, Row) -> Result<(), Stop>;

/// The progress of reading, shared with the thread that displays it.
#[derive(Debug, Default)]
pub struct Meter {
    done: AtomicU64,
    total: AtomicU64,
}

impl Meter {
    /// Begin with this total.
    pub fn begin(&self, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Add completed work.
    pub fn add(&self, done: u64) {
        self.done.fetch_add(done, Ordering::Relaxed);
    }

    /// The progress in whole percent.
    pub fn percent(&self) -> u64 {
        let total = self.total.load(Ordering::Relaxed).max(1);
        (self.done.load(Ordering::Relaxed).saturating_mul(100) / total).min(100)
    }
}

/// A file and how to read it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path of the file.
    pub path: PathBuf,
    /// The file type.
    pub kind: Kind,
    /// The names of its fields.
    pub names: Names,
    /// The table that was selected.
    pub table: Option<String>,
}

/// Detects changes of a file: the size and modification time of the file and of its companions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp(Vec<Option<(u64, Option<SystemTime>)>>);

impl Source {
    /// Detect the type of a file.
    pub fn open(
        path: &Path,
        format: Format,
        table: Option<String>,
        mapped: Vec<(Field, String)>,
    ) -> Result<Self, SourceError> {
        let kind = kind(path)?;
        let fits = match format {
            Format::Auto => true,
            Format::Sqlite => kind == Kind::Sqlite,
            Format::Csv => kind == Kind::Csv,
            Format::Json | Format::Lurkr | Format::Xpd => kind == Kind::Json,
            Format::Mee6 | Format::Polaris => kind != Kind::Sqlite,
        };
        if !fits {
            return Err(SourceError::Kind {
                path: path.to_owned(),
                found: kind,
                asked: match format {
                    Format::Sqlite => "SQLite",
                    Format::Csv => "CSV",
                    Format::Json | Format::Lurkr | Format::Xpd => "JSON",
                    Format::Auto | Format::Mee6 | Format::Polaris => "JSON or CSV",
                },
            });
        }
        if table.is_some() && kind != Kind::Sqlite {
            return Err(SourceError::Layout {
                path: path.to_owned(),
                what: format!("--table is for SQLite, and this is {kind}"),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            kind,
            names: Names::new(format, mapped),
            table,
        })
    }

    /// Pass every row to `sink`, always in the same order.
    pub fn read(&self, meter: &Meter, sink: Sink<'_>) -> Result<(), SourceError> {
        match self.kind {
            Kind::Sqlite => sqlite::read(self, meter, sink),
            Kind::Json => json::read(self, meter, sink),
            Kind::Csv => csv::read(self, meter, sink),
        }
    }

    /// Data beside the members that is not imported, one line each.
    pub fn left_out(&self) -> Result<Vec<String>, SourceError> {
        match self.kind {
            Kind::Sqlite => sqlite::left_out(self),
            Kind::Json | Kind::Csv => Ok(Vec::new()),
        }
    }

    /// Names in the file that might be a field's, for messages; empty if the format has already reported them.
    pub fn keys(&self) -> Vec<String> {
        match self.kind {
            Kind::Json => json::keys(self),
            Kind::Sqlite | Kind::Csv => Vec::new(),
        }
    }

    /// A digest of all data from which rows are read.
    pub fn fingerprint(&self) -> Result<[u8; 32], SourceError> {
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        for path in self.files() {
            let mut file = match File::open(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && path != self.path => continue,
                opened => opened.map_err(|error| self.io(error))?,
            };
            loop {
                match file.read(&mut buffer).map_err(|error| self.io(error))? {
                    0 => break,
                    read => digest.update(&buffer[..read]),
                }
            }
        }
        Ok(digest.finalize().into())
    }

    /// A stamp to compare with a later one.
    pub fn stamp(&self) -> Stamp {
        let stamp = |path: PathBuf| {
            let about = std::fs::metadata(path).ok()?;
            Some((about.len(), about.modified().ok()))
        };
        Stamp(self.files().into_iter().map(stamp).collect())
    }

    /// The file, and SQLite's write-ahead log.
    fn files(&self) -> Vec<PathBuf> {
        match self.kind {
            Kind::Sqlite => vec![self.path.clone(), beside(&self.path, "-wal")],
            Kind::Json | Kind::Csv => vec![self.path.clone()],
        }
    }

    /// The text, after any byte order mark.
    pub(super) fn text(&self, meter: &Meter) -> Result<BufReader<File>, SourceError> {
        let file = File::open(&self.path).map_err(|error| self.io(error))?;
        meter.begin(file.metadata().map_err(|error| self.io(error))?.len());
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let begins = reader.fill_buf().map_err(|error| self.io(error))?;
        if begins.starts_with(BYTE_ORDER_MARK) {
            reader.consume(BYTE_ORDER_MARK.len());
        }
        Ok(reader)
    }

    pub(super) fn io(&self, error: std::io::Error) -> SourceError {
        SourceError::Io {
            path: self.path.clone(),
            error,
        }
    }

    pub(super) fn layout(&self, what: String) -> SourceError {
        SourceError::Layout {
            path: self.path.clone(),
            what,
        }
    }

    /// The positions of the fields among named columns.
    pub(super) fn columns<T: AsRef<str>>(&self, what: &str, header: &[T]) -> Result<Columns, SourceError> {
        let listed = || {
            let all: Vec<&str> = header.iter().map(AsRef::as_ref).collect();
            all.join(", ")
        };
        let columns = self.names.columns(header).map_err(|MissingColumn(column)| {
            self.layout(format!(
                "{what} has no column {column:?}; its columns are: {}",
                listed()
            ))
        })?;
        let missing = if columns.best(Field::User).is_none() {
            "the member's id (user_id)"
        } else if columns.best(Field::Xp).or(columns.best(Field::Level)).is_none() {
            "XP or a level (xp, level)"
        } else {
            return Ok(columns);
        };
        Err(self.layout(format!(
            "no column of {what} is known to be {missing}; its columns are: {}; say which it is with --map \
             user_id=COLUMN,xp=COLUMN",
            listed()
        )))
    }
}

/// The path with a suffix appended to the file name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn kind(path: &Path) -> Result<Kind, SourceError> {
    let io = |error| SourceError::Io {
        path: path.to_owned(),
        error,
    };
    let about = std::fs::metadata(path).map_err(io)?;
    if !about.is_file() {
        return Err(SourceError::NoFile {
            path: path.to_owned(),
            what: if about.is_dir() {
                "a directory"
            } else {
                "a pipe or a device"
            },
        });
    }
    let mut begins = Vec::new();
    File::open(path)
        .map_err(io)?
        .take(1 << 12)
        .read_to_end(&mut begins)
        .map_err(io)?;
    if begins.starts_with(SQLITE_MAGIC) {
        return Ok(Kind::Sqlite);
    }
    if begins.starts_with(b"\xff\xfe") || begins.starts_with(b"\xfe\xff") {
        return Err(SourceError::Utf16(path.to_owned()));
    }
    let text = begins.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&begins);
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err(SourceError::Empty(path.to_owned())),
        Some(b'{' | b'[') => Ok(Kind::Json),
        Some(b'<') => Err(SourceError::WebPage(path.to_owned())),
        Some(_) => Ok(Kind::Csv),
    }
}

#[cfg(test)]
pub(super) mod reading {
    //! Helpers for the tests of formats.

    use std::io::Write as _;

    use super::{Meter, Row, Source, SourceError};
    use crate::features::levels::import::{
        fields::{Field, Format},
        validation::{Validated, Validator, XpMeaning},
    };

    /// A year after the latest ID in the tests.
    const NOW_MS: i64 = 1_800_000_000_000;

    /// All rows of a file with these contents.
    pub(in crate::features::levels::import) fn rows(
        contents: &[u8],
        format: Format,
        mapped: Vec<(Field, String)>,
    ) -> Result<Vec<(String, Row)>, SourceError> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(contents).expect("written");
        let source = Source::open(file.path(), format, None, mapped)?;
        rows_of(&source)
    }

    pub(in crate::features::levels::import) fn rows_of(
        source: &Source,
    ) -> Result<Vec<(String, Row)>, SourceError> {
        let mut rows = Vec::new();
        source.read(&Meter::default(), &mut |at, row| {
            rows.push((at.to_string(), row));
            Ok(())
        })?;
        Ok(rows)
    }

    /// One line per row: `guild/user xp messages`, or the position and the reason for rejection.
    pub(in crate::features::levels::import) fn told(rows: Vec<(String, Row)>) -> Vec<String> {
        let validator = Validator {
            guild: None,
            xp: XpMeaning::Total,
            now: NOW_MS,
        };
        let line = |(at, row)| {
            let validated = match row {
                Row::Fields(fields) => validator.validate(&fields),
                Row::Broken { reason, .. } => Err(reason),
            };
            match validated {
                Ok(Validated::Entry(entry)) => format!(
                    "{}/{} {} {}",
                    entry.key.guild_id,
                    entry.key.user_id,
                    entry.xp,
                    entry
                        .messages
                        .map_or_else(|| "-".to_owned(), |messages| messages.to_string())
                ),
                Ok(Validated::Elsewhere) => format!("{at}: elsewhere"),
                Err(reason) => format!("{at}: {reason}"),
            }
        };
        rows.into_iter().map(line).collect()
    }
}
