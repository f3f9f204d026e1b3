//! One tick: a transaction in which a process renews its row, reads the changes of other processes, and makes its decisions.

use std::{collections::BTreeSet, time::Duration};

use super::{
    balance::{self, Held, Member},
    identity,
    reshard::{self, Numbers},
};
use crate::{
    discord::shards::Answer,
    pipeline::{
        backfill::rows::{self, Left},
        fleet::registry::{self, Process},
        rows::shard_checkpoint::Taken,
    },
    postgres::{Store, StoreError, Tx},
    support::ids::ShardKey,
};

/// The input of a tick.
#[derive(Clone, Debug)]
pub(super) struct TickInput {
    /// This process.
    pub(super) process: Process,
    /// Whether it already has a row.
    pub(super) joined: bool,
    /// The shards that it runs.
    pub(super) running: BTreeSet<ShardKey>,
    /// Shards that it has stopped, with all of their data committed.
    pub(super) stopped: BTreeSet<ShardKey>,
    /// Shards of a retiring shard count that have received and committed everything.
    pub(super) retired: BTreeSet<ShardKey>,
    /// The shards' answers to a proposed cut.
    pub(super) answers: Vec<(ShardKey, Answer)>,
    /// The silence after which a process is considered dead.
    pub(super) lease: Duration,
    /// The total number of shards, if not decided yet.
    pub(super) shard_count: u32,
    /// Whether the shard count is configured, so that it applies to a fleet that restarts.
    pub(super) shard_count_is_fixed: bool,
    /// Whether the process is leaving, and takes no shards.
    pub(super) leaving: bool,
    /// Its status, as JSON.
    pub(super) shown: String,
}

/// The result of a tick.
#[derive(Debug)]
pub(super) enum FleetView {
    /// It was considered dead: its shards belong to other processes.
    Lost,
    /// It is a member of the fleet.
    Member {
        /// The current shard counts.
        numbers: Numbers,
        /// Shards that it has taken, with the point from which each resumes.
        taken: Vec<(ShardKey, Taken, Left)>,
        /// Shards that it must give away.
        give: Vec<ShardKey>,
        /// Shards that it runs without a lease.
        foreign: Vec<ShardKey>,
        /// Whether it has its full share of the shards.
        has_its_share: bool,
        /// Whether shards are moving elsewhere, so that another tick should follow soon.
        moving: bool,
        /// The number of shards without an owner.
        free: u32,
        /// The number of processes in the fleet.
        processes: usize,
    },
}

/// Run one tick.
pub(super) async fn run(store: &Store, input: TickInput) -> Result<FleetView, StoreError> {
    let mut seen = store
        .transaction("fleet", move |tx| {
            Box::pin(async move { decide(tx, &input).await })
        })
        .await?;
    if let FleetView::Member { taken, numbers, .. } = &mut seen {
        let of_the_fleet = |key: &ShardKey| key.count == numbers.current.0;
        for (key, _, left) in taken.iter_mut().filter(|(key, ..)| of_the_fleet(key)) {
            // After the shard was taken, so that no other process adds to this data.
            *left = rows::left(store, *key).await?;
        }
    }
    Ok(seen)
}

