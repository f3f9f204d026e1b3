//! Whose turn it is to IDENTIFY.
//!
//! Discord allows one identify in 5 seconds for each of `max_concurrency` keys, where a shard's key is its id modulo
//! `max_concurrency`, and a budget a day; `GET /gateway/bot` tells both:
//! <https://discord.com/developers/docs/events/gateway#rate-limiting>. The turns are kept in PostgreSQL, since the limits are the
//! whole bot's, whatever number of processes it is. A turn is taken when it has come: whichever process asks first has it, and a shard
//! that moves while it waits leaves none behind.

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

/// Added to the time between two identifies of a key: they must be 5 s apart where Discord measures them.
const JITTER: Duration = Duration::from_millis(250);
/// Between two identifies of a key when the day's are nearly used up, so that somebody can look why before they are.
const SLOW: Duration = Duration::from_mins(1);
/// They are nearly used up below this part of them.
const NEARLY: u32 = 20;
/// A shard that waits for the next day's identifies looks this often whether they are there.
const LOOK: Duration = Duration::from_mins(1);
/// Shards that may ask at the same time. Each asks once, so it bounds the shards of a process.
const ASKING: usize = 65_536;

/// The queue that the process's shards share.
#[derive(Clone, Debug)]
pub struct IdentifyQueue {
    asks: mpsc::Sender<Ask>,
    told: Told,
    _turns: Arc<Task<()>>,
}

#[derive(Debug)]
struct Ask {
    shard: u32,
    permit: oneshot::Sender<()>,
}

/// The shards that were told to identify since they asked last.
#[derive(Clone, Debug, Default)]
struct Told(Arc<RwLock<BTreeSet<u32>>>);

impl Told {
    fn change(&self, shard: u32, told: bool) {
        let mut shards = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if told {
            shards.insert(shard);
        } else {
            shards.remove(&shard);
        }
    }
}

/// What the turns are taken from.
#[derive(Clone, Debug)]
struct Turns {
    store: Store,
    /// A key each. One of its shards asks at a time, and the others wait in their order.
    keys: Arc<[Mutex<()>]>,
    total: u32,
    told: Told,
    /// What was left when somebody last looked.
    remaining: Arc<AtomicU32>,
}

impl IdentifyQueue {
    /// A queue with the limits that Discord told, which are those of all processes from now on.
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
            told: Told::default(),
            remaining: Arc::new(AtomicU32::new(remaining)),
        };
        let (asks, asked) = mpsc::channel(ASKING);
        Ok(Self {
            asks,
            told: turns.told.clone(),
            _turns: Arc::new(task::spawn_essential("identify queue", turns.run(asked))),
        })
    }
}

impl IdentifyQueue {
    /// Whether a shard was told to identify since it asked last: Discord may have begun a session that the shard does not know of yet.
    pub fn has_told(&self, shard: u32) -> bool {
        self.told
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&shard)
    }
}

impl Queue for IdentifyQueue {
    fn enqueue(&self, shard: u32) -> oneshot::Receiver<()> {
        self.told.change(shard, false);
        let (permit, permitted) = oneshot::channel();
        // Not full before 65,536 shards ask at once, which is more than there may be. A refused one asks again by itself.
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

    /// Wait for the shard's turn, and tell it. The sender is kept until then whatever happens: twilight asks again at once when it is
    /// dropped.
    async fn serve(&self, mut ask: Ask) {
        tokio::select! {
            // Whoever does not want to identify any more reserves nothing.
            () = ask.permit.closed() => return,
            () = self.turn(ask.shard) => {}
        }
        self.told.change(ask.shard, true);
        if ask.permit.send(()).is_ok() {
            metrics::gateway_identifies_total().increment(1);
        } else {
            self.told.change(ask.shard, false);
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
