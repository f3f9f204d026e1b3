//! The writer turns batches into transactions: each holds the checkpoints of several shards and all of their rows.
//!
//! All shards of a process hand over batches at the same ticks, so one transaction carries the batches of all of them and its cost does not
//! grow with their number. A few lanes take batches from one queue. A lane has one transaction in progress; batches handed over meanwhile
//! wait in the queue, so the busier the database is, the more each transaction carries. A batch is retried until it is committed or fenced:
//! the checkpoint in the same transaction shows whether an earlier attempt, whose COMMIT was not confirmed, succeeded.

pub(crate) mod isolate;
mod quarantined;
pub mod transaction;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex, MutexGuard, mpsc, oneshot},
    time::{Instant, sleep, sleep_until, timeout_at},
};
use tracing::{Instrument as _, Span};

use self::transaction::Work;
use crate::{
    pipeline::{ledger::Changes, parts::Learned, rows::shard_checkpoint::Advance},
    postgres::{Store, StoreError},
    settings::Settings,
    support::backoff::Backoff,
    telemetry::{
        metrics,
        task::{self, Task},
        traces,
    },
};

/// Queue capacity in batches per lane. A shard has one batch in progress, so with two lanes 2,048 shards always find room.
const LANE_BATCHES: usize = 1024;

/// How long a lane waits for the next batch after each one, and how long in total. The batches of a tick are due at once, but the shards'
/// tasks take turns on the runtime's threads.
const GATHERING: Duration = Duration::from_millis(1);
const LONGEST_GATHERING: Duration = Duration::from_millis(5);

/// The maximum number of batches per transaction.
const TRANSACTION_BATCHES: usize = 256;

/// The number of rows after which no further batch is added to a transaction. At 10 µs per row it takes well below
/// `database.slow_query_ms`.
const TRANSACTION_ROWS: usize = 5_000;

/// The numbers of rows in a transaction from which shards flush at every second, and at every third tick only: fewer rows are then written
/// twice, which relieves a loaded database. Ranks stay fresh, since a command triggers a flush of its member's row.
const LOADED_ROWS: [usize; 2] = [4_000, 6_000];

/// A flush with fewer rows is small: it takes milliseconds, unless something is wrong.
const SMALL_ROWS: usize = 1_000;

/// Pauses between attempts at a batch that PostgreSQL rejects.
const REFUSED_PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));

/// A shard's changes up to a point of its session.
#[derive(Debug)]
pub struct Batch {
    /// The point to which the checkpoint moves.
    pub advance: Advance,
    /// The changes made by the events up to it.
    pub changes: Changes,
    /// The channel for the outcome.
    pub reply: oneshot::Sender<Outcome>,
    /// True while PostgreSQL rejects the update of the checkpoint.
    pub is_refused: Arc<AtomicBool>,
    /// The trace of the oldest event.
    pub span: Span,
}

/// The outcome of a batch. There is no failure: a batch is retried until one of these applies.
#[derive(Debug)]
pub enum Outcome {
    /// The batch is committed.
    Committed {
        /// What the transaction found out for the shard.
        learned: Learned,
    },
    /// Another process has taken the shard; nothing of the batch was written.
    Fenced,
}

/// A handle to the writer's lanes.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<Batch>,
    /// The origin of the ticks.
    epoch: Instant,
    /// The number of ticks between two flushes of a shard.
    ticks: Arc<AtomicU32>,
    store: Store,
}

/// The tasks of the lanes. They end when every [`Writer`] is dropped and everything handed over is committed.
#[derive(Debug)]
pub struct Lanes {
    tasks: Vec<Task<()>>,
}

impl Writer {
    /// Start `lanes` lanes on `store`; they add the resulting effects to the outbox.
    ///
    /// A small flush waits at most `patience` for each answer from PostgreSQL, so that a silent connection is detected before the shards'
    /// lease ends.
    pub fn start(store: &Store, lanes: usize, patience: Duration, settings: &Settings) -> (Self, Lanes) {
        for kind in quarantined::kinds() {
            metrics::quarantined_total(kind).increment(0);
        }
        let lanes = lanes.max(1);
        let (queue, receiver) = mpsc::channel(LANE_BATCHES * lanes);
        let lane = Lane {
            queue: Arc::new(Mutex::new(receiver)),
            ticks: Arc::new(AtomicU32::new(1)),
            store: store.clone(),
            patience,
            settings: settings.clone(),
        };
        let writer = Self {
            queue,
            epoch: Instant::now(),
            ticks: Arc::clone(&lane.ticks),
            store: store.clone(),
        };
        let tasks = (0..lanes)
            .map(|_| task::spawn_essential("writer lane", lane.clone().run()))
            .collect();
        (writer, Lanes { tasks })
    }

