//! The fleet as an operator sees it, and what one can ask of it.

use serde_json::{Value, json};

use crate::store::{Statement, Store, StoreError, statement::statement};

/// Everything.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Shards in all; `None` before the first process.
    pub shard_count: Option<i64>,
    /// What is left of the day's identifies.
    pub identify_remaining: i64,
    /// The day's identifies.
    pub identify_total: i64,
    /// The processes, the oldest first.
    pub processes: Vec<Seen>,
    /// Shards that nobody has.
    pub free: Vec<i64>,
}

/// A process.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its id.
    pub id: String,
    /// The machine's name.
    pub host: String,
    /// The bot's version.
    pub version: String,
    /// Its share of the shards.
    pub capacity: i64,
    /// Seconds since it entered.
    pub up_s: i64,
    /// Seconds since it last said that it lives.
    pub silent_s: f64,
    /// Whether it gives its shards away.
    pub draining: bool,
    /// What it shows of its shards, by number.
    pub shown: Value,
    /// Its shards.
    pub shards: Vec<Lease>,
}

/// A shard of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its number.
    pub id: i64,
    /// Seconds since it was taken.
    pub held_s: i64,
    /// Whether an operator has put it there.
    pub wanted: bool,
}

/// What became of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Every process has been told.
    Done,
    /// Nobody has this id.
    NoSuchProcess,
    /// There is no shard with this number.
    NoSuchShard,
}

impl Overview {
    /// As `eventide fleet status --json` shows it.
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
                            "shard_id": shard.id, "held_seconds": shard.held_s, "put_here": shard.wanted,
                            "shown": process.shown[shard.id.to_string()],
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
        json!({
            "shard_count": self.shard_count, "identifies_remaining": self.identify_remaining,
            "identifies_total": self.identify_total, "free_shards": self.free, "processes": processes,
        })
    }
}

/// Look at the fleet, without locking it.
pub async fn overview(store: &Store) -> Result<Overview, StoreError> {
    const FLEET: Statement = statement!(
        "fleet_overview",
        [],
        "SELECT shard_count, identify_remaining, identify_total FROM fleet"
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
                l.wanted_by IS NOT NULL AND l.wanted_by = l.process_id
         FROM shard_lease AS l JOIN fleet AS f ON f.shard_count = l.shard_count ORDER BY l.shard_id"
    );
    let fleet = store.query(FLEET, &[]).await?;
    let processes = store.query(PROCESSES, &[]).await?;
    let leases = store.query(LEASES, &[]).await?;
    let (mut free, mut held) = (Vec::new(), Vec::new());
    for row in &leases {
        let lease = Lease {
            id: row.get(0),
            held_s: row.get(2),
            wanted: row.get(3),
        };
        match row.get::<_, Option<String>>(1) {
            Some(process) => held.push((process, lease)),
            None => free.push(lease.id),
        }
    }
    let processes = processes
        .iter()
        .map(|row| {
            let id: String = row.get(0);
            Seen {
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
        identify_remaining: fleet.map_or(0, |row| row.get(1)),
        identify_total: fleet.map_or(0, |row| row.get(2)),
        processes,
        free,
    })
}

/// Let a process give its shards away, or have some again.
pub async fn set_draining(store: &Store, process_id: String, draining: bool) -> Result<Told, StoreError> {
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
                    Told::NoSuchProcess
                } else {
                    Told::Done
                })
            })
        })
        .await
}

/// Put a shard on a process, or leave it to the balance again.
pub async fn want(store: &Store, shard: u32, process_id: Option<String>) -> Result<Told, StoreError> {
    const KNOWN: Statement = statement!(
        "fleet_process_known",
        [TEXT],
        "SELECT FROM fleet_process WHERE process_id = $1 FOR KEY SHARE"
    );
    const WANT: Statement = statement!(
        "shard_lease_want",
        [INT8, TEXT],
        "UPDATE shard_lease AS l SET wanted_by = $2 FROM fleet AS f
         WHERE l.shard_count = f.shard_count AND l.shard_id = $1"
    );
    store
        .transaction("shard_lease_want", move |tx| {
            Box::pin(async move {
                if let Some(process_id) = &process_id
                    && tx.query(KNOWN, &[process_id]).await?.is_empty()
                {
                    return Ok(Told::NoSuchProcess);
                }
                let found = tx.execute(WANT, &[&i64::from(shard), &process_id]).await?;
                super::announce(tx).await?;
                Ok(if found == 0 { Told::NoSuchShard } else { Told::Done })
            })
        })
        .await
}
