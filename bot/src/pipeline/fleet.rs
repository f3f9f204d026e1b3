//! The fleet: processes that share the shards, coordinated through PostgreSQL.
//!
//! Each process runs a tick every few seconds and on notification: it renews its row, reads the other processes and the leases of all
//! shards, and takes or gives what [`balance`] determines. A single process is a fleet of one.
//!
//! A shard belongs to the process named in its row; taking it raises the fence of its checkpoint in the same transaction, so later writes
//! of an earlier owner are rejected. A process that was silent for longer than `fleet.lease_seconds` is considered dead. While the database
//! is unavailable no process can take a shard, and none is declared dead for its silence.
//!
//! A shard may close its connection at any time, but opens one only if the lease was confirmed since the last one closed ([`lease`]):
//! Discord closes the old connection of a session that another process resumes, and resuming it again would steal it back.

pub mod balance;
mod handover;
pub mod identity;
pub mod lease;
#[cfg(test)]
mod model;
pub mod registry;
mod reshard;
mod tick;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};

use self::{
    lease::Granted,
    reshard::Numbers,
    tick::{FleetView, TickInput},
};
use crate::{
    config::{Config, ShardCount},
    discord::shards::Answer,
    pipeline::{
        fleet::registry::Process,
        gateway::{Gateway, guard::Fatal},
    },
    postgres::{Store, StoreError},
    support::{backoff::Backoff, ids::ShardKey, shutdown::stopped},
    telemetry::metrics,
};

/// Ticks per lease duration: some may fail before the process is considered dead.
const TICKS: u32 = 5;
/// The tick interval while shards change hands, in case notifications do not arrive.
const SOON: Duration = Duration::from_millis(250);

/// Why a process has left the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FleetEnd {
    /// It was asked to stop, and everything that it received is committed.
    Stopped,
    /// Discord rejects the bot.
    Fatal(Fatal),
    /// The writer has ended: a bug.
    WriterGone,
}

/// The fleet membership of this process.
#[derive(Debug)]
pub struct Fleet {
    store: Store,
    process: Process,
    joined: bool,
    gateway: Gateway,
    /// Shards that ended normally, but are still leased to this process.
    stopped: BTreeSet<ShardKey>,
    /// Those of them that belong to a retired shard count.
    retired: BTreeSet<ShardKey>,
    /// Shards that are stopping.
    stopping: BTreeSet<ShardKey>,
    shard_count: u32,
    /// The shard count after the current reshard.
    next_count: Option<u32>,
    shard_count_is_fixed: bool,
    lease: Duration,
    granted: Granted,
    news: Arc<Notify>,
    backoff: Backoff,
    next_tick: Instant,
}

impl Fleet {
    /// A process that is about to join. `shard_count` applies if none has been decided yet; `news` receives the notifications of other
    /// processes.
    pub fn new(
        store: Store,
        gateway: Gateway,
        granted: Granted,
        news: Arc<Notify>,
        shard_count: u32,
        config: &Config,
    ) -> Self {
        let lease = config.fleet.lease;
        Self {
            store: store.answering_within(lease / 3),
            process: identity::this_process(config.fleet.capacity),
            joined: false,
            gateway,
            stopped: BTreeSet::new(),
            retired: BTreeSet::new(),
            stopping: BTreeSet::new(),
            shard_count,
            next_count: None,
            shard_count_is_fixed: matches!(config.gateway.shard_count, ShardCount::Fixed(_)),
            lease,
            granted,
            news,
            backoff: Backoff::between(Duration::from_millis(50), lease / TICKS),
            next_tick: Instant::now(),
        }
    }

    /// Join, and take the first shards, so that errors at startup are reported.
    ///
    /// # Errors
    ///
    /// The database rejects it or is unavailable.
    pub async fn enter(&mut self) -> Result<(), StoreError> {
        let seen = tick::run(&self.store, self.tick_input(false)).await?;
        self.follow(seen, Instant::now());
        Ok(())
    }