async fn decide(tx: &Tx<'_>, input: &TickInput) -> Result<FleetView, StoreError> {
    let me = input.process.id.as_str();
    let mut known = registry::lock(tx).await?;
    // While the database was unavailable no process could renew its row or take a shard, so its silence does not mean that it is dead. A
    // process that joins does not know what happened before; a restart of PostgreSQL since then is the evidence available to it.
    let away = known.silent > input.lease / 2 && (input.joined || known.restarted);
    registry::alive(tx, away.then_some(input.lease)).await?;
    let mut news = !input.stopped.is_empty() || !input.retired.is_empty();
    if input.joined {
        match registry::renew(tx, me, &input.shown).await? {
            None => return Ok(FleetView::Lost),
            Some(_draining) => {}
        }
    } else {
        for other in registry::processes(tx).await? {
            if identity::is_dead(&other, &input.process) {
                tracing::info!(
                    process.id = other.member.id,
                    "a process of this machine has died: its shards are free"
                );
                registry::remove(tx, &other.member.id).await?;
            }
        }
        registry::join(tx, &input.process).await?;
        news = true;
    }
    let dead = registry::bury(tx, input.lease).await?;
    if !dead.is_empty() {
        registry::end_stalled_copies(tx, input.lease / 3).await?;
    }
    for dead in dead {
        tracing::warn!(
            process.id = dead,
            "a process has been silent for too long: its shards are free"
        );
        news = true;
    }
    let others = registry::processes(tx).await?;
    let alone = others.iter().all(|other| other.member.id == me);
    let shard_count = reshard::shard_count(tx, &mut known, input, alone).await?;
    for shard in &input.stopped {
        registry::give(tx, me, *shard).await?;
    }
    for shard in &input.retired {
        registry::reshard::retire(tx, me, *shard).await?;
    }
    let numbers = reshard::step(tx, &known, shard_count, input).await?;
    let mut members: Vec<Member> = registry::processes(tx)
        .await?
        .into_iter()
        .map(|known| known.member)
        .collect();
    if input.leaving
        && let Some(member) = members.iter_mut().find(|member| member.id == me)
    {
        member.draining = true;
    }
    let mut mine = Mine {
        me,
        members: &members,
        input: Some(input),
        ..Mine::default()
    };
    for (count, _) in numbers.all() {
        let leases = registry::leases(tx, count).await?;
        mine.plan(tx, count, &leases).await?;
    }
    if news || mine.news {
        registry::announce(tx).await?;
    }
    let leased = &mine.leased;
    Ok(FleetView::Member {
        numbers,
        foreign: input.running.difference(leased).copied().collect(),
        has_its_share: mine.give.is_empty() && mine.awaited == 0,
        give: mine.give,
        moving: mine.found_free > 0 && mine.taken.is_empty(),
        free: mine
            .found_free
            .saturating_sub(u32::try_from(mine.taken.len()).unwrap_or(u32::MAX)),
        taken: mine.taken,
        processes: members.len(),
    })
}

/// The state and decisions of one process.
#[derive(Default)]
struct Mine<'a> {
    me: &'a str,
    members: &'a [Member],
    input: Option<&'a TickInput>,
    leased: BTreeSet<ShardKey>,
    taken: Vec<(ShardKey, Taken, Left)>,
    give: Vec<ShardKey>,
    awaited: usize,
    found_free: u32,
    /// Whether other processes should be notified.
    news: bool,
}

impl Mine<'_> {
    /// Process the shards of one shard count.
    async fn plan(&mut self, tx: &Tx<'_>, count: u32, leases: &[Held]) -> Result<(), StoreError> {
        let Some(input) = self.input else { return Ok(()) };
        let key = |id| ShardKey { count, id };
        let plan = balance::plan(self.me, self.members, leases);
        let held = leases
            .iter()
            .filter(|lease| lease.holder.as_deref() == Some(self.me))
            .map(|lease| lease.shard);
        self.leased.extend(held.clone().map(key));
        self.awaited += plan.awaited;
        let free = leases.iter().filter(|lease| lease.holder.is_none()).count();
        self.found_free += u32::try_from(free).unwrap_or(u32::MAX);
        // Leased to this process but not running: the answer to a COMMIT was lost, or the shard ended on its own.
        let idle = held.filter(|shard| !input.running.contains(&key(*shard)) && !plan.give.contains(shard));
        if !input.leaving {
            for shard in plan.take.iter().copied().chain(idle) {
                let taken = registry::take(tx, self.me, key(shard)).await?;
                self.taken.push((key(shard), taken, Left::default()));
            }
        }
        for shard in plan.give.into_iter().map(key) {
            if input.running.contains(&shard) {
                self.give.push(shard);
            } else {
                // A shard that should move and is not running need not be stopped first.
                registry::give(tx, self.me, shard).await?;
                self.news = true;
            }
        }
        Ok(())
    }
}
