//! The state of shards for health checks, gauges and the demo.

use std::sync::{
    Arc, Mutex, PoisonError, RwLock,
    atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

use tokio::time::{Duration, Instant};
use twilight_model::id::{Id, marker::MessageMarker};

use crate::{support::ids::ShardKey, telemetry::metrics};

/// The state of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ShardState {
    /// It waits before it connects.
    Waiting = 0,
    /// It is connecting, identifying or resuming.
    Connecting = 1,
    /// It has a session that receives events.
    Up = 2,
    /// It does not read, because the ledger is full.
    Full = 3,
    /// It has ended.
    Ended = 4,
}

impl ShardState {
    /// The name of the state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Connecting => "connecting",
            Self::Up => "up",
            Self::Full => "full",
            Self::Ended => "ended",
        }
    }
}

/// The shards of a process. Clones share the same state.
#[derive(Clone, Debug, Default)]
pub struct Shards(Arc<Registry>);

#[derive(Debug, Default)]
struct Registry {
    shards: RwLock<Vec<Arc<ShardStatus>>>,
    /// The number of shards of the fleet.
    count: AtomicU32,
    /// Whether the process has its share of them.
    has_share: AtomicBool,
}

impl Shards {
    /// All shards, ordered by number. During a change of the number of shards, the list contains old and new ones.
    pub fn list(&self) -> Vec<Arc<ShardStatus>> {
        self.0
            .shards
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The number of shards of the fleet.
    pub fn count(&self) -> u32 {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Whether the fleet has this number of shards, which means that shards with it serve its guilds.
    pub fn are_counted(&self, count: u32) -> bool {
        self.count() == count
    }

    /// Whether the process has its share of the shards. They may not be up yet.
    pub fn has_share(&self) -> bool {
        self.0.has_share.load(Ordering::Relaxed)
    }

    pub(crate) fn set_share(&self, has_share: bool) {
        self.0.has_share.store(has_share, Ordering::Relaxed);
    }

    /// Set the number of shards of the fleet.
    pub fn set_count(&self, count: u32) {
        self.0.count.store(count, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, status: Arc<ShardStatus>) {
        let mut shards = self.0.shards.write().unwrap_or_else(PoisonError::into_inner);
        shards.retain(|other| other.key() != status.key());
        shards.push(status);
        shards.sort_unstable_by_key(|status| status.key());
    }

    pub(crate) fn remove(&self, shard: ShardKey) {
        let mut shards = self.0.shards.write().unwrap_or_else(PoisonError::into_inner);
        shards.retain(|status| {
            let stays = status.key() != shard;
            if !stays {
                // The process that has it now shows its state.
                status.set_state(ShardState::Ended);
                status.set_dirty_since(None);
                if self.are_counted(shard.count) {
                    status.observe(Instant::now());
                }
            }
            stays
        });
    }
}

/// The state of a shard, written by its task and read by others.
#[derive(Debug)]
pub struct ShardStatus {
    key: ShardKey,
    state: AtomicU8,
    rows: AtomicUsize,
    events: AtomicU64,
    sequence: AtomicU64,
    backfill_guilds: AtomicUsize,
    backfill_held: AtomicUsize,
    dirty_since: Mutex<Option<Instant>>,
    session_since: Mutex<Option<Instant>>,
    answer: Mutex<Option<Answer>>,
    latency: Mutex<Option<Duration>>,
}

/// A shard's answer to a proposed cut between shards of an old and of a new number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The first message that the new shards would count.
    pub cut: Id<MessageMarker>,
    /// Whether the shard has not handled any message from the cut on, and will not before the cut is decided.
    pub agrees: bool,
}

impl ShardStatus {
    /// A shard that has not started.
    pub fn new(key: ShardKey) -> Self {
        Self {
            key,
            state: AtomicU8::new(ShardState::Waiting as u8),
            rows: AtomicUsize::new(0),
            events: AtomicU64::new(0),
            sequence: AtomicU64::new(0),
            backfill_guilds: AtomicUsize::new(0),
            backfill_held: AtomicUsize::new(0),
            dirty_since: Mutex::new(None),
            session_since: Mutex::new(None),
            answer: Mutex::new(None),
            latency: Mutex::new(None),
        }
    }

    /// Which shard it is.
    pub const fn key(&self) -> ShardKey {
        self.key
    }

    /// The state.
    pub fn state(&self) -> ShardState {
        match self.state.load(Ordering::Relaxed) {
            0 => ShardState::Waiting,
            1 => ShardState::Connecting,
            2 => ShardState::Up,
            3 => ShardState::Full,
            _ => ShardState::Ended,
        }
    }

    /// The number of rows in its ledger.
    pub fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// The number of dispatches received by this process.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// The last received sequence number.
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// The number of guilds that are being read back, or wait for it.
    pub fn backfill_guilds(&self) -> usize {
        self.backfill_guilds.load(Ordering::Relaxed)
    }

    /// The number of messages that wait until earlier ones are read back.
    pub fn backfill_held(&self) -> usize {
        self.backfill_held.load(Ordering::Relaxed)
    }

    /// The time of the oldest change that is not committed.
    pub fn dirty_since(&self) -> Option<Instant> {
        *self.dirty_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The age of the session in this process, across resumes.
    pub fn session_age(&self) -> Duration {
        let since = *self.session_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.map(|since| since.elapsed()).unwrap_or_default()
    }

    /// Time from the last heartbeat to its acknowledgement; `None` before the first.
    pub fn latency(&self) -> Option<Duration> {
        *self.latency.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        *self.latency.lock().unwrap_or_else(PoisonError::into_inner) = Some(latency);
    }

    /// The last answer to a proposed cut.
    pub fn last_answer(&self) -> Option<Answer> {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn answer(&self, cut: Id<MessageMarker>, agrees: bool) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Answer { cut, agrees });
    }

    /// Record that a session started, or was resumed for the first time by this process.
    pub(crate) fn has_session(&self, is_new: bool) {
        let mut since = self.session_since.lock().unwrap_or_else(PoisonError::into_inner);
        if is_new || since.is_none() {
            *since = Some(Instant::now());
        }
    }

    pub(crate) fn set_state(&self, state: ShardState) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    pub(crate) fn progressed(&self, events: u64, sequence: u64, rows: usize) {
        self.events.fetch_add(events, Ordering::Relaxed);
        self.sequence.store(sequence, Ordering::Relaxed);
        self.rows.store(rows, Ordering::Relaxed);
    }

    pub(crate) fn reads_back(&self, guilds: usize, held: usize) {
        self.backfill_guilds.store(guilds, Ordering::Relaxed);
        self.backfill_held.store(held, Ordering::Relaxed);
    }

    pub(crate) fn set_dirty_since(&self, since: Option<Instant>) {
        *self.dirty_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// Update the gauges.
    pub fn observe(&self, now: Instant) {
        let shard = self.key.id.to_string();
        let state = self.state();
        metrics::shard_state(shard.clone()).set(f64::from(state as u8));
        metrics::shard_up(shard.clone()).set(f64::from(u8::from(state == ShardState::Up)));
        let lag = self
            .dirty_since()
            .map_or(0.0, |since| now.saturating_duration_since(since).as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        {
            metrics::shard_backfill_guilds(shard.clone()).set(self.backfill_guilds() as f64);
            metrics::shard_backfill_held(shard.clone()).set(self.backfill_held() as f64);
        }
        metrics::shard_checkpoint_lag_seconds(shard).set(lag);
    }
}
