//! The workers: they claim lanes that are due, and deliver their effects.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{held::Held, lane, outcome::Reason};
use crate::{
    config,
    discord::{guilds::Guilds, rest::Rest},
    outbox::{
        kind::{AnyEffectKind, EffectKinds},
        message::{DirectChannels, Refusals},
        queue::{
            self,
            claim::{self, Lane, Wanted},
        },
    },
    postgres::{Store, StoreError},
    support::{backoff::Backoff, shutdown::stopped},
    telemetry::metrics,
};

/// The interval of searches for effects added by other processes and for retries.
const LOOK: Duration = Duration::from_secs(1);
/// The delay until the next search after a lane was served.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The interval at which the backlog is measured.
const UPKEEP: Duration = Duration::from_secs(15);
/// How long shutdown waits for requests in progress.
const PARTING: Duration = Duration::from_secs(2);

/// Delivers the effects in the outbox.
#[derive(Debug)]
pub struct Deliverer {
    pub(crate) store: Store,
    pub(crate) rest: Rest,
    pub(crate) guilds: Guilds,
    pub(crate) config: config::Effects,
    pub(crate) direct: DirectChannels,
    pub(crate) refusals: Refusals,
    /// When an effect was last delivered: if none is, the cause is Discord and not the effect.
    pub(crate) delivered_at: std::sync::Mutex<Option<Instant>>,
    pub(crate) kinds: EffectKinds,
    wake: Arc<Notify>,
}

impl Deliverer {
    /// A deliverer that searches the outbox when effects are added, and at intervals.
    pub fn new(
        store: Store,
        rest: Rest,
        guilds: Guilds,
        config: config::Effects,
        kinds: EffectKinds,
    ) -> Self {
        for kind in kinds.iter().map(AnyEffectKind::name) {
            for counter in [
                metrics::effects_added_total(kind),
                metrics::effects_delivered_total(kind),
                metrics::effects_cancelled_total(kind),
                metrics::effects_retried_total(kind),
                metrics::effects_set_aside_total(kind),
                metrics::effects_switched_off_total(kind),
            ] {
                counter.increment(0);
            }
            for reason in Reason::ALL {
                metrics::effects_failed_total(kind, reason.as_str()).increment(0);
            }
        }
        Self {
            wake: store.effects_added(),
            // Statements for claims and outcomes are small. One blocked by a silent connection must not use up the lease of the claimed
            // lanes.
            store: store.answering_within(config.lease / 3),
            rest,
            guilds,
            config,
            kinds,
            direct: DirectChannels::default(),
            refusals: Refusals::default(),
            delivered_at: std::sync::Mutex::new(None),
        }
    }

    /// Deliver until `stop` is true. Requests then in progress get a moment to finish; the rest is left to other processes.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut work = FuturesUnordered::new();
        let mut held = Held::new(self.config.workers);
        let (mut claiming, mut look_at) = (false, Instant::now());
        let mut backoff = Backoff::new();
        work.push(self.keep_up());
        loop {
            let may_claim = held.has_room() && !claiming;
            tokio::select! {
                () = stopped(&mut stop) => break,
                Some(done) = work.next() => match done {
                    Done::Lane(lane, limited) => {
                        held.give_back(&lane, limited, Instant::now());
                        // There may be more lanes than there was room for.
                        look_at = look_at.min(Instant::now() + LOOK_AGAIN);
                    }
                    Done::Claimed(wanted, claimed) => {
                        claiming = false;
                        look_at = Instant::now() + match &claimed {
                            Ok(claimed) => {
                                backoff.reset();
                                // Guilds before the last one have their turn now.
                                if held.turn(&wanted, claimed) { LOOK } else { Duration::ZERO }
                            }
                            Err(error) => complain(&mut backoff, "claiming effects", error),
                        };
                        for lane in claimed.unwrap_or_default() {
                            held.lanes.push(lane);
                            work.push(self.serve(lane));
                        }
                    }
                    Done::Upkeep => work.push(self.keep_up()),
                },
                () = self.wake.notified() => look_at = Instant::now(),
                () = sleep_until(look_at), if may_claim => {
                    claiming = true;
                    work.push(self.claim(held.wanted(self.config.lease, Instant::now())));
                }
            }
        }
        let parting = async {
            while !held.lanes.is_empty()
                && let Some(done) = work.next().await
            {
                if let Done::Lane(lane, _) = done {
                    held.lanes.retain(|other| *other != lane);
                }
            }
        };
        // An error means a timeout, which the next lines handle.
        drop(timeout(PARTING, parting).await);
        drop(work);
        for lane in held.lanes {
            // Due at once: the next owner sends the same nonce. If the database is unavailable, the lease expires.
            if timeout(PARTING, queue::release(&self.store, &lane, Duration::ZERO))
                .await
                .is_err()
            {
                return;
            }
        }
    }

    fn serve(&self, lane: Lane) -> BoxFuture<'_, Done> {
        Box::pin(async move {
            let limited = lane::deliver(self, lane).await;
            Done::Lane(lane, limited)
        })
    }

    fn claim(&self, wanted: Wanted) -> BoxFuture<'_, Done> {
        Box::pin(async move {
            self.follow_changes().await;
            let claimed = claim::claim(&self.store, &wanted).await;
            Done::Claimed(wanted, claimed)
        })
    }

    fn keep_up(&self) -> BoxFuture<'_, Done> {
        Box::pin(async move {
            let store = self.store.clone().unhurried();
            if let Ok(backlog) = queue::backlog(&store).await {
                #[expect(clippy::cast_precision_loss, reason = "counted up to a bound")]
                metrics::outbox_rows().set(backlog.waiting as f64);
                metrics::outbox_oldest_seconds().set(backlog.oldest.as_secs_f64());
            }
            sleep(UPKEEP).await;
            Done::Upkeep
        })
    }

    /// Let the kinds handle changes on Discord since the last call; later, if the database is unavailable.
    async fn follow_changes(&self) {
        let changes = self.guilds.take_changes();
        if changes.is_empty() {
            return;
        }
        for kind in self.kinds.iter() {
            if let Err(error) = kind.guilds_changed(self, &changes).await {
                tracing::warn!(%error, "changes of roles and channels are waiting for the database");
                self.guilds.put_back(changes);
                return;
            }
        }
    }

    /// Retry a database operation until it succeeds: a delivered effect must not be sent again because the database was unavailable.
    pub(crate) async fn retry_until_committed<T, F>(
        &self,
        what: &'static str,
        mut work: impl FnMut() -> F,
    ) -> T
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut backoff = Backoff::new();
        loop {
            match work().await {
                Ok(done) => return done,
                Err(error) => sleep(complain(&mut backoff, what, &error)).await,
            }
        }
    }
}

/// Work of the deliverer that has ended.
enum Done {
    /// A lane was served and released, with the duration of a rate limit, if any.
    Lane(Lane, Option<Duration>),
    Claimed(Wanted, Result<Vec<Lane>, StoreError>),
    Upkeep,
}

/// Log a failure and return how long to wait.
fn complain(backoff: &mut Backoff, what: &'static str, error: &StoreError) -> Duration {
    let wait = if error.is_conflict() {
        backoff.conflict()
    } else {
        backoff.pause()
    };
    if backoff.is_worth_a_line() {
        tracing::warn!(%error, effects.doing = what, effects.tries = backoff.tries(), "effects are waiting for the database");
    }
    wait
}