    /// The first tick of `interval` after `at`, the same for all shards of the process.
    pub fn tick(&self, at: Instant, interval: Duration) -> Instant {
        tick(self.epoch, at, interval)
    }

    /// The number of ticks between two flushes of a shard, which grows with the load.
    pub fn ticks(&self) -> u32 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// Get what an open batch lacks. That may need an answer from Discord, for a few seconds at most, so it does not happen in a lane:
    /// batches of other shards continue. It waits for the database as long as necessary, since without the database nothing can be
    /// committed either.
    pub async fn resolve(&self, changes: &mut Changes) {
        let mut backoff = Backoff::new();
        while let Err(error) = changes.parts.resolve(&self.store).await {
            wait_after(&error, &mut backoff, false).await;
        }
    }

    /// Reserve a place for a shard's batch. `None` if the lanes have ended or the queue is full, which takes more than 1,024 shards per
    /// lane.
    pub fn place(&self) -> Option<Place<'_>> {
        self.queue.try_reserve().ok().map(Place)
    }
}

/// The first instant after `at` that is a whole number of intervals after `epoch`.
fn tick(epoch: Instant, at: Instant, interval: Duration) -> Instant {
    let since = at.saturating_duration_since(epoch).as_nanos();
    let left = interval.as_nanos() - since % interval.as_nanos();
    at.max(epoch) + Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX))
}

/// The number of ticks between two flushes after a transaction with this many rows.
fn ticks_after(rows: usize) -> u32 {
    LOADED_ROWS
        .iter()
        .map(|least| u32::from(rows >= *least))
        .sum::<u32>()
        + 1
}

/// A reserved place in the queue.
#[derive(Debug)]
pub struct Place<'a>(mpsc::Permit<'a, Batch>);

impl Place<'_> {
    /// Hand a batch over.
    pub fn send(self, batch: Batch) {
        self.0.send(batch);
    }
}

impl Lanes {
    /// Wait until everything handed over is committed. Dropping the future abandons what is not.
    pub async fn drain(self) {
        for task in self.tasks {
            task.join().await;
        }
    }
}

/// The state of a lane; all lanes share the queue.
#[derive(Clone)]
struct Lane {
    queue: Arc<Mutex<mpsc::Receiver<Batch>>>,
    ticks: Arc<AtomicU32>,
    store: Store,
    patience: Duration,
    settings: Settings,
}

/// A batch whose checkpoint PostgreSQL rejects. It is retried alone, so that batches of other shards continue; its own shard hands over no
/// other batch meanwhile.
struct Refused {
    batch: Batch,
    backoff: Backoff,
    next: Instant,
}

impl From<Batch> for Refused {
    fn from(batch: Batch) -> Self {
        let mut backoff = Backoff::between(REFUSED_PAUSES.0, REFUSED_PAUSES.1);
        Self {
            batch,
            next: Instant::now() + backoff.pause(),
            backoff,
        }
    }
}

impl Lane {
    /// Flush batches until every sender is dropped and none are left.
    async fn run(self) {
        let mut refused: Vec<Refused> = Vec::new();
        let mut is_open = true;
        while is_open || !refused.is_empty() {
            try_again(&self.store, &self.settings, &mut refused).await;
            let next = refused.iter().map(|refused| refused.next).min();
            let (queue, first) = tokio::select! {
                first = self.first(), if is_open => first,
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => continue,
                else => continue,
            };
            let Some(first) = first else {
                is_open = false;
                continue;
            };
            let (mut batches, rows) = gather(queue, first).await;
            self.ticks.store(ticks_after(rows), Ordering::Relaxed);
            // Sorted by shard: two lanes, or two processes, that lock checkpoints in different orders would deadlock.
            batches.sort_unstable_by_key(|batch| batch.advance.shard);
            let store = if rows < SMALL_ROWS {
                self.store.clone().answering_within(self.patience)
            } else {
                self.store.clone()
            };
            let span = traces::flush(batches.iter().map(|batch| &batch.span));
            let left = commit(&store, &self.settings, batches, None)
                .instrument(span)
                .await;
            refused.extend(left.into_iter().map(Refused::from));
        }
    }

    /// The first batch of the next transaction. Only one lane gathers at a time: two would split the batches of a tick between them. May be
    /// dropped and called again.
    async fn first(&self) -> (MutexGuard<'_, mpsc::Receiver<Batch>>, Option<Batch>) {
        let mut queue = self.queue.lock().await;
        let first = queue.recv().await;
        (queue, first)
    }
}

