//! The operator's view of the fleet, and the requests that an operator can make.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::reshard::Reshard;
use crate::{
    postgres::{Statement, Store, StoreError, statement::statement},
    support::ids::{self, ShardKey},
};

/// The state of the whole fleet.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The total number of shards; `None` before the first process.
    pub shard_count: Option<i64>,
    /// The reshard in progress.
    pub reshard: Option<Reshard>,
    /// Shards of the current shard count that have not retired, and shards of the new one that have a session.
    pub reshard_progress: (i64, i64),
    /// Identifies left for the day.
    pub identify_remaining: i64,
    /// The daily limit of identifies.
    pub identify_total: i64,
    /// The processes, the oldest first.
    pub processes: Vec<ProcessOverview>,
    /// Shards without an owner.
    pub free: Vec<ShardKey>,
}

/// A process of the fleet.
#[derive(Clone, Debug)]
pub struct ProcessOverview {
    /// The process ID.
    pub id: String,
    /// The host name.
    pub host: String,
    /// The bot's version.
    pub version: String,
    /// Its weight relative to other processes.
    pub capacity: i64,
    /// Seconds since it joined.
    pub up_s: i64,
    /// Seconds since it last renewed its row.
    pub silent_s: f64,
    /// Whether it is giving its shards away.
    pub draining: bool,
    /// The status of its shards, by number.
    pub shown: Value,
    /// Its shards.
    pub shards: Vec<Lease>,
}

/// A shard of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The shard.
    pub key: ShardKey,
    /// The number of its guilds with counted members.
    pub guilds: i64,
    /// Seconds since it was taken.
    pub held_s: i64,
    /// Whether an operator assigned it.
    pub wanted: bool,
}

/// The result of an operator's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderResult {
    /// The request is stored and all processes are notified.
    Done,
    /// There is no process with this ID.
    NoSuchProcess,
    /// The process is draining, so it takes no shards.
    Drains,
    /// There is no shard with this number; contains the shard count, `None` before the first process.
    NoSuchShard(Option<i64>),
}

impl Overview {
    /// The progress of a reshard, as text.
    pub fn reshard_stage(&self) -> String {
        let (left, ready) = self.reshard_progress;
        match self.reshard {
            None => "it is not".to_owned(),
            Some(Reshard { cut: None, to, .. }) => format!("{ready} of {to} new sessions are there"),
            Some(Reshard { agreed: false, .. }) => "the processes agree on where it happens".to_owned(),
            Some(_) => format!("{left} shards of the old number count their last messages"),
        }
    }

    /// The output of `eventide fleet status --json`.
    pub fn as_json(&self) -> Value {
        let processes: Vec<Value> = self
            .processes
            .iter()
            .map(|process| {
                let shards: Vec<Value> = process
                    .shards
                    .iter()
                    .map(|shard| {
                        json!({
                            "shard_id": shard.key.id, "shard_count": shard.key.count, "guilds": shard.guilds,
                            "held_seconds": shard.held_s, "put_here": shard.wanted,
                            "shown": process.shown[shard.key.to_string()],
                        })
                    })
                    .collect();
                json!({
                    "process_id": process.id, "host": process.host, "version": process.version,
                    "capacity": process.capacity, "up_seconds": process.up_s, "silent_seconds": process.silent_s,
                    "draining": process.draining, "shards": shards,
                })
            })
            .collect();
        let free: Vec<u32> = self.free.iter().map(|shard| shard.id).collect();
        json!({
            "shard_count": self.shard_count, "reshard_to": self.reshard.map(|reshard| reshard.to),
            "reshard_stage": self.reshard.map(|_| self.reshard_stage()), "identifies_remaining": self.identify_remaining,
            "identifies_total": self.identify_total, "free_shards": free, "processes": processes,
        })
    }
}

