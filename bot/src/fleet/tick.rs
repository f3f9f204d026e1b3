//! One look at the fleet: one transaction in which a process says that it lives, hears what others did, and decides what it does.

use std::{collections::BTreeSet, time::Duration};

use super::{
    balance::{self, Held, Member},
    identity,
};
use crate::store::{
    Store, StoreError, Tx,
    backfill::{self, Left},
    fleet::{self, Process},
    shard_checkpoint::{ShardKey, Taken},
};

/// What a process brings to a look.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Who it is.
    pub(super) process: Process,
    /// Whether it has a row already.
    pub(super) joined: bool,
    /// Shards that it runs.
    pub(super) running: BTreeSet<u32>,
    /// Shards that it has stopped, everything of them being committed.
    pub(super) stopped: BTreeSet<u32>,
    /// How long a silent process is waited for.
    pub(super) lease: Duration,
    /// Shards in all, if nobody has decided that yet.
    pub(super) shard_count: u32,
    /// Whether that is configured, so that it holds for a fleet that begins anew.
    pub(super) shard_count_is_fixed: bool,
    /// Takes none, since it is about to go.
    pub(super) leaving: bool,
    /// What it shows of itself, as JSON.
    pub(super) shown: String,
}

/// What it learns.
#[derive(Debug)]
pub(super) enum Seen {
    /// It was taken for dead: its shards are others'.
    Lost,
    /// It is one of the fleet.
    Member {
        /// Shards in all.
        shard_count: u32,
        /// What it has taken, with where each is to be resumed.
        taken: Vec<(ShardKey, Taken, Left)>,
        /// What it has to give away.
        give: Vec<u32>,
        /// What it runs and has no lease of.
        foreign: Vec<u32>,
        /// Whether shards change hands elsewhere, so that it is worth looking again soon.
        moving: bool,
        /// Everybody in the fleet.
        processes: usize,
    },
}

/// Look once.
pub(super) async fn look(store: &Store, asked: Asked) -> Result<Seen, StoreError> {
    let mut seen = store
        .transaction("fleet", move |tx| {
            Box::pin(async move { decide(tx, &asked).await })
        })
        .await?;
    if let Seen::Member { taken, .. } = &mut seen {
        for (key, _, left) in taken {
            // After the shard was taken: nobody else adds to what is left of it.
            *left = backfill::left(store, *key).await?;
        }
    }
    Ok(seen)
}

async fn decide(tx: &Tx<'_>, asked: &Asked) -> Result<Seen, StoreError> {
    let me = asked.process.id.as_str();
    let known = fleet::lock(tx).await?;
    // While the database was away nobody could say that they live, and nobody could take anything: nobody has died of that. A
    // process that enters does not know what was; that PostgreSQL was started since is the sign that it can see.
    let away = known.silent > asked.lease / 2 && (asked.joined || known.restarted);
    fleet::alive(tx, away.then_some(asked.lease)).await?;
    let mut news = !asked.stopped.is_empty();
    if asked.joined {
        match fleet::renew(tx, me, &asked.shown).await? {
            None => return Ok(Seen::Lost),
            Some(_draining) => {}
        }
    } else {
        for other in fleet::processes(tx).await? {
            if identity::is_dead(&other, &asked.process) {
                tracing::info!(
                    process.id = other.member.id,
                    "a process of this machine has died: its shards are free"
                );
                fleet::remove(tx, &other.member.id).await?;
            }
        }
        fleet::join(tx, &asked.process).await?;
        news = true;
    }
    for dead in fleet::bury(tx, asked.lease).await? {
        tracing::warn!(
            process.id = dead,
            "a process has been silent for too long: its shards are free"
        );
        news = true;
    }
    let others = fleet::processes(tx).await?;
    let alone = others.iter().all(|other| other.member.id == me);
    let decided = decided(known.shard_count, asked, alone);
    let shard_count = if let Some(count) = decided {
        count
    } else {
        fleet::decide_shard_count(tx, asked.shard_count).await?;
        asked.shard_count
    };
    let key = |shard| ShardKey {
        count: shard_count,
        id: shard,
    };
    for shard in &asked.stopped {
        fleet::give(tx, me, key(*shard)).await?;
    }
    let mut members: Vec<Member> = fleet::processes(tx)
        .await?
        .into_iter()
        .map(|known| known.member)
        .collect();
    if asked.leaving
        && let Some(member) = members.iter_mut().find(|member| member.id == me)
    {
        member.draining = true;
    }
    let leases = fleet::leases(tx, shard_count).await?;
    let plan = balance::plan(me, &members, &leases);
    let mut taken = Vec::new();
    // What is this process's already, but does not run: a COMMIT whose answer got lost, or a shard that ended by itself.
    let idle = leases.iter().filter(|lease| {
        lease.holder.as_deref() == Some(me)
            && !asked.running.contains(&lease.shard)
            && !plan.give.contains(&lease.shard)
    });
    let idle: Vec<u32> = idle.map(|lease| lease.shard).collect();
    for shard in plan.take.iter().chain(&idle) {
        if !asked.leaving {
            taken.push((
                key(*shard),
                fleet::take(tx, me, key(*shard)).await?,
                Left::default(),
            ));
        }
    }
    if news {
        fleet::announce(tx).await?;
    }
    Ok(Seen::Member {
        shard_count,
        give: plan
            .give
            .into_iter()
            .filter(|shard| asked.running.contains(shard))
            .collect(),
        foreign: foreign(me, &leases, &asked.running),
        moving: leases.iter().any(|lease| lease.holder.is_none()) && taken.is_empty(),
        taken,
        processes: members.len(),
    })
}

/// The number of shards that was decided on, if it still holds: live processes keep the one they agreed on, but a fleet of which nobody
/// is left may have another.
fn decided(known: Option<u32>, asked: &Asked, alone: bool) -> Option<u32> {
    let enters = !asked.joined && asked.shard_count_is_fixed;
    let count = known.filter(|count| !(enters && alone) || *count == asked.shard_count)?;
    if enters && count != asked.shard_count {
        tracing::warn!(
            fleet.shard_count = count,
            gateway.shard_count = asked.shard_count,
            "the fleet has another number of shards than gateway.shard_count says: that holds when all processes were stopped"
        );
    }
    Some(count)
}

fn foreign(me: &str, leases: &[Held], running: &BTreeSet<u32>) -> Vec<u32> {
    leases
        .iter()
        .filter(|lease| lease.holder.as_deref() != Some(me) && running.contains(&lease.shard))
        .map(|lease| lease.shard)
        .collect()
}
