//! Import: converts data stored by other bots and tutorials into rows of `member_xp`.
//!
//! A format turns bytes into rows, `validation` turns a row into an entry or a reason for rejection, and neither accesses a database. A file is
//! read twice. The first pass writes nothing: it detects broken files and rounded IDs. In the second pass a thread reads and judges, a
//! bounded channel holds a few thousand entries, and each batch is one transaction, which also stores the number of rows completed. So a
//! million rows take little memory, and an interrupted import resumes where it stopped.

mod csv;
pub mod fields;
pub mod ids;
mod json;
mod progress;
pub mod rejects;
pub mod report;
pub mod source;
mod sqlite;
mod survey;
pub mod validation;
mod write;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use rustc_hash::{FxHashMap, FxHashSet};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio_postgres::error::SqlState;
use twilight_model::id::{Id, marker::GuildMarker};

pub use self::progress::Progress;
use self::{
    fields::{Field, Fields, Format},
    ids::Rounded,
    rejects::{Reject, RejectFile},
    report::Report,
    source::{Kind, Meter, Row, Source, SourceError, Stop, beside},
    survey::Survey,
    validation::{Entry, Reason, Validated, Validator, Whose, XpMeaning},
    write::{Batches, Job},
};
use crate::{
    features::levels::rows::{import_job::JobKey, member_xp::moving::Mode},
    postgres::{Store, StoreError},
    settings::Settings,
    support::{clock::host_time, ids::Millis},
};

/// Items per message of the channel, and the capacity of the channel in messages.
const ITEMS_AT_ONCE: usize = 512;
const MESSAGES: usize = 8;

/// The update interval of the progress display.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// The options of an import.
#[derive(Clone, Debug)]
pub struct Options {
    /// The path of the file.
    pub file: PathBuf,
    /// The format, or detection.
    pub format: Format,
    /// The table of a SQLite file.
    pub table: Option<String>,
    /// The columns or keys of fields, as given with `--map`.
    pub mapped: Vec<(Field, String)>,
    /// The only guild to import; also the guild of rows that do not name one.
    pub guild: Option<Id<GuildMarker>>,
    /// How to treat members who already have a row.
    pub mode: Mode,
    /// The meaning of XP in the file.
    pub xp: XpMeaning,
    /// Write nothing to the database.
    pub dry_run: bool,
    /// The file for rejected rows; `None` for a file beside the source.
    pub rejects: Option<PathBuf>,
    /// Rows per transaction.
    pub batch: usize,
    /// Import the file even if it was imported before.
    pub again: bool,
    /// Skip the check for rounded IDs.
    pub trust_ids: bool,
}

