//! Moving in: what other bots and tutorials have stored becomes rows of `member_xp`.
//!
//! A format turns bytes into rows, `judge` turns a row into an entry or a reason why not, and both know nothing of a database. A
//! file is read twice. The first time nothing is written: broken files and rounded ids are found out. The second time a thread
//! reads and judges, a bounded channel holds a few thousand entries, and each batch is one transaction, with the number of rows
//! that are done by it. So a million rows take little memory, and an import that was killed goes on where it ended.

mod csv;
pub mod fields;
pub mod ids;
mod json;
pub mod judge;
mod progress;
pub mod rejects;
pub mod report;
pub mod source;
mod sqlite;
mod survey;
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
    judge::{Entry, Judge, Judged, Reason, Whose, XpMeaning},
    rejects::{Reject, RejectFile},
    report::Report,
    source::{Kind, Meter, Row, Source, SourceError, Stop, beside},
    survey::Survey,
    write::{Batches, Job},
};
use crate::{
    features::levels::rows::{import_job::JobKey, member_xp::moving::Mode},
    postgres::{Store, StoreError},
    settings::Settings,
    support::{clock::host_time, ids::Millis},
};

/// Items in one message of the channel, and messages that it holds.
const ITEMS_AT_ONCE: usize = 512;
const MESSAGES: usize = 8;

/// How often the display is brought up to date.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file.
    pub file: PathBuf,
    /// What it is.
    pub format: Format,
    /// The table of a SQLite file.
    pub table: Option<String>,
    /// Which columns or keys the fields are.
    pub mapped: Vec<(Field, String)>,
    /// The only guild to import; for rows that do not say theirs, their guild.
    pub guild: Option<Id<GuildMarker>>,
    /// What happens to members who are here already.
    pub mode: Mode,
    /// What XP means in the file.
    pub xp: XpMeaning,
    /// Write nothing to the database.
    pub dry_run: bool,
    /// Where rejected rows go; `None` for a file beside the source.
    pub rejects: Option<PathBuf>,
    /// Rows in a transaction.
    pub batch: usize,
    /// Do it again although it was done.
    pub again: bool,
    /// The ids are as they should be, whatever they look like.
    pub trust_ids: bool,
}

/// Why an import did not happen, or not to its end.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// There are no members in it.
    #[error(
        "{}: no members found in this {kind} file{}; --map user_id=NAME,xp=NAME says what their ID and XP are called",
        .path.display(), with_keys(.keys)
    )]
    Nobody {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: Kind,
        /// The names in it that might be a field's.
        keys: Vec<String>,
    },
    /// It does not say of which guild the members are.
    #[error("{}: the file does not say which guild the members belong to: pass --guild ID", .0.display())]
    NoGuild(PathBuf),
    /// Its members are all of other guilds.
    #[error("{}: none of the {rows} rows belongs to the guild of --guild", .path.display())]
    Elsewhere {
        /// The file.
        path: PathBuf,
        /// How many there are.
        rows: u64,
    },
    /// Not one row can be imported.
    #[error("{}: none of the {rows} rows can be imported; the first, {first}", .path.display())]
    Nothing {
        /// The file.
        path: PathBuf,
        /// How many there are.
        rows: u64,
        /// The first, with place and reason.
        first: String,
    },
    /// The ids were rounded.
    #[error(
        "{}: {} of {} different {whose} ids {}, from {} on: they no longer identify these members, and nothing was imported\nexport again with the ids as text: in SQL CAST(user_id AS TEXT), in JavaScript never as Number, in a \
         spreadsheet with the column set to Text before the file is opened\n--trust-ids imports them as they are",
        .path.display(), .rounded.count, .rounded.of, .rounded.how, .rounded.at
    )]
    Rounded {
        /// The file.
        path: PathBuf,
        /// Whose ids.
        whose: Whose,
        /// What they look like.
        rounded: Rounded,
    },
    /// The same file was imported before.
    #[error(
        "{}: this file was already imported on {finished} ({options}); pass --again to import it again",
        .path.display()
    )]
    Done {
        /// The file.
        path: PathBuf,
        /// The time at which it finished.
        finished: String,
        /// The options of that import.
        options: String,
    },
    /// The same file was begun in another way.
    #[error(
        "{}: an import of this file ({options}) was interrupted after {rows} rows; the same options resume it, --again starts over with these",
        .path.display()
    )]
    Begun {
        /// The file.
        path: PathBuf,
        /// The options of that import.
        options: String,
        /// Up to where.
        rows: u64,
    },
    /// Somebody else imports the same file now.
    #[error(
        "another process has taken over the import of this file; what this one committed stays and is not done twice"
    )]
    Fenced,
    /// The file is not what it was.
    #[error(
        "{}: the file changed while it was read: stop what writes to it, and import again; what is committed stays",
        .0.display()
    )]
    Changed(PathBuf),
    /// The reject file would be the source.
    #[error("{}: rejected rows cannot go into the file that is imported", .0.display())]
    RejectsIntoSource(PathBuf),
    /// The reject file cannot be written.
    #[error("{}: {error}", .path.display())]
    Rejects {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        error: std::io::Error,
    },
    /// The database failed for too long.
    #[error("{0}; what is committed stays, and the same command goes on from there")]
    Store(#[source] StoreError),
    /// There are no tables yet.
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

/// What the reading thread hands over: a row each.
#[derive(Debug)]
enum Item {
    Entry(Entry),
    Elsewhere,
    Reject(Box<Reject>),
}

/// Import, or show what would happen.
///
/// # Errors
///
/// See [`ImportError`]. What was committed by then stays, and the same call goes on from there.
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
    let judge = Judge {
        guild: options.guild,
        xp: options.xp,
        now: now(),
    };
    let stamp = source.stamp();
    let (survey, notes, fingerprint) = survey(&source, judge, options, progress).await?;
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
        tokio::task::spawn_blocking(move || hand_over(&source, judge, &sender))
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
    // The receiver is gone: the thread ends at its next row, if it has not.
    let read = joined(reading.await);
    let mut report = written?;
    read?;
    report.notes = [survey.suspicions(), notes].concat();
    Ok(report)
}

/// The first reading, and what follows from it.
async fn survey(
    source: &Source,
    judge: Judge,
    options: &Options,
    progress: &mut Progress,
) -> Result<(Survey, Vec<String>, [u8; 32]), ImportError> {
    let meter = Arc::new(Meter::default());
    let mut reading = {
        let (source, meter) = (source.clone(), Arc::clone(&meter));
        tokio::task::spawn_blocking(move || -> Result<_, SourceError> {
            let survey = Survey::take(&source, judge, &meter)?;
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

/// Read to the end, judge, and hand over.
fn hand_over(source: &Source, judge: Judge, sender: &mpsc::Sender<Vec<Item>>) -> Result<(), SourceError> {
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
            Row::Fields(fields) => match judge.judge(&fields) {
                Ok(Judged::Elsewhere) => Item::Elsewhere,
                Ok(Judged::Entry(entry)) if seen.is_first(&entry) => Item::Entry(entry),
                Ok(Judged::Entry(_)) => reject(Reason::Repeated, fields, String::new()),
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
        // Whoever received has failed, and says why.
        Err(SourceError::Stopped) => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            drop(sender.blocking_send(items));
            Ok(())
        }
    }
}

/// Members who had a row: a file has one a member, and which of two is right only its owner can say.
///
/// It is the one thing that grows with the file: 9 to 18 bytes a member.
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
