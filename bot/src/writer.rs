//! The writer turns batches into transactions: one holds the checkpoints of several shards and the rows of all of them.
//!
//! Shards are spread over a few lanes. A lane has one transaction under way; what its shards hand over meanwhile goes into the
//! next, so the busier the database is, the more each transaction carries. A batch is tried until it is committed or fenced:
//! the checkpoint in the same transaction tells whether an earlier try, whose COMMIT was not confirmed, went through.

pub(crate) mod careful;
pub mod flush;
mod kept;
mod parts;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tracing::{Instrument as _, Span};

use self::flush::Work;
use crate::{
    backoff::Backoff,
    earning::{self, Judge},
    effects::Causes,
    ledger::{
        Changes,
        member_xp::{LastAward, MemberKey},
    },
    metrics,
    store::{
        Store, StoreError,
        shard_checkpoint::{Advance, ShardKey},
    },
    task::{self, Task},
    traces,
};

/// Batches that a lane may be handed before somebody waits. A shard has one batch under way, so it is the number of shards a
/// lane can serve without refusing one.
const LANE_BATCHES: usize = 1024;

/// Batches in one transaction at most.
const TRANSACTION_BATCHES: usize = 256;

/// Rows after which no further batch is added to a transaction. At 10 µs a row it takes well below `database.slow_query_ms`.
const TRANSACTION_ROWS: usize = 5_000;

/// A flush of fewer rows is small: it takes milliseconds, unless something is wrong.
const SMALL_ROWS: usize = 1_000;

/// What a shard hands over: everything up to a point of its session.
#[derive(Debug)]
pub struct Batch {
    /// The point.
    pub advance: Advance,
    /// What the events up to it changed.
    pub changes: Changes,
    /// Where the outcome goes.
    pub reply: oneshot::Sender<Outcome>,
    /// The trace of the oldest of the events.
    pub span: Span,
}

/// What became of a batch. There is no failure: a batch is tried until one of these is known.
#[derive(Debug)]
pub enum Outcome {
    /// It is in the database.
    Committed {
        /// The stored last awards that were read or written for members who were not remembered.
        learned: Vec<(MemberKey, LastAward)>,
    },
    /// Another process has taken the shard; nothing of the batch was written.
    Fenced,
}

/// A handle to the lanes.
#[derive(Clone, Debug)]
pub struct Writer {
    lanes: Arc<[mpsc::Sender<Batch>]>,
    store: Store,
    judge: Judge,
}

/// The lanes' tasks. They end when every [`Writer`] is gone and everything handed over is committed.
#[derive(Debug)]
pub struct Lanes {
    tasks: Vec<Task<()>>,
}

impl Writer {
    /// Start `lanes` lanes on `store`, which add what follows from a change to the outbox. `judge` decides what shards leave open.
    ///
    /// A small flush waits for each answer of PostgreSQL for `patience` at most, so that a connection that has gone silent is noticed
    /// before the shards' lease ends.
    pub fn start(
        store: &Store,
        lanes: usize,
        patience: Duration,
        causes: &Causes,
        judge: Judge,
    ) -> (Self, Lanes) {
        let (senders, tasks) = (0..lanes.max(1))
            .map(|_| {
                let (sender, receiver) = mpsc::channel(LANE_BATCHES);
                (
                    sender,
                    task::spawn_essential(
                        "writer lane",
                        lane(store.clone(), patience, causes.clone(), receiver),
                    ),
                )
            })
            .unzip::<_, _, Vec<_>, Vec<_>>();
        let writer = Self {
            lanes: senders.into(),
            store: store.clone(),
            judge,
        };
        (writer, Lanes { tasks })
    }

    /// Whether some messages are not decided, and so [have to be](Self::decide) before a lane gets them.
    pub fn has_open(changes: &mut Changes) -> bool {
        let mut members = changes.members.iter_mut();
        members.any(|(_, pending)| pending.undecided().next().is_some())
    }

    /// Decide what messages earn that the shard's loop left open. That may take Discord's answer, for three seconds at most, so no lane
    /// waits for it: other shards' batches go on. The database's answer is waited for as long as it takes, since without it nothing can
    /// be committed either.
    pub async fn decide(&self, changes: &mut Changes) {
        let mut backoff = Backoff::new();
        loop {
            let members = changes.members.iter_mut();
            let decided = self.judge.decide(&self.store, &mut earning::open(members)).await;
            let Err(error) = decided else { return };
            wait_after(&error, &mut backoff, false).await;
        }
    }

    /// A place for a shard's batch. `None` when its lane is full, which it is not before it serves more than 1,024 shards, or
    /// when it has ended.
    pub fn place(&self, shard: ShardKey) -> Option<Place<'_>> {
        let lane = usize::try_from(shard.id).unwrap_or(0) % self.lanes.len();
        self.lanes[lane].try_reserve().ok().map(Place)
    }
}

/// A reserved place in a lane's queue.
#[derive(Debug)]
pub struct Place<'a>(mpsc::Permit<'a, Batch>);

impl Place<'_> {
    /// Hand a batch over.
    pub fn send(self, batch: Batch) {
        self.0.send(batch);
    }
}

impl Lanes {
    /// Wait until everything handed over is committed. Dropping the future gives up on what is not.
    pub async fn drain(self) {
        for task in self.tasks {
            task.join().await;
        }
    }
}

/// Flush what comes, until every sender is gone.
async fn lane(store: Store, patience: Duration, causes: Causes, mut receiver: mpsc::Receiver<Batch>) {
    let mut batches = Vec::new();
    while let Some(first) = receiver.recv().await {
        let mut rows = first.changes.members.len();
        batches.push(first);
        while rows < TRANSACTION_ROWS && batches.len() < TRANSACTION_BATCHES {
            let Ok(batch) = receiver.try_recv() else { break };
            rows += batch.changes.members.len();
            batches.push(batch);
        }
        // Sorted by shard: two lanes, or two processes, that lock checkpoints in different orders would deadlock.
        batches.sort_unstable_by_key(|batch| batch.advance.shard);
        let store = if rows < SMALL_ROWS {
            store.clone().answering_within(patience)
        } else {
            store.clone()
        };
        let span = traces::flush(batches.iter().map(|batch| &batch.span));
        commit(&store, &causes, std::mem::take(&mut batches))
            .instrument(span)
            .await;
    }
}

/// Try until the batches are committed or fenced, and tell their shards.
async fn commit(store: &Store, causes: &Causes, batches: Vec<Batch>) {
    let started = Instant::now();
    let (work, replies): (Work, Vec<_>) = batches
        .into_iter()
        .map(|batch| ((batch.advance, batch.changes), batch.reply))
        .unzip();
    let work = Arc::new(work);
    // Once PostgreSQL refused what is written, the next try looks for the change that it refuses.
    let mut refused = false;
    let mut backoff = Backoff::new();
    let outcomes = loop {
        let work = Arc::clone(&work);
        let tried = if refused {
            careful::flush(store, causes, work, backoff.is_worth_a_line()).await
        } else {
            flush::flush(store, causes, work).await
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
    for (reply, outcome) in replies.into_iter().zip(outcomes) {
        // A shard that has gone does not need to know.
        drop(reply.send(outcome));
    }
}

/// Note a failed try of a flush, and wait before the next: hardly at all where PostgreSQL has refused the data for the first time.
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
            "a flush failed; nothing is lost, it is tried again"
        );
    }
    tokio::time::sleep(wait).await;
}