    /// Take part in the fleet until `stop` is true or an error ends it.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> FleetEnd {
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return Box::pin(self.leave()).await,
                (shard, end) = self.gateway.next_end() => {
                    if let Some(end) = self.ended(shard, end) {
                        return self.leave_with(end).await;
                    }
                    self.next_tick = Instant::now();
                }
                () = self.news.notified() => self.next_tick = Instant::now(),
                () = self.granted.asked() => self.next_tick = Instant::now(),
                () = sleep_until(self.next_tick) => {
                    let began = Instant::now();
                    let seen = tokio::select! {
                        () = stopped(&mut stop) => return Box::pin(self.leave()).await,
                        seen = tick::run(&self.store, self.tick_input(false)) => seen,
                    };
                    match seen {
                        Ok(seen) => self.follow(seen, began),
                        Err(error) => self.missed(&error),
                    }
                }
            }
        }
    }

    fn tick_input(&self, leaving: bool) -> TickInput {
        TickInput {
            process: self.process.clone(),
            joined: self.joined,
            running: self.gateway.running(),
            stopped: self.stopped.clone(),
            retired: self.retired.clone(),
            answers: self.answers(),
            lease: self.lease,
            shard_count: self.shard_count,
            shard_count_is_fixed: self.shard_count_is_fixed,
            leaving,
            shown: self.shown(),
        }
    }

    /// The shards' answers to a proposed cut.
    fn answers(&self) -> Vec<(ShardKey, Answer)> {
        let shards = self.gateway.shards.list();
        let answers = shards
            .iter()
            .filter_map(|shard| Some((shard.key(), shard.last_answer()?)));
        answers.collect()
    }

    /// The data that `eventide fleet status` shows about this process.
    fn shown(&self) -> String {
        let shards = self.gateway.shards.list();
        let shards = shards.iter().map(|shard| {
            let lag = shard.dirty_since().map_or(0, |since| since.elapsed().as_millis());
            let lag = u64::try_from(lag).unwrap_or(u64::MAX);
            let state = shard.state().as_str();
            (
                shard.key().to_string(),
                serde_json::json!({
                    "state": state, "events": shard.events(), "sequence": shard.sequence(), "lag_ms": lag,
                    "session_s": shard.session_age().as_secs(),
                }),
            )
        });
        serde_json::Value::Object(shards.collect()).to_string()
    }

    /// A tick failed: nothing is known, so nothing changes.
    fn missed(&mut self, error: &StoreError) {
        let wait = if error.is_conflict() {
            self.backoff.conflict()
        } else {
            self.backoff.pause()
        };
        metrics::fleet_looks_failed_total(error.class()).increment(1);
        metrics::transaction_retries_total("fleet").increment(1);
        if self.backoff.is_worth_a_line() {
            tracing::warn!(%error, "fleet update failed; keeping current shards");
        }
        self.next_tick = Instant::now() + wait;
    }

    /// Apply the result of a tick that began at `began`.
    fn follow(&mut self, seen: FleetView, began: Instant) {
        self.backoff.reset();
        self.next_tick = began + self.lease / TICKS;
        match seen {
            FleetView::Lost => self.lost(),
            FleetView::Member {
                numbers,
                mut taken,
                give,
                foreign,
                has_its_share,
                moving,
                free,
                processes,
            } => {
                if !self.joined {
                    tracing::info!(
                        process.id = self.process.id,
                        fleet.processes = processes,
                        "joined the fleet"
                    );
                }
                self.joined = true;
                self.count(&numbers);
                self.stopped.clear();
                self.retired.clear();
                self.gateway.shards.set_share(has_its_share);
                self.gateway.share_rest(processes);
                metrics::fleet_shards_free().set(f64::from(free));
                metrics::fleet_processes().set(f64::from(u32::try_from(processes).unwrap_or(u32::MAX)));
                for shard in foreign {
                    if numbers.all().any(|(count, _)| count == shard.count) {
                        tracing::warn!(
                            shard.id = shard.id,
                            "another process has the shard; pending events are replayed there"
                        );
                    } else {
                        tracing::info!(
                            shard.id = shard.id,
                            shard.count = shard.count,
                            "the shard does not belong to the current number of shards; it ends"
                        );
                    }
                    self.drop_shard(shard);
                }
                for (count, message_range) in numbers.all() {
                    self.gateway.set_message_range(count, message_range);
                    for (key, taken, left) in taken.extract_if(.., |(key, ..)| key.count == count) {
                        metrics::fleet_shards_taken_total().increment(1);
                        self.gateway.start(key, taken, left, message_range);
                    }
                }
                if numbers.retiring {
                    for shard in self.gateway.running() {
                        if shard.count == numbers.current.0 {
                            self.gateway.retire(shard);
                        }
                    }
                }
                self.granted.confirm(began, processes == 1);
                self.stop_some(&give);
                if moving || numbers.hurry() || !self.stopping.is_empty() {
                    self.next_tick = self.next_tick.min(Instant::now() + SOON);
                }
            }
        }
    }

    /// Apply the current shard counts.
    fn count(&mut self, numbers: &Numbers) {
        self.shard_count = numbers.current.0;
        self.gateway.shards.set_count(self.shard_count);
        let next = numbers.next.map(|(count, _)| count);
        if next != self.next_count {
            tracing::info!(
                fleet.shard_count = self.shard_count,
                fleet.reshard_to = next,
                "{}",
                if next.is_some() {
                    "the number of shards is being changed"
                } else {
                    "the number of shards is no longer being changed"
                }
            );
            self.next_count = next;
        }
        metrics::fleet_shards_configured().set(f64::from(self.shard_count));
        metrics::fleet_reshard_to().set(f64::from(next.unwrap_or(0)));
    }

    /// This process was silent for so long that other processes have its shards.
    fn lost(&mut self) {
        let shards = self.gateway.running();
        tracing::error!(
            process.id = self.process.id,
            fleet.shards = shards.len(),
            "this process was silent for longer than fleet.lease_seconds; other processes have its shards, and pending events are replayed there"
        );
        for shard in shards {
            self.drop_shard(shard);
        }
        self.stopped.clear();
        self.retired.clear();
        self.process = identity::this_process(self.process.capacity);
        self.joined = false;
        self.next_tick = Instant::now();
    }

    fn drop_shard(&mut self, shard: ShardKey) {
        // A shard that ended because of its fence has been counted.
        if self.gateway.running().contains(&shard) {
            metrics::fleet_shards_lost_total().increment(1);
        }
        self.stopping.remove(&shard);
        self.gateway.abandon(shard);
    }
}