/// The batches of the next transaction, and their total number of rows.
async fn gather(mut queue: MutexGuard<'_, mpsc::Receiver<Batch>>, first: Batch) -> (Vec<Batch>, usize) {
    let mut rows = first.changes.parts.changes();
    let mut batches = vec![first];
    let until = Instant::now() + LONGEST_GATHERING;
    while rows < TRANSACTION_ROWS && batches.len() < TRANSACTION_BATCHES {
        let patience = until.min(Instant::now() + GATHERING);
        let Ok(Some(batch)) = timeout_at(patience, queue.recv()).await else {
            break;
        };
        rows += batch.changes.parts.changes();
        batches.push(batch);
    }
    (batches, rows)
}

/// Retry the rejected batches that are due.
async fn try_again(store: &Store, settings: &Settings, refused: &mut Vec<Refused>) {
    let now = Instant::now();
    let due: Vec<Refused> = refused.extract_if(.., |refused| refused.next <= now).collect();
    for mut again in due {
        let left = commit(store, settings, vec![again.batch], Some(&again.backoff)).await;
        refused.extend(left.into_iter().map(|batch| {
            let next = Instant::now() + again.backoff.pause();
            let backoff = std::mem::take(&mut again.backoff);
            Refused { batch, backoff, next }
        }));
    }
}

/// Retry until the batches are committed or fenced, and send the outcomes to their shards. Returns those whose checkpoints PostgreSQL
/// rejects; `before` holds the attempts rejected earlier.
async fn commit(
    store: &Store,
    settings: &Settings,
    batches: Vec<Batch>,
    before: Option<&Backoff>,
) -> Vec<Batch> {
    let started = Instant::now();
    let (work, replies): (Work, Vec<_>) = batches
        .into_iter()
        .map(|batch| {
            (
                (batch.advance, batch.changes),
                (batch.reply, batch.is_refused, batch.span),
            )
        })
        .unzip();
    let work = Arc::new(work);
    // After PostgreSQL rejected data, the next attempt searches for the rejected change.
    let mut refused = before.is_some();
    let mut backoff = Backoff::new();
    let outcomes = loop {
        let work = Arc::clone(&work);
        let tried = if refused {
            let loud = before.unwrap_or(&backoff).is_worth_a_line();
            isolate::flush(store, settings, work, loud).await
        } else {
            let outcomes = transaction::flush(store, settings, work).await;
            outcomes.map(|outcomes| outcomes.into_iter().map(Some).collect())
        };
        match tried {
            Ok(outcomes) => break outcomes,
            Err(error) => {
                let first_refused = error.refuses_data() && !refused;
                refused = error.refuses_data();
                wait_after(&error, &mut backoff, first_refused).await;
            }
        }
    };
    metrics::flush_seconds().record(started.elapsed());
    if backoff.tries() > 0 {
        tracing::info!(flush.tries = backoff.tries(), "flushes succeed again");
    }
    let work = Arc::into_inner(work).expect("the transaction has ended");
    let mut left = Vec::new();
    for (((advance, changes), (reply, is_refused, span)), outcome) in
        work.into_iter().zip(replies).zip(outcomes)
    {
        is_refused.store(outcome.is_none(), Ordering::Relaxed);
        match outcome {
            // The shard may be gone.
            Some(outcome) => drop(reply.send(outcome)),
            None => left.push(Batch {
                advance,
                changes,
                reply,
                is_refused,
                span,
            }),
        }
    }
    left
}

/// Record a failed attempt at a flush, and wait before the next: hardly at all after PostgreSQL has rejected the data for the first time.
async fn wait_after(error: &StoreError, backoff: &mut Backoff, first_refused: bool) {
    metrics::flush_failures_total(error.class()).increment(1);
    metrics::transaction_retries_total("flush").increment(1);
    let wait = if error.is_conflict() || first_refused {
        backoff.conflict()
    } else {
        backoff.pause()
    };
    if backoff.is_worth_a_line() {
        let retry_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(
            error = %error,
            flush.tries = backoff.tries(),
            flush.retry_ms = retry_ms,
            "a flush failed; nothing is lost, retrying"
        );
    }
    sleep(wait).await;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A tick is after the given time by at most one interval, and times between two ticks share the next tick.
        #[test]
        fn ticks_are_the_same_for_all_shards(after in 0_u64..10_000_000, more in 0_u64..1_000_000, interval in 1_u64..60_000) {
            let epoch = Instant::now();
            let interval = Duration::from_millis(interval);
            let at = epoch + Duration::from_micros(after);
            let due = tick(epoch, at, interval);
            prop_assert!(due > at && due <= at + interval);
            prop_assert_eq!((due - epoch).as_nanos() % interval.as_nanos(), 0);
            let later = at + Duration::from_micros(more);
            prop_assert_eq!(tick(epoch, later, interval) == due, later < due);
        }
    }

    #[test]
    fn shards_flush_less_often_the_more_each_transaction_carries() {
        assert_eq!([0, 3_999, 4_000, 5_999, 6_000].map(ticks_after), [1, 1, 2, 2, 3]);
    }
}
