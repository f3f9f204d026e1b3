//! The worker loop: sleeps until the next timer is due, claims due timers, and fires them.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use twilight_model::id::{Id, marker::GuildMarker};

use super::{Registry, firing, periodic};
use crate::{
    postgres::{
        Store, StoreError,
        timer::{
            self, POLL_INTERVAL, Periodic,
            claim::{self, Claimed, Next, Wanted},
        },
    },
    support::{backoff::Backoff, shutdown::stopped},
    telemetry::metrics,
};

/// The lease on a guild's timer. If the process dies, others fire the timer after that.
const LEASE: Duration = Duration::from_secs(10);
/// The same for a job, which extends it while it runs.
pub(super) const JOB_LEASE: Duration = Duration::from_mins(1);
/// Timers claimed at once per guild. They fire one after the other.
const OF_ONE_GUILD: usize = 16;
/// How soon a process looks again if other processes are claiming the due timers.
const CONTENDED: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));
/// The interval at which the backlog is measured.
const UPKEEP: Duration = Duration::from_mins(1);
/// After this many measurements the timers of the jobs are checked too.
const CHECK_JOBS: u32 = 60;
/// How long shutdown waits for transactions in progress.
const PARTING: Duration = Duration::from_secs(2);

/// Fires timers and runs jobs.
#[derive(Debug)]
pub struct Timers {
    pub(super) store: Store,
    pub(super) registry: Registry,
    /// Guilds served in parallel.
    guilds: usize,
    kinds: Vec<&'static str>,
    wake: Arc<Notify>,
}

impl Timers {
    /// Serve `guilds` guilds in parallel, each with one connection.
    pub fn new(store: Store, registry: Registry, guilds: usize) -> Self {
        for kind in registry.names() {
            metrics::timers_fired_total(kind).increment(0);
            metrics::timers_retried_total(kind).increment(0);
            metrics::timers_failed_total(kind).increment(0);
        }
        Self {
            wake: store.timers_armed(),
            // A statement blocked by a silent connection must not use up the lease of the claimed timers.
            store: store.answering_within(LEASE / 3),
            kinds: registry.kinds.keys().copied().collect(),
            registry,
            guilds,
        }
    }

    /// Fire timers until `stop` is true. Transactions then in progress get a moment to finish; the rest is released.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut work = FuturesUnordered::new();
        let mut held = Held::default();
        let (mut is_looking, mut look_at) = (false, Instant::now());
        // Data has changed since the query in progress began, which may not see it.
        let mut look_again = false;
        let mut backoff = Backoff::new();
        let mut contended = Backoff::between(CONTENDED.0, CONTENDED.1);
        work.push(self.keep_up(0));
        loop {
            tokio::select! {
                () = stopped(&mut stop) => break,
                Some(done) = work.next() => match done {
                    Done::Guild(guild_id) => {
                        held.guilds.remove(&guild_id);
                        (look_again, look_at) = (is_looking, Instant::now());
                    }
                    Done::Job(kind) => {
                        held.jobs.remove(&kind);
                        (look_again, look_at) = (is_looking, Instant::now());
                    }
                    Done::Looked(Ok(looked)) => {
                        is_looking = false;
                        backoff.reset();
                        let wait = looked.wait(&mut contended);
                        look_at = Instant::now() + if std::mem::take(&mut look_again) { Duration::ZERO } else { wait };
                        for turn in held.add(looked.claimed, self.guilds) {
                            work.push(self.serve(turn, stop.clone()));
                        }
                    }
                    Done::Looked(Err(error)) => {
                        is_looking = false;
                        look_at = Instant::now() + backoff.pause();
                        if backoff.is_worth_a_line() {
                            tracing::warn!(%error, timers.tries = backoff.tries(), "timers are waiting for the database");
                        }
                    }
                    Done::Upkeep(times) => work.push(self.keep_up(times)),
                },
                () = self.wake.notified() => (look_again, look_at) = (is_looking, Instant::now()),
                () = sleep_until(look_at), if !is_looking => {
                    is_looking = true;
                    work.push(self.look(held.clone()));
                }
            }
        }
        let parting = async {
            while (is_looking || !held.is_empty())
                && let Some(done) = work.next().await
            {
                match done {
                    Done::Guild(guild_id) => drop(held.guilds.remove(&guild_id)),
                    Done::Job(kind) => drop(held.jobs.remove(&kind)),
                    Done::Looked(looked) => {
                        is_looking = false;
                        let claimed = looked.map(|looked| looked.claimed).unwrap_or_default();
                        for turn in held.add(claimed, self.guilds) {
                            work.push(self.serve(turn, stop.clone()));
                        }
                    }
                    Done::Upkeep(_) => {}
                }
            }
        };
        // Timers still claimed then are claimed by others when the lease expires.
        drop(timeout(PARTING, parting).await);
    }

    /// Claim due timers.
    fn look(&self, held: Held) -> BoxFuture<'_, Done> {
        Box::pin(async move { Done::Looked(self.claim(&held).await) })
    }

    async fn claim(&self, held: &Held) -> Result<Looked, StoreError> {
        let busy: Vec<Option<Id<GuildMarker>>> =
            held.guilds.iter().copied().map(Some).chain([None]).collect();
        let guilds = self.guilds.saturating_sub(held.guilds.len());
        let kinds: &[&'static str] = if guilds == 0 { &[] } else { &self.kinds };
        let jobs: Vec<&'static str> = self
            .registry
            .jobs
            .keys()
            .copied()
            .filter(|job| !held.jobs.contains(*job))
            .collect();
        let next = claim::next(&self.store, &jobs, kinds, &busy).await?;
        let mut claimed = Vec::new();
        if next.job == Some(Duration::ZERO) {
            let wanted = Wanted {
                kinds: &jobs,
                guilds: 1,
                of_one_guild: jobs.len(),
                busy: &[],
                after: None,
                lease: JOB_LEASE,
            };
            claimed.extend(claim::claim(&self.store, &wanted).await?);
        }
        if next.timer == Some(Duration::ZERO) {
            let wanted = Wanted {
                kinds,
                guilds,
                of_one_guild: OF_ONE_GUILD,
                busy: &busy,
                after: held.after,
                lease: LEASE,
            };
            claimed.extend(claim::claim(&self.store, &wanted).await?);
        }
        Ok(Looked { next, claimed })
    }

    /// Fire the timers of a guild, or run a job.
    fn serve(&self, turn: Turn, stop: watch::Receiver<bool>) -> BoxFuture<'_, Done> {
        Box::pin(async move {
            match turn {
                Turn::Guild(guild_id, timers) => {
                    for timer in timers {
                        if *stop.borrow() {
                            // If the database is unavailable, the lease expires.
                            drop(claim::release(&self.store, &timer).await);
                        } else if let Some(kind) = self.registry.kinds.get(timer.kind.as_str()) {
                            firing::fire(&self.store, kind, &timer, stop.clone()).await;
                        }
                    }
                    Done::Guild(guild_id)
                }
                Turn::Job(timer) => {
                    if let Some(job) = self.registry.jobs.get(timer.kind.as_str()) {
                        periodic::run(&self.store, job, &timer, stop).await;
                    }
                    Done::Job(timer.kind)
                }
            }
        })
    }

    /// Arm the jobs that have no timer yet, and measure the backlog.
    fn keep_up(&self, times: u32) -> BoxFuture<'_, Done> {
        Box::pin(async move {
            let store = self.store.clone().unhurried();
            let mut next = (times + 1) % CHECK_JOBS;
            if times == 0 {
                let jobs: Vec<Periodic> = self.registry.jobs.values().map(Periodic::from).collect();
                match timer::arm_periodic(&store, &jobs).await {
                    Ok(0) => {}
                    Ok(_) => self.wake.notify_one(),
                    Err(_) => next = 0,
                }
            }
            if let Ok(backlog) = timer::backlog(&store, &self.registry.names()).await {
                #[expect(clippy::cast_precision_loss, reason = "counted up to a bound")]
                metrics::timers_waiting().set(backlog.waiting as f64);
                metrics::timers_overdue_seconds().set(backlog.overdue.as_secs_f64());
            }
            sleep(UPKEEP).await;
            Done::Upkeep(next)
        })
    }
}