/// Why an import did not start or did not complete.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// The file contains no members.
    #[error(
        "{}: no members found in this {kind} file{}; --map user_id=NAME,xp=NAME says what their ID and XP are called",
        .path.display(), with_keys(.keys)
    )]
    Nobody {
        /// The path of the file.
        path: PathBuf,
        /// The detected kind.
        kind: Kind,
        /// Names in the file that might be a field's.
        keys: Vec<String>,
    },
    /// Neither the file nor the command names a guild.
    #[error("{}: the file does not say which guild the members belong to: pass --guild ID", .0.display())]
    NoGuild(PathBuf),
    /// All of its members belong to other guilds.
    #[error("{}: none of the {rows} rows belongs to the guild of --guild", .path.display())]
    Elsewhere {
        /// The path of the file.
        path: PathBuf,
        /// The number of rows.
        rows: u64,
    },
    /// No row can be imported.
    #[error("{}: none of the {rows} rows can be imported; the first, {first}", .path.display())]
    Nothing {
        /// The path of the file.
        path: PathBuf,
        /// The number of rows.
        rows: u64,
        /// The first rejection, with position and reason.
        first: String,
    },
    /// The IDs were rounded by some tool.
    #[error(
        "{}: {} of {} different {whose} ids {}, from {} on: they no longer identify these members, and nothing was imported\nexport again with the ids as text: in SQL CAST(user_id AS TEXT), in JavaScript never as Number, in a \
         spreadsheet with the column set to Text before the file is opened\n--trust-ids imports them as they are",
        .path.display(), .rounded.count, .rounded.of, .rounded.how, .rounded.at
    )]
    Rounded {
        /// The path of the file.
        path: PathBuf,
        /// The kind of ID.
        whose: Whose,
        /// How the rounded IDs look.
        rounded: Rounded,
    },
    /// The same file was imported before.
    #[error(
        "{}: this file was already imported on {finished} ({options}); pass --again to import it again",
        .path.display()
    )]
    Done {
        /// The path of the file.
        path: PathBuf,
        /// When the earlier import finished.
        finished: String,
        /// The options of that import.
        options: String,
    },
    /// An import of the same file with other options was interrupted.
    #[error(
        "{}: an import of this file ({options}) was interrupted after {rows} rows; the same options resume it, --again starts over with these",
        .path.display()
    )]
    Begun {
        /// The path of the file.
        path: PathBuf,
        /// The options of that import.
        options: String,
        /// The number of rows completed.
        rows: u64,
    },
    /// Another process imports the same file now.
    #[error(
        "another process has taken over the import of this file; what this one committed stays and is not done twice"
    )]
    Fenced,
    /// The file changed between the two passes.
    #[error(
        "{}: the file changed while it was read: stop what writes to it, and import again; what is committed stays",
        .0.display()
    )]
    Changed(PathBuf),
    /// The reject file would overwrite the source.
    #[error("{}: rejected rows cannot go into the file that is imported", .0.display())]
    RejectsIntoSource(PathBuf),
    /// The reject file cannot be written.
    #[error("{}: {error}", .path.display())]
    Rejects {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        error: std::io::Error,
    },
    /// The database was unavailable for too long.
    #[error("{0}; what is committed stays, and the same command goes on from there")]
    Store(#[source] StoreError),
    /// The tables do not exist yet.
    #[error("the database does not have all tables yet: run `eventide migrate up`")]
    NoTables,
}

fn with_keys(keys: &[String]) -> String {
    if keys.is_empty() {
        String::new()
    } else {
        format!(", which has the keys {}", keys.join(", "))
    }
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        if error.sqlstate() == Some(&SqlState::UNDEFINED_TABLE) {
            return Self::NoTables;
        }
        Self::Store(error)
    }
}

/// One row, as passed on by the reading thread.
#[derive(Debug)]
enum Item {
    Entry(Entry),
    Elsewhere,
    Reject(Box<Reject>),
}

/// Import a file, or show what an import would do.
///
/// # Errors
///
/// See [`ImportError`]. Committed batches stay, and the same call resumes after them.
pub async fn run(
    store: &Store,
    settings: &Settings,
    options: &Options,
    progress: &mut Progress,
) -> Result<Report, ImportError> {
    let done = run_shown(store, settings, options, progress).await;
    progress.end();
    done
}

async fn run_shown(
    store: &Store,
    settings: &Settings,
    options: &Options,
    progress: &mut Progress,
) -> Result<Report, ImportError> {
    let source = Source::open(
        &options.file,
        options.format,
        options.table.clone(),
        options.mapped.clone(),
    )?;
    let rejects = reject_file(options)?;
    let validator = Validator {
        guild: options.guild,
        xp: options.xp,
        now: now(),
    };
    let stamp = source.stamp();
    let (survey, notes, fingerprint) = survey(&source, validator, options, progress).await?;
    let job = if options.dry_run {
        None
    } else {
        let key = JobKey {
            source: fingerprint,
            guild_id: options.guild.map_or(0, crate::support::ids::to_db),
        };
        Some(Job::claim(store, key, options).await?)
    };
    progress.begin();
    let (sender, items) = mpsc::channel(MESSAGES);
    let reading = {
        let source = source.clone();
        tokio::task::spawn_blocking(move || hand_over(&source, validator, &sender))
    };
    let batches = Batches {
        store,
        settings,
        source: &source,
        stamp,
        job,
        mode: options.mode,
        batch: options.batch,
        total: survey.rows,
        rejects,
    };
    let written = batches.write(items, progress).await;
    // The receiver is gone: the thread ends at its next row at the latest.
    let read = joined(reading.await);
    let mut report = written?;
    read?;
    report.notes = [survey.suspicions(), notes].concat();
    Ok(report)
}

