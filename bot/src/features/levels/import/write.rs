//! The second pass: batches of entries become transactions.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::Instant};

use super::{
    ImportError, Item, Options,
    progress::Progress,
    rejects::{Reject, RejectFile},
    report::{Change, Report},
    source::{Source, Stamp},
    validation::Entry,
};
use crate::{
    features::levels::{
        adjust::{self, XpChange},
        rows::{
            import_job::{self, JobKey, Step},
            member_xp::moving::{self, Arrival, Mode},
        },
    },
    outbox::queue,
    postgres::{Store, StoreError},
    settings::Settings,
    support::backoff::Backoff,
};

/// How long a batch is retried while the database is unavailable.
const PATIENCE: Duration = Duration::from_secs(30);

/// Rows from which the planner's statistics are updated.
const MANY: u64 = 10_000;

/// The exclusive right to import a file, until another process takes it over.
#[derive(Clone, Debug)]
pub(super) struct Job {
    key: Arc<JobKey>,
    fence: i64,
    rows_done: u64,
}

/// What to do with a job that may already exist.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Plan {
    Begin,
    Resume(u64),
    Done(String, String),
    Begun(String, u64),
}

fn plan(known: Option<import_job::Job>, asked: &str, again: bool) -> Plan {
    let Some(job) = known else { return Plan::Begin };
    match job.finished_at {
        Some(_) if again => Plan::Begin,
        Some(finished) => Plan::Done(finished, job.options),
        // Also with `again`: an interrupted repetition resumes and does not start over.
        None if job.options == asked => Plan::Resume(job.rows_done),
        None if again || job.rows_done == 0 => Plan::Begin,
        None => Plan::Begun(job.options, job.rows_done),
    }
}

impl Job {
    /// Start or resume an import.
    pub(super) async fn claim(store: &Store, key: JobKey, options: &Options) -> Result<Self, ImportError> {
        let asked = in_words(options);
        let key = Arc::new(key);
        let (plan, fence) = {
            let (key, asked) = (Arc::clone(&key), asked.clone());
            let again = options.again;
            store
                .transaction("import_claim", move |tx| {
                    Box::pin(async move {
                        let plan = plan(import_job::lock(tx, &key).await?, &asked, again);
                        let fence = match plan {
                            Plan::Begin => import_job::begin(tx, &key, &asked).await?,
                            Plan::Resume(_) => import_job::resume(tx, &key).await?,
                            Plan::Done(..) | Plan::Begun(..) => 0,
                        };
                        Ok((plan, fence))
                    })
                })
                .await?
        };
        let path = options.file.clone();
        let rows_done = match plan {
            Plan::Begin => 0,
            Plan::Resume(rows) => rows,
            Plan::Done(finished, options) => {
                return Err(ImportError::Done {
                    path,
                    finished,
                    options,
                });
            }
            Plan::Begun(options, rows) => return Err(ImportError::Begun { path, options, rows }),
        };
        Ok(Self {
            key,
            fence,
            rows_done,
        })
    }
}

/// The options that affect the result of a row. A resumed import must have the same.
fn in_words(options: &Options) -> String {
    let mut words = format!("--mode {}", options.mode.name());
    let mut add = |what: &str, value: &str| words.extend([" --", what, " ", value]);
    if options.xp == super::XpMeaning::InLevel {
        add("xp", "in-level");
    }
    if let Some(table) = &options.table {
        add("table", table);
    }
    for (field, column) in &options.mapped {
        add("map", &format!("{}={column}", field.name()));
    }
    if let Some(guild) = options.guild {
        add("guild", &guild.to_string());
    }
    let format = clap::ValueEnum::to_possible_value(&options.format);
    if let Some(format) = format.filter(|_| options.format != super::Format::Auto) {
        add("format", format.get_name());
    }
    words
}

/// The context of all batches.
pub(super) struct Batches<'a> {
    pub(super) store: &'a Store,
    /// The guilds' settings, with their curves and rewards.
    pub(super) settings: &'a Settings,
    pub(super) source: &'a Source,
    pub(super) stamp: Stamp,
    /// `None` for a dry run.
    pub(super) job: Option<Job>,
    pub(super) mode: Mode,
    pub(super) batch: usize,
    /// The number of rows in the file.
    pub(super) total: u64,
    pub(super) rejects: RejectFile,
}

