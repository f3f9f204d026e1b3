//! One shard: its connection, its intake and its flushes, in one task.
//!
//! The loop never waits for the database or for a queue. A flush runs in the writer while the loop continues to read. A shard whose ledger
//! is full closes resumably and returns when there is room.

mod burst;
mod ending;

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use twilight_gateway::{Config, ConfigBuilder, Session, Shard, ShardId};

use super::{
    connection::{Burst, Connection},
    flushing::{Flushing, Settled},
    guard::{Fatal, Guard, Next},
    heartbeat::Advice,
    identify::IdentifyQueue,
    intake::Intake,
    orders::{Ending, Orders},
    violation,
};
use crate::{
    discord::shards::{ShardState, ShardStatus},
    interactions::commit::FlushRequest,
    pipeline::{
        backfill::reader::{Reading, Step},
        fleet::lease::LeaseGuard,
        ledger::memory::Memory,
    },
    support::ids::ShardKey,
    telemetry::metrics,
};

/// The time limit for HELLO, from the start of connecting.
const HELLO_TIMEOUT: Duration = Duration::from_secs(30);

/// The interval at which a shard checks whether it may IDENTIFY.
const TURN_CHECK: Duration = Duration::from_secs(1);

/// The interval at which a shard without a connection checks whether the ledger has room.
const ROOM_CHECK: Duration = Duration::from_millis(50);

/// The delay before a shard that could not read its connection to the end resumes, to try again to retire.
const RETIRE_PAUSE: Duration = Duration::from_secs(1);

/// The maximum number of attempts. Each time, RESUMED has confirmed that nothing earlier is missing; if close frames are never answered,
/// nothing more can be known.
const RETIREMENTS: u32 = 5;

/// How long a shard that may connect waits for its lease to be confirmed before it asks again.
const LEASE_CHECK: Duration = Duration::from_millis(250);

/// Why a shard has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardEnd {
    /// It was stopped, and everything received is committed.
    Stopped,
    /// Shards of another number serve its guilds now. It had received everything that it had to count, and that is committed.
    Retired,
    /// Another process has taken it.
    Fenced(ShardKey),
    /// Discord rejects it permanently.
    Fatal(Fatal),
    /// The writer has ended: a bug.
    WriterGone,
}

/// The state of the shard's task.
pub(super) struct ShardTask {
    pub(super) key: ShardKey,
    pub(super) config: Config<IdentifyQueue>,
    pub(super) intake: Intake,
    pub(super) flushing: Flushing,
    /// The ledger's, by which a command requests an early flush.
    pub(super) flush_request: Arc<FlushRequest>,
    pub(super) reading: Reading,
    pub(super) guard: Guard,
    pub(super) memory: Arc<Memory>,
    pub(super) status: Arc<ShardStatus>,
    /// Whether the shard still belongs to this process.
    pub(super) lease_guard: LeaseGuard,
    /// Whether the last connection that this side closed was read to its end.
    pub(super) received_all: bool,
    /// The number of attempts to retire.
    pub(super) retirements: u32,
    /// The time limit for Discord's answer to IDENTIFY or RESUME.
    pub(super) ready_timeout: Duration,
    /// When the last connection ended; `None` before the first.
    pub(super) closed_at: Option<Instant>,
    /// The orders for the shard.
    pub(super) orders: watch::Receiver<Orders>,
}

/// A connection, or the wait for one.
enum Link {
    Waiting { until: Instant },
    Full,
    Open(Box<Connection>),
}

impl ShardTask {
    /// Run until the shard is stopped, or cannot continue.
    pub(super) async fn run(mut self) -> ShardEnd {
        let mut link = Link::Waiting {
            until: Instant::now(),
        };
        let end = loop {
            match self.follow_orders() {
                Ending::Stop => break ShardEnd::Stopped,
                Ending::Retire if self.may_retire(&link) => {
                    self.close_resumably(link).await;
                    link = Link::Waiting {
                        until: Instant::now() + RETIRE_PAUSE,
                    };
                    self.retirements += 1;
                    if self.received_all || self.retirements >= RETIREMENTS {
                        // The session is not resumed, so missing events will not arrive.
                        self.intake.release_all();
                        break ShardEnd::Retired;
                    }
                }
                Ending::Retire | Ending::GoOn => {}
            }
            link = match self.turn(link).await {
                Ok(link) => link,
                Err(end) => {
                    link = Link::Full;
                    break end;
                }
            };
        };
        let end = self.finish(link, end).await;
        self.status.set_state(ShardState::Ended);
        end
    }

    /// Process new orders. The end of the process, which drops the sender, stops the shard as well.
    fn follow_orders(&mut self) -> Ending {
        if self.orders.has_changed().is_err() {
            return Ending::Stop;
        }
        let Orders { end, message_range } = *self.orders.borrow_and_update();
        if message_range != self.intake.message_range() {
            let agrees = self.intake.set_message_range(message_range);
            if let Some(cut) = message_range.open_cut() {
                self.status.answer(cut, agrees);
            }
        }
        end
    }