/// Work of the worker that has ended.
enum Done {
    /// Timers of this guild were served.
    Guild(Id<GuildMarker>),
    /// The job with this name has ended.
    Job(String),
    Looked(Result<Looked, StoreError>),
    /// The number of times it was done.
    Upkeep(u32),
}

/// Work for one connection.
enum Turn {
    /// Timers of a guild, one after the other.
    Guild(Id<GuildMarker>, Vec<Claimed>),
    Job(Claimed),
}

/// The result of a claim.
struct Looked {
    next: Next,
    claimed: Vec<Claimed>,
}

impl Looked {
    /// When to look again: at once while timers are due, and after a short time in any case.
    fn wait(&self, contended: &mut Backoff) -> Duration {
        let next = [self.next.job, self.next.timer].into_iter().flatten().min();
        let next = next.unwrap_or(POLL_INTERVAL).min(POLL_INTERVAL);
        if !self.claimed.is_empty() {
            contended.reset();
            return Duration::ZERO;
        }
        if next.is_zero() {
            return contended.pause();
        }
        contended.reset();
        next
    }
}

/// The work in progress in this process.
#[derive(Clone, Debug, Default)]
struct Held {
    guilds: BTreeSet<Id<GuildMarker>>,
    jobs: BTreeSet<String>,
    /// The last guild that had its turn; `None` to start with the first.
    after: Option<Id<GuildMarker>>,
}

impl Held {
    /// Record the claimed timers, of `guilds` guilds at most. Guilds take turns in the order of their IDs.
    fn add(&mut self, claimed: Vec<Claimed>, guilds: usize) -> Vec<Turn> {
        let room = guilds.saturating_sub(self.guilds.len());
        let mut turns = Vec::new();
        let mut by_guild: BTreeMap<Id<GuildMarker>, Vec<Claimed>> = BTreeMap::new();
        for timer in claimed {
            if let Some(guild_id) = timer.guild_id {
                by_guild.entry(guild_id).or_default().push(timer);
            } else {
                self.jobs.insert(timer.kind.clone());
                turns.push(Turn::Job(timer));
            }
        }
        let last = by_guild
            .keys()
            .copied()
            .max_by_key(|guild_id| (Reverse(Some(*guild_id) > self.after), *guild_id));
        // If there was room for more, nothing else was due.
        self.after = last.filter(|_| by_guild.len() >= room);
        self.guilds.extend(by_guild.keys());
        turns.extend(
            by_guild
                .into_iter()
                .map(|(guild_id, timers)| Turn::Guild(guild_id, timers)),
        );
        turns
    }

    fn is_empty(&self) -> bool {
        self.guilds.is_empty() && self.jobs.is_empty()
    }
}

impl From<&super::Job> for Periodic {
    fn from(job: &super::Job) -> Self {
        Self {
            kind: job.name,
            first: job.first,
            every: job.every,
        }
    }
}
