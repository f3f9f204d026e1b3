//! Timers: work that is due at a given time, for a guild or for the whole fleet.
//!
//! A feature registers a [`TimerKind`] and arms its timers with [`timer::arm`](crate::postgres::timer::arm), in the transaction of their
//! cause. A process that claims a due timer runs it in the transaction that deletes it, so a timer fires once, however many processes there
//! are and whenever they end. That transaction may change rows, add effects to the outbox, and arm timers, including the same one again. It
//! never calls Discord.
//!
//! A [`Job`] is periodic work of the whole fleet, such as a cleanup or a synchronization with Discord. One process at a time has its
//! timer and runs it outside of any transaction. If that process ends, another one runs the job again from its beginning.
//!
//! The database's clock decides when a timer is due. The times at which it was claimed, fires and is retried are the database's too.

mod firing;
mod periodic;
mod worker;

use std::{
    collections::BTreeMap,
    error::Error,
    fmt::{self, Formatter},
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;

pub use self::worker::Timers;

/// The maximum delay of a due timer's next attempt, after a failure or after the end of the process that claimed it.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(10);
use crate::postgres::{StoreError, Tx, timer::claim::Firing};

/// A kind of timer, which a feature registers.
pub trait TimerKind: Send + Sync {
    /// The name in `timer.kind` and in metrics.
    fn name(&self) -> &'static str;

    /// Do the work, in the transaction that ends the timer. It may run more than once, but only one run commits.
    ///
    /// # Errors
    ///
    /// [`StoreError::Rejected`] with the reason if it can never succeed: the timer is abandoned, as it is if PostgreSQL rejects the data.
    /// After any other error it is retried, after a longer pause each time.
    fn fire<'t>(&'t self, tx: &'t Tx<'_>, timer: &'t Firing) -> BoxFuture<'t, Result<(), StoreError>>;
}

/// Why a job failed. It is retried.
pub type JobError = Box<dyn Error + Send + Sync>;

type Run = dyn Fn() -> BoxFuture<'static, Result<(), JobError>> + Send + Sync;

/// Periodic work for the whole fleet.
pub struct Job {
    name: &'static str,
    first: Duration,
    every: Duration,
    run: Box<Run>,
}

impl Job {
    /// A job that is due `first` after the first process of the fleet has started, and then every `every`. Missed runs are skipped. It may
    /// be interrupted at any await, and run again.
    pub fn new<F>(
        name: &'static str,
        (first, every): (Duration, Duration),
        run: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        Self {
            name,
            first,
            every,
            run: Box::new(move || Box::pin(run())),
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The timers and jobs that a process can run.
#[derive(Default)]
pub struct Registry {
    kinds: BTreeMap<&'static str, Arc<dyn TimerKind>>,
    jobs: BTreeMap<&'static str, Job>,
}

impl Registry {
    /// Add a kind of timer.
    #[must_use]
    pub fn with(mut self, kind: impl TimerKind + 'static) -> Self {
        self.kinds.insert(kind.name(), Arc::new(kind));
        self
    }

    /// Add a job.
    #[must_use]
    pub fn with_job(mut self, job: Job) -> Self {
        self.jobs.insert(job.name, job);
        self
    }

    /// The kinds of timers, without the jobs.
    pub fn kinds(&self) -> Vec<&'static str> {
        self.kinds.keys().copied().collect()
    }

    fn names(&self) -> Vec<&'static str> {
        self.kinds.keys().chain(self.jobs.keys()).copied().collect()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
