//! Handing a shard's ledger to the writer, and processing the outcome.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};
use tracing::Span;

use super::intake::Intake;
use crate::{
    config,
    pipeline::{
        ledger::Changes,
        parts::Learned,
        rows::shard_checkpoint::{Advance, Fence, SessionPoint, Taken},
        writer::{Batch, Outcome, Place, Writer},
    },
    support::ids::ShardKey,
    telemetry::{
        task::{self, Task},
        traces,
    },
};

/// The result of a flush for the shard's task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// The batch is committed.
    Committed {
        /// The time since it was handed over.
        took: Duration,
    },
    /// The shard belongs to another process.
    Fenced,
    /// The writer has ended without an outcome.
    WriterGone,
}

/// The flushes of one shard, with one batch in progress at a time.
#[derive(Debug)]
pub(super) struct Flushing {
    key: ShardKey,
    writer: Writer,
    fence: Fence,
    revision: i64,
    flush_interval: Duration,
    flush_rows: usize,
    checkpoint_interval: Duration,
    under_way: Option<UnderWay>,
    /// The time of the oldest change that is not in a batch.
    oldest: Option<Instant>,
    /// The trace of that change.
    span: Span,
    /// When the last batch was handed over.
    last: Instant,
    /// The queue was full: do not try again before this time.
    not_before: Instant,
    /// The committed point of the session.
    committed: Option<SessionPoint>,
    /// Whether the next batch must not wait.
    urged: bool,
}

/// The delay after the queue was full.
const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(10);

#[derive(Debug)]
struct UnderWay {
    stage: Stage,
    advance: Advance,
    bytes: usize,
    session: Option<SessionPoint>,
    since: Instant,
    oldest: Instant,
    waiting: Vec<oneshot::Sender<()>>,
    is_refused: Arc<AtomicBool>,
    /// The trace ends with the batch.
    span: Span,
}

/// The progress of the batch. The batches of a shard stay in order, since the next one starts when this one is committed.
#[derive(Debug)]
enum Stage {
    /// Discord or the database is asked for what the batch lacks, in a separate task, so that no lane waits for it.
    Resolving(Task<Changes>),
    /// It waits for a place in the queue.
    Resolved(Box<Changes>),
    /// The writer has it.
    HandedOver(oneshot::Receiver<Outcome>),
}

impl Flushing {
    pub(super) fn new(key: ShardKey, writer: Writer, taken: &Taken, ledger: &config::Ledger) -> Self {
        Self {
            key,
            writer,
            fence: taken.fence,
            revision: taken.revision,
            flush_interval: ledger.flush_interval,
            flush_rows: ledger.flush_rows,
            checkpoint_interval: ledger.checkpoint_interval,
            under_way: None,
            oldest: None,
            span: Span::none(),
            last: Instant::now(),
            not_before: Instant::now(),
            committed: taken.session.clone(),
            urged: false,
        }
    }

    /// Whether this point is not committed yet.
    pub(super) fn is_behind(&self, point: Option<SessionPoint>) -> bool {
        point.is_some_and(|point| {
            !self.committed.as_ref().is_some_and(|committed| {
                committed.session_id == point.session_id && committed.sequence >= point.sequence
            })
        })
    }

    /// Hand over the next batch as soon as none is in progress.
    pub(super) const fn urge(&mut self) {
        self.urged = true;
    }

    /// Flush soon, since a caller waits for it. If only the checkpoint has moved, nothing is worth a commit.
    pub(super) fn on_request(&mut self, intake: &mut Intake) {
        if intake.ledger.rows() > 0 {
            self.urged = true;
            return;
        }
        let waiting = intake.ledger.take_waiting();
        match &mut self.under_way {
            Some(batch) => batch.waiting.extend(waiting),
            None => complete(waiting),
        }
    }

    /// Whether a batch is in progress.
    pub(super) const fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether PostgreSQL rejects the batch in progress.
    pub(super) fn is_refused(&self) -> bool {
        let batch = self.under_way.as_ref();
        batch.is_some_and(|batch| batch.is_refused.load(Ordering::Relaxed))
    }

    /// The time of the oldest change that is not committed.
    pub(super) fn dirty_since(&self) -> Option<Instant> {
        self.under_way.as_ref().map(|batch| batch.oldest).or(self.oldest)
    }

    /// Record that an event was taken in at `now`.
    pub(super) fn noticed(&mut self, intake: &Intake, now: Instant) {
        if self.oldest.is_none() && intake.is_dirty() {
            self.oldest = Some(now);
            self.span = traces::event(self.key);
        }
    }

