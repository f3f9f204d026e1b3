//! The queue for IDENTIFY.
//!
//! Discord allows one identify per 5 seconds for each of `max_concurrency` keys, where the key of a shard is its ID modulo
//! `max_concurrency`, and a number per day; both are in `GET /gateway/bot`:
//! <https://discord.com/developers/docs/events/gateway#rate-limiting>. The turns are kept in PostgreSQL, since the limits apply to the
//! whole bot, with any number of processes. A turn is only taken when it is due: the process that asks first gets it, and a shard that
//! moves while it waits leaves none unused.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::sleep,
};
use twilight_gateway_queue::{IDENTIFY_DELAY, Queue};
use twilight_model::gateway::SessionStartLimit;

use crate::{
    pipeline::fleet::registry::{self, Turn},
    postgres::{Store, StoreError},
    support::backoff::Backoff,
    telemetry::{
        metrics,
        task::{self, Task},
    },
};

/// Added to the time between two identifies of a key, which have to be 5 s apart when they reach Discord.
const JITTER: Duration = Duration::from_millis(250);
/// The time between two identifies of a key if few are left today, so that an operator can investigate before they are used up.
const SLOW: Duration = Duration::from_mins(1);
/// Below this fraction, few identifies are left.
const NEARLY: u32 = 20;
/// The interval at which a shard checks whether the next day's identifies are available.
const LOOK: Duration = Duration::from_mins(1);
/// The maximum number of shards that ask at the same time. Each asks once, so it limits the number of shards per process.
const ASKING: usize = 65_536;

/// The queue shared by the shards of the process.
#[derive(Clone, Debug)]
pub struct IdentifyQueue {
    asks: mpsc::Sender<Ask>,
    admitted: Admitted,
    _turns: Arc<Task<()>>,
}

#[derive(Debug)]
struct Ask {
    shard: u32,
    permit: oneshot::Sender<()>,
}

/// The shards that were allowed to identify since they last asked.
#[derive(Clone, Debug, Default)]
struct Admitted(Arc<RwLock<BTreeSet<u32>>>);

impl Admitted {
    fn change(&self, shard: u32, admitted: bool) {
        let mut shards = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if admitted {
            shards.insert(shard);
        } else {
            shards.remove(&shard);
        }
    }
}

/// The source of turns.
#[derive(Clone, Debug)]
struct Turns {
    store: Store,
    /// One lock per key. One of its shards asks at a time, and the others wait in order.
    keys: Arc<[Mutex<()>]>,
    total: u32,
    admitted: Admitted,
    /// The number of identifies left at the last check.
    remaining: Arc<AtomicU32>,
}

impl IdentifyQueue {
    /// A queue with Discord's limits, which apply to all processes from now on.
    pub async fn new(store: &Store, limit: &SessionStartLimit) -> Result<Self, StoreError> {
        let resets_after = Duration::from_millis(limit.reset_after);
        let remaining =
            registry::set_identify_budget(store, limit.remaining, limit.total, resets_after).await?;
        metrics::gateway_identifies_remaining().set(f64::from(remaining));
        let turns = Turns {
            store: store.clone(),
            keys: (0..limit.max_concurrency.max(1))
                .map(|_| Mutex::new(()))
                .collect(),
            total: limit.total.max(1),
            admitted: Admitted::default(),
            remaining: Arc::new(AtomicU32::new(remaining)),
        };
        let (asks, asked) = mpsc::channel(ASKING);
        Ok(Self {
            asks,
            admitted: turns.admitted.clone(),
            _turns: Arc::new(task::spawn_essential("identify queue", turns.run(asked))),
        })
    }
}

impl IdentifyQueue {
    /// Whether a shard was allowed to identify since it last asked: Discord may have started a session that the shard does not know yet.
    pub fn has_admitted(&self, shard: u32) -> bool {
        self.admitted
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&shard)
    }
}

impl Queue for IdentifyQueue {
    fn enqueue(&self, shard: u32) -> oneshot::Receiver<()> {
        self.admitted.change(shard, false);
        let (permit, permitted) = oneshot::channel();
        // It is only full if 65,536 shards ask at the same time, which is the maximum number of shards. A rejected one asks again.
        drop(self.asks.try_send(Ask { shard, permit }));
        permitted
    }
}

impl Turns {
    async fn run(self, mut asked: mpsc::Receiver<Ask>) {
        let mut waiting: FuturesUnordered<BoxFuture<'_, ()>> = FuturesUnordered::new();
        loop {
            tokio::select! {
                ask = asked.recv() => {
                    let Some(ask) = ask else { return };
                    waiting.push(Box::pin(self.serve(ask)));
                }
                Some(()) = waiting.next() => {}
            }
        }
    }

    /// Wait for the shard's turn, and notify it. The sender is kept until then in any case, because twilight asks again immediately if it
    /// is dropped.
    async fn serve(&self, mut ask: Ask) {
        tokio::select! {
            // A shard that no longer wants to identify takes no turn.
            () = ask.permit.closed() => return,
            () = self.turn(ask.shard) => {}
        }
        self.admitted.change(ask.shard, true);
        if ask.permit.send(()).is_ok() {
            metrics::gateway_identifies_total().increment(1);
        } else {
            self.admitted.change(ask.shard, false);
        }
    }

    fn show(&self, remaining: u32) {
        self.remaining.store(remaining, Ordering::Relaxed);
        metrics::gateway_identifies_remaining().set(f64::from(remaining));
    }

    async fn turn(&self, shard: u32) {
        let key = shard as usize % self.keys.len();
        let _first = self.keys[key].lock().await;
        let rate_limit_key = u32::try_from(key).unwrap_or(0);
        let mut backoff = Backoff::new();
        loop {
            let nearly = self.remaining.load(Ordering::Relaxed) < self.total / NEARLY;
            let spacing = if nearly { SLOW } else { IDENTIFY_DELAY + JITTER };
            match registry::take_identify(&self.store, rate_limit_key, spacing).await {
                Ok(Turn::NotYet { wait }) => sleep(wait).await,
                Ok(Turn::Now { remaining }) => {
                    self.show(remaining);
                    if nearly {
                        tracing::error!(
                            shard.id = shard,
                            identify.remaining = remaining,
                            identify.total = self.total,
                            "today's identifies are nearly used up, so they are made more slowly: something keeps ending sessions"
                        );
                    }
                    return;
                }
                Ok(Turn::UsedUp { more_in }) => {
                    self.show(0);
                    tracing::error!(
                        shard.id = shard,
                        identify.resets_in_minutes = more_in.as_secs() / 60,
                        "today's identifies are used up; Discord would reset the token, so the shard waits"
                    );
                    sleep(more_in.clamp(Duration::from_secs(1), LOOK)).await;
                }
                Err(error) => {
                    let wait = backoff.pause();
                    if backoff.is_worth_a_line() {
                        tracing::warn!(%error, shard.id = shard, "an identify is waiting for the database");
                    }
                    sleep(wait).await;
                }
            }
        }
    }
}