/// The first pass, and its checks.
async fn survey(
    source: &Source,
    validator: Validator,
    options: &Options,
    progress: &mut Progress,
) -> Result<(Survey, Vec<String>, [u8; 32]), ImportError> {
    let meter = Arc::new(Meter::default());
    let mut reading = {
        let (source, meter) = (source.clone(), Arc::clone(&meter));
        tokio::task::spawn_blocking(move || -> Result<_, SourceError> {
            let survey = Survey::take(&source, validator, &meter)?;
            Ok((survey, source.left_out()?, source.fingerprint()?))
        })
    };
    let seen = loop {
        tokio::select! {
            seen = &mut reading => break joined(seen)?,
            () = tokio::time::sleep(LOOK_INTERVAL) => progress.checking(meter.percent()),
        }
    };
    let survey = &seen.0;
    let path = || options.file.clone();
    if survey.rows == 0 {
        return Err(ImportError::Nobody {
            path: path(),
            kind: source.kind,
            keys: source.keys(),
        });
    }
    if let Some((whose, rounded)) = survey.rounded().filter(|_| !options.trust_ids) {
        return Err(ImportError::Rounded {
            path: path(),
            whose,
            rounded,
        });
    }
    if survey.entries == 0 {
        if survey.without_guild > 0 {
            return Err(ImportError::NoGuild(path()));
        }
        let (path, rows) = (path(), survey.rows);
        return Err(match survey.first_reject.clone() {
            Some(first) => ImportError::Nothing { path, rows, first },
            None => ImportError::Elsewhere { path, rows },
        });
    }
    Ok(seen)
}

/// The second pass: read to the end, validator, and send the results.
fn hand_over(
    source: &Source,
    validator: Validator,
    sender: &mpsc::Sender<Vec<Item>>,
) -> Result<(), SourceError> {
    let mut seen = Seen::default();
    let mut items = Vec::with_capacity(ITEMS_AT_ONCE);
    let read = source.read(&Meter::default(), &mut |at, row| {
        let reject = |reason, fields, raw| {
            Item::Reject(Box::new(Reject {
                at: at.to_string(),
                reason,
                fields,
                raw,
            }))
        };
        items.push(match row {
            Row::Broken { reason, raw } => reject(reason, Fields::default(), raw),
            Row::Fields(fields) => match validator.validate(&fields) {
                Ok(Validated::Elsewhere) => Item::Elsewhere,
                Ok(Validated::Entry(entry)) if seen.is_first(&entry) => Item::Entry(entry),
                Ok(Validated::Entry(_)) => reject(Reason::Repeated, fields, String::new()),
                Err(reason) => reject(reason, fields, String::new()),
            },
        });
        if items.len() < ITEMS_AT_ONCE {
            return Ok(());
        }
        let full = std::mem::replace(&mut items, Vec::with_capacity(ITEMS_AT_ONCE));
        sender.blocking_send(full).map_err(|_gone| Stop)
    });
    match read {
        // The receiver has failed, and reports why.
        Err(SourceError::Stopped) => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            drop(sender.blocking_send(items));
            Ok(())
        }
    }
}

/// Members already seen: a file should have one row per member, and only its owner can say which of two is right.
///
/// Only this grows with the file: 9 to 18 bytes per member.
#[derive(Debug, Default)]
struct Seen(FxHashMap<u64, FxHashSet<u64>>);

impl Seen {
    fn is_first(&mut self, entry: &Entry) -> bool {
        let guild = self.0.entry(entry.key.guild_id.get()).or_default();
        guild.insert(entry.key.user_id.get())
    }
}

fn reject_file(options: &Options) -> Result<RejectFile, ImportError> {
    let path = options
        .rejects
        .clone()
        .unwrap_or_else(|| beside(&options.file, ".rejects.jsonl"));
    let same = |path: &PathBuf| std::fs::canonicalize(path).ok();
    if same(&path).is_some() && same(&path) == same(&options.file) {
        return Err(ImportError::RejectsIntoSource(path));
    }
    Ok(RejectFile::new(path))
}

fn now() -> Millis {
    let since = host_time().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

fn joined<T>(result: Result<T, tokio::task::JoinError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