impl Batches<'_> {
    /// Process every item, and write the entries.
    pub(super) async fn write(
        mut self,
        mut items: mpsc::Receiver<Vec<Item>>,
        progress: &mut Progress,
    ) -> Result<Report, ImportError> {
        let resumed = self.job.as_ref().map_or(0, |job| job.rows_done);
        let mut report = Report::after(resumed);
        let mut entries: Vec<Entry> = Vec::with_capacity(self.batch);
        while let Some(items) = items.recv().await {
            for item in items {
                report.rows += 1;
                let is_new = report.rows > resumed;
                match item {
                    // Each run writes the reject file from scratch, so it also includes rejects of rows completed earlier.
                    Item::Reject(reject) => self.reject(&mut report, &reject)?,
                    Item::Elsewhere => report.elsewhere += u64::from(is_new),
                    Item::Entry(entry) if is_new => {
                        report.count_origin(entry.origin);
                        entries.push(entry);
                    }
                    Item::Entry(_) => {}
                }
                if entries.len() == self.batch {
                    self.commit(&mut report, &mut entries, false).await?;
                }
            }
            progress.rows(
                report.rows,
                self.total,
                report.rows.saturating_sub(resumed),
                report.rejects(),
            );
        }
        if report.rows < self.total {
            // Reading failed, which is reported separately; or the file is shorter now.
            return Err(ImportError::Changed(self.source.path.clone()));
        }
        self.commit(&mut report, &mut entries, true).await?;
        if self.job.is_some()
            && report.rows >= MANY
            && let Err(error) = moving::analyze(self.store).await
        {
            tracing::warn!(%error, "no planner statistics for the imported members yet; autovacuum will collect them");
        }
        report.reject_file = self.rejects.written().map(std::path::Path::to_owned);
        Ok(report)
    }

    fn reject(&mut self, report: &mut Report, reject: &Reject) -> Result<(), ImportError> {
        report.reject(reject);
        let path = self.rejects.path().to_owned();
        self.rejects
            .put(reject)
            .map_err(|error| ImportError::Rejects { path, error })
    }

    /// Write the entries, and record that the file is done up to here.
    async fn commit(
        &mut self,
        report: &mut Report,
        entries: &mut Vec<Entry>,
        finished: bool,
    ) -> Result<(), ImportError> {
        let path = self.rejects.path().to_owned();
        self.rejects
            .flush()
            .map_err(|error| ImportError::Rejects { path, error })?;
        if self.source.stamp() != self.stamp {
            return Err(ImportError::Changed(self.source.path.clone()));
        }
        // Sorted by key: a bot that flushes the same members at the same time locks them in this order.
        entries.sort_unstable_by_key(|entry| entry.key);
        let current =
            retried(async || moving::current(self.store, entries.iter().map(|entry| entry.key)).await)
                .await?;
        let changes: Vec<Change> = entries
            .iter()
            .map(|entry| Change::of(entry, current.get(&entry.key).copied(), self.mode))
            .collect();
        let guilds = || entries.iter().map(|entry| entry.key.guild_id);
        let chosen = retried(async || self.settings.of_all(self.store, guilds()).await).await?;
        if let Some(job) = &self.job {
            // Unchanged members are not written: replacing their values before the bot adds to them is equivalent to doing so afterwards.
            let arrivals: Arc<[Arrival]> = entries
                .iter()
                .zip(&changes)
                .filter(|(_, change)| change.is_one())
                .map(|(entry, _)| Arrival {
                    key: entry.key,
                    xp: entry.xp,
                    messages: entry.messages,
                })
                .collect();
            self.bring(job, &arrivals, report.rows, finished).await?;
        }
        for change in &changes {
            report.count(change, chosen.get(&change.key.guild_id).map(AsRef::as_ref));
        }
        if let Some(job) = &mut self.job {
            job.rows_done = report.rows;
        }
        entries.clear();
        Ok(())
    }

    /// One transaction: the job's progress, whose row lock makes a concurrent attempt wait, the members, and the effects on their roles.
    async fn bring(
        &self,
        job: &Job,
        arrivals: &Arc<[Arrival]>,
        rows_done: u64,
        finished: bool,
    ) -> Result<(), ImportError> {
        let (fence, from, mode) = (job.fence, job.rows_done, self.mode);
        let step = retried(async || {
            let (key, arrivals) = (Arc::clone(&job.key), Arc::clone(arrivals));
            let settings = self.settings.clone();
            self.store
                .transaction("import", move |tx| {
                    Box::pin(async move {
                        let step = import_job::advance(tx, &key, fence, from, rows_done, finished).await?;
                        if step == Step::Now {
                            let before = moving::bring(tx, mode, &arrivals).await?;
                            let changed: Vec<XpChange> = arrivals
                                .iter()
                                .map(|arrival| {
                                    let had = before.get(&arrival.key).copied().unwrap_or_default();
                                    XpChange {
                                        key: arrival.key,
                                        before: had,
                                        after: mode.xp_of(had, arrival.xp),
                                    }
                                })
                                .collect();
                            let effects = adjust::effects_on_roles(tx, &settings, &changed, false).await?;
                            queue::add_bulk(tx, &effects).await?;
                        }
                        Ok(step)
                    })
                })
                .await
        })
        .await?;
        if step == Step::Fenced {
            return Err(ImportError::Fenced);
        }
        Ok(())
    }
}

/// Retry after a conflict, and while the database is unavailable.
async fn retried<T>(mut once: impl AsyncFnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let deadline = Instant::now() + PATIENCE;
    let mut backoff = Backoff::new();
    loop {
        let error = match once().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        // A broken connection has no SQLSTATE, and classes 08, 25 (too long between two statements), 53 and 57 are transient; any other
        // error is returned at once.
        let passes = error.sqlstate().is_none_or(|state| {
            ["08", "25", "53", "57"].contains(&state.code().get(..2).unwrap_or_default())
        });
        if !(error.is_conflict() || passes) || Instant::now() >= deadline {
            return Err(error);
        }
        let wait = if error.is_conflict() {
            backoff.conflict()
        } else {
            backoff.pause()
        };
        if backoff.is_worth_a_line() {
            tracing::warn!(%error, "a batch failed; retrying");
        }
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests;