    /// One iteration of the loop.
    async fn turn(&mut self, link: Link) -> Result<Link, ShardEnd> {
        let now = Instant::now();
        match link {
            Link::Waiting { until } if now >= until && self.may_connect() => Ok(self.open(now)),
            Link::Waiting { until } => {
                self.status.set_state(ShardState::Waiting);
                let wake = if now < until { until } else { now + LEASE_CHECK };
                self.without_connection(wake, false).await?;
                Ok(Link::Waiting { until })
            }
            Link::Full if self.memory.has_room() && !self.flushing.is_refused() => {
                self.reading.hurry(false, now);
                let Next::Reconnect { after } = self.guard.reconnect_requested(None) else {
                    unreachable!("a reconnect that the shard asks for is a reconnect")
                };
                tracing::info!(
                    shard.id = self.key.id,
                    "the ledger has room again; the shard resumes"
                );
                Ok(Link::Waiting { until: now + after })
            }
            Link::Full => {
                self.status.set_state(ShardState::Full);
                self.intake.relieve();
                let moves = self.intake.is_dirty() || self.flushing.is_under_way();
                self.reading.hurry(!moves, now);
                self.without_connection(now + ROOM_CHECK, true).await?;
                Ok(Link::Full)
            }
            Link::Open(connection) => {
                let link = self.connected(connection, now).await?;
                if !matches!(link, Link::Open(_)) {
                    self.closed_at = Some(Instant::now());
                }
                Ok(link)
            }
        }
    }

    /// Whether the shard is known to have belonged to this process since its last connection ended. If that ended because another process
    /// resumed the session, resuming it here would take it away again.
    fn may_connect(&self) -> bool {
        if self.intake.waits_for_decision() {
            return false;
        }
        self.closed_at
            .is_none_or(|closed_at| self.lease_guard.is_confirmed_since(closed_at))
    }

    /// Flush and wait without a connection.
    async fn without_connection(&mut self, until: Instant, urgent: bool) -> Result<(), ShardEnd> {
        self.flushing
            .flush_if_due(&mut self.intake, Instant::now(), urgent);
        self.show();
        let reads_back = self.read_back(Instant::now());
        let wake = [self.flushing.due(&self.intake), self.reading.deadline()]
            .into_iter()
            .flatten()
            .fold(until, Instant::min);
        tokio::select! {
            biased;
            _ = self.orders.changed() => Ok(()),
            outcome = self.flushing.outcome() => self.settle(outcome).map(drop),
            () = self.lease_guard.changed() => Ok(()),
            () = self.flush_request.received() => {
                self.flushing.on_request(&mut self.intake);
                Ok(())
            }
            step = self.reading.next(), if reads_back => {
                self.take_piece(step);
                Ok(())
            }
            () = sleep_until(wake) => Ok(()),
        }
    }

    /// Start the backfill, and abandon it if it takes too long. Returns whether there is room for a piece: while the ledger is full of
    /// changes that cannot be committed, none is taken.
    fn read_back(&mut self, now: Instant) -> bool {
        if let Some(why) = self.reading.is_over(now) {
            self.reading.stop();
            self.intake.give_up(why);
            self.flushing.noticed(&self.intake, now);
        }
        if self.reading.begin(&mut self.intake.ledger.backfill, now) {
            tracing::info!(shard.id = self.key.id, "reading back missed messages");
        }
        let uncommitted = self.intake.ledger.rows() > 0 || self.flushing.is_under_way();
        !(uncommitted && self.memory.is_full())
    }

    fn take_piece(&mut self, step: Step) {
        let (piece, reader) = step.into_parts();
        self.intake.read_back(piece);
        self.reading.continue_with(reader);
        self.flushing.noticed(&self.intake, Instant::now());
    }