/// Read the state of the fleet, without locking it.
pub async fn overview(store: &Store) -> Result<Overview, StoreError> {
    const FLEET: Statement = statement!(
        "fleet_overview",
        [],
        "SELECT shard_count, identify_remaining, identify_total, reshard_to, reshard_cut, reshard_agreed,
                (SELECT count(*) FROM shard_lease AS l WHERE l.shard_count = f.shard_count),
                (SELECT count(*) FROM shard_checkpoint AS c WHERE c.shard_count = f.reshard_to AND c.session_id IS NOT NULL)
         FROM fleet AS f"
    );
    const PROCESSES: Statement = statement!(
        "fleet_overview_processes",
        [],
        "SELECT process_id, host, version, capacity, extract(epoch FROM clock_timestamp() - started_at)::int8,
                extract(epoch FROM clock_timestamp() - seen_at)::float8, draining, shown::text
         FROM fleet_process ORDER BY started_at, process_id"
    );
    const LEASES: Statement = statement!(
        "fleet_overview_leases",
        [],
        "SELECT l.shard_id, l.process_id, coalesce(extract(epoch FROM clock_timestamp() - l.taken_at), 0)::int8,
                l.wanted_by IS NOT NULL AND l.wanted_by = l.process_id, l.shard_count
         FROM shard_lease AS l JOIN fleet AS f ON l.shard_count IN (f.shard_count, f.reshard_to)
         ORDER BY l.shard_count <> f.shard_count, l.shard_id"
    );
    let fleet = store.query(FLEET, &[]).await?;
    let processes = store.query(PROCESSES, &[]).await?;
    let guilds = guilds(store).await?;
    let leases = store.query(LEASES, &[]).await?;
    let number = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let (mut free, mut held) = (Vec::new(), Vec::new());
    for row in &leases {
        let lease = Lease {
            key: ShardKey {
                count: number(row.get(4)),
                id: number(row.get(0)),
            },
            guilds: guilds.get(&(row.get(4), row.get(0))).copied().unwrap_or(0),
            held_s: row.get(2),
            wanted: row.get(3),
        };
        match row.get::<_, Option<String>>(1) {
            Some(process) => held.push((process, lease)),
            None => free.push(lease.key),
        }
    }
    let processes = processes
        .iter()
        .map(|row| {
            let id: String = row.get(0);
            ProcessOverview {
                shards: held
                    .iter()
                    .filter(|(process, _)| *process == id)
                    .map(|(_, lease)| *lease)
                    .collect(),
                id,
                host: row.get(1),
                version: row.get(2),
                capacity: row.get(3),
                up_s: row.get(4),
                silent_s: row.get(5),
                draining: row.get(6),
                shown: serde_json::from_str(row.get(7)).unwrap_or_default(),
            }
        })
        .collect();
    let fleet = fleet.first();
    Ok(Overview {
        shard_count: fleet.and_then(|row| row.get(0)),
        reshard: fleet.and_then(|row| {
            Some(Reshard {
                to: number(row.get::<_, Option<i64>>(3)?),
                cut: row.get::<_, Option<i64>>(4).and_then(ids::from_db),
                agreed: row.get(5),
            })
        }),
        reshard_progress: fleet.map_or((0, 0), |row| (row.get(6), row.get(7))),
        identify_remaining: fleet.map_or(0, |row| row.get(1)),
        identify_total: fleet.map_or(0, |row| row.get(2)),
        processes,
        free,
    })
}

/// The number of guilds with counted members, by shard count and shard: skips from guild to guild by the index, regardless of the number of
/// members between them.
async fn guilds(store: &Store) -> Result<HashMap<(i64, i64), i64>, StoreError> {
    const GUILDS: Statement = statement!(
        "fleet_overview_guilds",
        [],
        "WITH RECURSIVE g AS (
             (SELECT guild_id FROM member_xp ORDER BY guild_id LIMIT 1)
             UNION ALL
             SELECT (SELECT m.guild_id FROM member_xp AS m WHERE m.guild_id > g.guild_id ORDER BY m.guild_id LIMIT 1)
             FROM g WHERE g.guild_id IS NOT NULL
         )
         SELECT n.shards, (g.guild_id >> 22) % n.shards, count(*)
         FROM g, fleet AS f, unnest(ARRAY[f.shard_count, f.reshard_to]) AS n (shards)
         WHERE g.guild_id IS NOT NULL AND n.shards IS NOT NULL GROUP BY 1, 2"
    );
    let rows = store.query(GUILDS, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| ((row.get(0), row.get(1)), row.get(2)))
        .collect())
}

/// Set whether a process gives its shards away.
pub async fn set_draining(
    store: &Store,
    process_id: String,
    draining: bool,
) -> Result<OrderResult, StoreError> {
    const DRAIN: Statement = statement!(
        "fleet_drain",
        [TEXT, BOOL],
        "UPDATE fleet_process SET draining = $2 WHERE process_id = $1"
    );
    store
        .transaction("fleet_drain", move |tx| {
            Box::pin(async move {
                let found = tx.execute(DRAIN, &[&process_id, &draining]).await?;
                super::announce(tx).await?;
                Ok(if found == 0 {
                    OrderResult::NoSuchProcess
                } else {
                    OrderResult::Done
                })
            })
        })
        .await
}

/// Assign a shard to a process, or return it to the balance.
pub async fn want(store: &Store, shard: u32, process_id: Option<String>) -> Result<OrderResult, StoreError> {
    const KNOWN: Statement = statement!(
        "fleet_process_known",
        [TEXT],
        "SELECT draining FROM fleet_process WHERE process_id = $1 FOR KEY SHARE"
    );
    const COUNT: Statement = statement!("fleet_shard_count", [], "SELECT shard_count FROM fleet");
    const WANT: Statement = statement!(
        "shard_lease_want",
        [INT8, TEXT],
        "UPDATE shard_lease AS l SET wanted_by = $2 FROM fleet AS f
         WHERE l.shard_count = f.shard_count AND l.shard_id = $1"
    );
    store
        .transaction("shard_lease_want", move |tx| {
            Box::pin(async move {
                if let Some(process_id) = &process_id {
                    match tx.query(KNOWN, &[process_id]).await?.first() {
                        None => return Ok(OrderResult::NoSuchProcess),
                        Some(row) if row.get(0) => return Ok(OrderResult::Drains),
                        Some(_) => {}
                    }
                }
                if tx.execute(WANT, &[&i64::from(shard), &process_id]).await? == 0 {
                    let rows = tx.query(COUNT, &[]).await?;
                    return Ok(OrderResult::NoSuchShard(rows.first().and_then(|row| row.get(0))));
                }
                super::announce(tx).await?;
                Ok(OrderResult::Done)
            })
        })
        .await
}
