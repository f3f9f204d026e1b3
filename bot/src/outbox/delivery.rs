//! The workers: they claim lanes that are due, and deliver what is in them.

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
        kind::{EffectKind, EffectKinds},
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

/// How often it is looked for what others left, and for what is due again.
const LOOK: Duration = Duration::from_secs(1);
/// How soon it is looked again after a lane was served.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How often the backlog is measured.
const UPKEEP: Duration = Duration::from_secs(15);
/// How long a stop waits for requests that are under way.
const PARTING: Duration = Duration::from_secs(2);

/// Delivers what is in the outbox.
#[derive(Debug)]
pub struct Deliverer {
    pub(crate) store: Store,
    pub(crate) rest: Rest,
    pub(crate) guilds: Guilds,
    pub(crate) config: config::Effects,
    pub(crate) direct: DirectChannels,
    pub(crate) refusals: Refusals,
    /// When something was delivered last: while nothing is, Discord is ill and not the effect.
    pub(crate) delivered_at: std::sync::Mutex<Option<Instant>>,
    pub(crate) kinds: EffectKinds,
    wake: Arc<Notify>,
}

impl Deliverer {
    /// A deliverer that looks into the outbox when something was added, and from time to time.
    pub fn new(
        store: Store,
        rest: Rest,
        guilds: Guilds,
        config: config::Effects,
        kinds: EffectKinds,
    ) -> Self {
        for kind in kinds.iter().map(EffectKind::name) {
            for reason in Reason::ALL {
                metrics::effects_failed_total(kind, reason.as_str()).increment(0);
            }
        }
        Self {
            wake: store.effects_added(),
            // A claim or a marking is small. One that a silent connection holds up must not use up the lease of what is claimed.
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

    /// Deliver until `stop` is true. What is under way then gets a moment, and is left to others.
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
                        // There may be more than there was room for.
                        look_at = look_at.min(Instant::now() + LOOK_AGAIN);
                    }
                    Done::Claimed(wanted, claimed) => {
                        claiming = false;
                        look_at = Instant::now() + match &claimed {
                            Ok(claimed) => {
                                backoff.reset();
                                // Those before the last guild have their turn now.
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
        // The error is that it took too long, which the next lines are for.
        drop(timeout(PARTING, parting).await);
        drop(work);
        for lane in held.lanes {
            // Due at once: whoever gets it sends the same nonce. If the database is away, the lease ends by itself.
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

    /// Have the kinds deal with what changed on Discord since the last call; later, if the database is away.
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

    /// Do something in the database until it is done: what Discord has must not be sent again because the database was away.
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

/// Something that the deliverer does has ended.
enum Done {
    /// A lane was served, and given back: for so long, if Discord limits it.
    Lane(Lane, Option<Duration>),
    Claimed(Wanted, Result<Vec<Lane>, StoreError>),
    Upkeep,
}

/// Say what failed, and tell how long to wait.
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