    /// When the next flush is due if nothing else arrives.
    pub(super) fn due(&self, intake: &Intake) -> Option<Instant> {
        if self.is_under_way() || !intake.is_dirty() {
            return None;
        }
        let due = if self.urged {
            self.not_before
        } else if intake.ledger.rows() > 0 {
            let interval = self.flush_interval * self.writer.ticks();
            self.writer.tick(self.oldest.unwrap_or(self.last), interval)
        } else {
            self.writer.tick(self.last, self.checkpoint_interval)
        };
        Some(due.max(self.not_before))
    }

    /// Hand the ledger over if it is due or `urgent`, and no batch is in progress.
    pub(super) fn flush_if_due(&mut self, intake: &mut Intake, now: Instant, urgent: bool) {
        if self.is_under_way() || !intake.is_dirty() {
            return;
        }
        let due = self.due(intake).is_some_and(|due| now >= due);
        if !(urgent || due || intake.ledger.rows() >= self.flush_rows) {
            return;
        }
        if now < self.not_before {
            return;
        }
        let Some(place) = self.writer.place() else {
            self.not_before = now + QUEUE_FULL_PAUSE;
            return;
        };
        let waiting = intake.ledger.take_waiting();
        let mut changes = intake.ledger.take();
        let bytes = changes.bytes;
        let session = intake.point();
        let advance = Advance {
            shard: self.key,
            fence: self.fence,
            revision: self.revision + 1,
            session: session.clone(),
            last_message_id: intake.ledger.backfill.newest(),
        };
        let span = std::mem::replace(&mut self.span, Span::none());
        let is_refused = Arc::default();
        let stage = if changes.parts.is_open() {
            let writer = self.writer.clone();
            Stage::Resolving(task::spawn("open changes", async move {
                writer.resolve(&mut changes).await;
                changes
            }))
        } else {
            hand_over(place, (advance.clone(), changes), &is_refused, &span)
        };
        intake.taken();
        self.last = now;
        self.urged = false;
        self.under_way = Some(UnderWay {
            stage,
            advance,
            bytes,
            session,
            since: now,
            oldest: self.oldest.take().unwrap_or(now),
            waiting,
            is_refused,
            span,
        });
    }

    /// Advance the batch in progress, and wait for its outcome. Pending if there is none. Cancel safe.
    pub(super) async fn outcome(&mut self) -> Option<Outcome> {
        let Some(batch) = &mut self.under_way else {
            return std::future::pending().await;
        };
        loop {
            match &mut batch.stage {
                Stage::Resolving(task) => {
                    let resolved = std::future::poll_fn(|cx| task.poll_join(cx)).await;
                    batch.stage = Stage::Resolved(Box::new(resolved?));
                }
                Stage::Resolved(changes) => match self.writer.place() {
                    Some(place) => {
                        let changes = *std::mem::take(changes);
                        let work = (batch.advance.clone(), changes);
                        batch.stage = hand_over(place, work, &batch.is_refused, &batch.span);
                    }
                    None => sleep(QUEUE_FULL_PAUSE).await,
                },
                Stage::HandedOver(reply) => return reply.await.ok(),
            }
        }
    }

    /// Process an outcome.
    pub(super) fn settle(&mut self, outcome: Option<Outcome>, intake: &mut Intake, now: Instant) -> Settled {
        let Some(batch) = self.under_way.take() else {
            return Settled::WriterGone;
        };
        match outcome {
            Some(Outcome::Committed { learned }) => {
                self.revision += 1;
                self.committed = batch.session;
                complete(batch.waiting);
                intake.ledger.settle(batch.bytes, learned);
                Settled::Committed {
                    took: now - batch.since,
                }
            }
            Some(Outcome::Fenced) => {
                intake.ledger.settle(batch.bytes, Learned::default());
                Settled::Fenced
            }
            None => {
                intake.ledger.settle(batch.bytes, Learned::default());
                Settled::WriterGone
            }
        }
    }
}

/// Notify those who wait that their changes are committed.
fn complete(waiting: Vec<oneshot::Sender<()>>) {
    for waits in waiting {
        // An error means that the receiver has stopped waiting.
        waits.send(()).unwrap_or_default();
    }
}

fn hand_over(
    place: Place<'_>,
    (advance, changes): (Advance, Changes),
    is_refused: &Arc<AtomicBool>,
    span: &Span,
) -> Stage {
    let (reply, answer) = oneshot::channel();
    place.send(Batch {
        advance,
        changes,
        reply,
        is_refused: Arc::clone(is_refused),
        span: span.clone(),
    });
    Stage::HandedOver(answer)
}