    /// Flush if it is due, then read, unless a heartbeat is near and earlier events are not committed.
    async fn connected(&mut self, mut connection: Box<Connection>, now: Instant) -> Result<Link, ShardEnd> {
        if let Some(sequence) = connection.take_acknowledged()
            && self.flushing.is_behind(self.intake.point_at(sequence))
        {
            // Acknowledged events must not be lost any more, so they are committed as soon as possible.
            metrics::gateway_heartbeats_ahead_total().increment(1);
            self.flushing.urge();
        }
        let clean =
            !self.intake.is_dirty() && !self.intake.waits_for_order() && !self.flushing.is_under_way();
        let advice = connection.beats.advice(now, clean);
        let urgent = !matches!(advice, Advice::Read(_));
        if connection.up_since.is_some() {
            self.intake.release();
            self.flushing.noticed(&self.intake, now);
        }
        let reads_back = self.read_back(now);
        self.flushing.flush_if_due(&mut self.intake, now, urgent);
        self.show();

        let (reads, mut wake) = match advice {
            Advice::Read(at) => (true, at),
            Advice::Flush(at) => (true, Some(at)),
            Advice::Hold(at) => (false, Some(at)),
        };
        let deadline = self.deadline(&mut connection, now);
        for at in [
            self.flushing.due(&self.intake),
            self.reading.deadline(),
            self.intake.order_deadline().filter(|_| reads),
            deadline,
        ] {
            wake = [wake, at].into_iter().flatten().min();
        }
        if reads && let Some(held) = connection.beats.held(now) {
            metrics::gateway_heartbeat_hold_seconds().record(held);
        }

        let burst = tokio::select! {
            biased;
            _ = self.orders.changed() => return Ok(Link::Open(connection)),
            outcome = self.flushing.outcome() => {
                let took = self.settle(outcome)?;
                connection.beats.flushed(took);
                return Ok(Link::Open(connection));
            }
            () = sleep_until(wake.unwrap_or(now)), if wake.is_some() => {
                if matches!(advice, Advice::Hold(at) if Some(at) == wake) {
                    connection.beats.waited();
                }
                if self.is_unanswered(&mut connection, Instant::now()) {
                    return Ok(self.give_up(connection).await);
                }
                // A read that finds nothing more releases the events that have waited long enough for a missing one.
                let is_late = self.intake.order_deadline().is_some_and(|at| Instant::now() >= at);
                match self.read_now(&mut connection, reads && is_late) {
                    Some(burst) => burst,
                    None => return Ok(Link::Open(connection)),
                }
            }
            () = self.flush_request.received() => {
                self.flushing.on_request(&mut self.intake);
                return Ok(Link::Open(connection));
            }
            step = self.reading.next(), if reads_back => {
                self.take_piece(step);
                // The connection gets its turn, however fast pieces of the backfill arrive.
                match self.read_now(&mut connection, reads) {
                    Some(burst) => burst,
                    None => return Ok(Link::Open(connection)),
                }
            }
            burst = connection.read(&mut self.intake), if reads => burst,
        };
        self.after_burst(connection, burst).await
    }

    /// Read what has arrived, if it may be read.
    fn read_now(&mut self, connection: &mut Connection, reads: bool) -> Option<Burst> {
        let read = reads.then(|| connection.read(&mut self.intake).now_or_never());
        read.flatten()
    }

    /// Keep the connection, unless the ledger is full: then close it resumably. A shard whose batch PostgreSQL rejects leaves half of the
    /// ledger to the others.
    async fn unless_full(&mut self, mut connection: Box<Connection>) -> Link {
        if self.flushing.is_refused() && !self.memory.has_room() {
            tracing::error!(
                shard.id = self.key.id,
                ledger.bytes = self.memory.used(),
                "PostgreSQL refuses to commit this shard, and half of the ledger is in use: the shard closes and resumes when it can be committed"
            );
        } else if self.memory.is_full() {
            tracing::warn!(
                shard.id = self.key.id,
                ledger.bytes = self.memory.used(),
                "the ledger is full (ledger.max_memory_mib): the shard closes and resumes when the database has caught up"
            );
        } else {
            return Link::Open(connection);
        }
        metrics::ledger_full_total().increment(1);
        connection.close_resumably();
        connection.close_quietly().await;
        Link::Full
    }

    fn open(&mut self, now: Instant) -> Link {
        let mut builder = ConfigBuilder::from(self.config.clone());
        if let Some(point) = self.intake.point() {
            builder = builder.session(Session::new(point.sequence, point.session_id));
            // This includes one that an earlier process stored.
            let trusted = |url: String| violation::trusted_resume_url(&url, self.gateway_url());
            if let Some(url) = point.resume_url.and_then(trusted) {
                builder = builder.resume_url(url);
            }
        }
        self.intake.connecting();
        self.status.set_state(ShardState::Connecting);
        let shard = Shard::with_config(ShardId::new(self.key.id, self.key.count), builder.build());
        Link::Open(Box::new(Connection::new(shard, now)))
    }

    /// The general address of the gateway.
    fn gateway_url(&self) -> &str {
        self.config.proxy_url().unwrap_or_default()
    }

    fn settle(&mut self, outcome: Option<crate::pipeline::writer::Outcome>) -> Result<Duration, ShardEnd> {
        match self.flushing.settle(outcome, &mut self.intake, Instant::now()) {
            Settled::Committed { took } => Ok(took),
            Settled::Fenced => {
                let rows = self.intake.ledger.forget();
                tracing::error!(
                    shard.id = self.key.id,
                    ledger.rows = rows,
                    "another process has taken the shard; pending events are dropped here and replayed there"
                );
                Err(ShardEnd::Fenced(self.key))
            }
            Settled::WriterGone => Err(ShardEnd::WriterGone),
        }
    }

    /// Update the shard's published state.
    fn show(&mut self) {
        let received = self.intake.take_received();
        self.status
            .progressed(received, self.intake.sequence(), self.intake.ledger.rows());
        self.status.set_dirty_since(self.flushing.dirty_since());
        let backfill = &self.intake.ledger.backfill;
        self.status.reads_back(backfill.guilds(), backfill.held());
    }
}
