//! `fleet`, `fleet_process`, `shard_lease`: the processes that share the shards, and the owner of each shard.
//!
//! [`lock`] comes first in every transaction that makes a decision: it locks the single row of `fleet`, so decisions are serialized, and
//! each is based on all earlier ones. Times are the database's.

mod overview;
pub mod reshard;

use std::time::Duration;

use twilight_model::id::{Id, marker::MessageMarker};

pub use self::overview::{Lease, OrderResult, Overview, ProcessOverview, overview, set_draining, want};
use self::reshard::Reshard;
use crate::{
    features::levels::rows::member_xp,
    pipeline::{
        fleet::balance::{Held, Member},
        rows::shard_checkpoint::{self, Taken},
    },
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids::{self, ShardKey},
};

/// The data with which a process joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The process ID, which is never reused.
    pub id: String,
    /// The host name.
    pub host: String,
    /// The bot's version.
    pub version: String,
    /// Its weight relative to other processes.
    pub capacity: u32,
    /// The scope in which `pid` is unique.
    pub pid_space: String,
    /// Its PID there.
    pub pid: u32,
    /// When it started, in clock ticks: PIDs are reused, but not together with the start time.
    pub pid_started: u64,
}

/// The locked row of `fleet`.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    /// The total number of shards, once it is decided.
    pub shard_count: Option<u32>,
    /// The first message that they count; `None` for every message.
    pub counts_from: Option<Id<MessageMarker>>,
    /// The reshard in progress.
    pub reshard: Option<Reshard>,
    /// The time since any process was last active.
    pub silent: Duration,
    /// Whether PostgreSQL was restarted since.
    pub restarted: bool,
}

/// A process with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its membership data.
    pub member: Member,
    /// The scope in which `pid` is unique.
    pub pid_space: String,
    /// Its PID there.
    pub pid: u32,
    /// When it started, in clock ticks.
    pub pid_started: u64,
}

/// Lock the fleet until the transaction ends.
pub async fn lock(tx: &Tx<'_>) -> Result<Fleet, StoreError> {
    const LOCK: Statement = statement!(
        "fleet_lock",
        [],
        "SELECT shard_count, greatest(extract(epoch FROM clock_timestamp() - alive_at), 0)::float8,
                pg_postmaster_start_time() > alive_at, counts_from, reshard_to, reshard_cut, reshard_agreed
         FROM fleet FOR UPDATE"
    );
    let rows = tx.query(LOCK, &[]).await?;
    let row = rows.first().expect("the migration has put the row there");
    let count = |count: Option<i64>| count.and_then(|count| u32::try_from(count).ok());
    Ok(Fleet {
        shard_count: count(row.get(0)),
        counts_from: ids::from_db(row.get(3)),
        reshard: count(row.get(4)).map(|to| Reshard {
            to,
            cut: row.get::<_, Option<i64>>(5).and_then(ids::from_db),
            agreed: row.get(6),
        }),
        silent: Duration::try_from_secs_f64(row.get(1)).unwrap_or_default(),
        restarted: row.get(2),
    })
}

/// Record activity of the fleet. With `grace` no process is declared dead for this duration.
pub async fn alive(tx: &Tx<'_>, grace: Option<Duration>) -> Result<(), StoreError> {
    const ALIVE: Statement = statement!(
        "fleet_alive",
        [FLOAT8],
        "UPDATE fleet SET alive_at = clock_timestamp(),
                grace_until = greatest(grace_until, clock_timestamp() + make_interval(secs => $1))"
    );
    let grace = grace.unwrap_or_default().as_secs_f64();
    tx.execute(ALIVE, &[&grace]).await.map(drop)
}

/// Join the fleet. It may be repeated if a COMMIT was not answered.
pub async fn join(tx: &Tx<'_>, process: &Process) -> Result<(), StoreError> {
    const JOIN: Statement = statement!(
        "fleet_join",
        [TEXT, TEXT, TEXT, INT8, TEXT, INT8, INT8],
        "INSERT INTO fleet_process (process_id, host, version, capacity, pid_space, pid, pid_started)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (process_id) DO UPDATE SET seen_at = clock_timestamp()"
    );
    tx.execute(
        JOIN,
        &[
            &process.id,
            &process.host,
            &process.version,
            &i64::from(process.capacity),
            &process.pid_space,
            &i64::from(process.pid),
            &process.pid_started.cast_signed(),
        ],
    )
    .await
    .map(drop)
}

/// Renew a process's row with its status as JSON. `None` if it was declared dead, else whether it is draining.
pub async fn renew(tx: &Tx<'_>, process_id: &str, shown: &str) -> Result<Option<bool>, StoreError> {
    const RENEW: Statement = statement!(
        "fleet_renew",
        [TEXT, TEXT],
        "UPDATE fleet_process SET seen_at = clock_timestamp(), shown = $2::text::jsonb
         WHERE process_id = $1 RETURNING draining"
    );
    let rows = tx.query(RENEW, &[&process_id, &shown]).await?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// Remove processes that were silent for longer than `lease`, except within the grace period. Their shards become free. Returns their IDs.
pub async fn bury(tx: &Tx<'_>, lease: Duration) -> Result<Vec<String>, StoreError> {
    const BURY: Statement = statement!(
        "fleet_bury",
        [FLOAT8],
        "DELETE FROM fleet_process
         WHERE seen_at < clock_timestamp() - make_interval(secs => $1)
           AND (SELECT grace_until FROM fleet) < clock_timestamp()
         RETURNING process_id"
    );
    let rows = tx.query(BURY, &[&lease.as_secs_f64()]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// End sessions that have waited for `silent` for the rows of a flush's COPY. A process that is stopped or disconnected in the middle of a
/// COPY holds its locks for as long as TCP keeps the connection: neither `statement_timeout` nor `idle_in_transaction_session_timeout` ends
/// a COPY that waits for its client. A live process loses a connection, and flushes the same rows again.
pub async fn end_stalled_copies(tx: &Tx<'_>, silent: Duration) -> Result<(), StoreError> {
    const END: Statement = statement!(
        "fleet_end_stalled_copies",
        [TEXT, FLOAT8],
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND usename = current_user
           AND state = 'active' AND wait_event = 'ClientRead' AND starts_with(query, $1)
           AND query_start < clock_timestamp() - make_interval(secs => $2)"
    );
    let began = format!("-- {}\n", member_xp::COPY.name);
    tx.execute(END, &[&began, &silent.as_secs_f64()]).await.map(drop)
}

/// Remove a process that leaves or is known to be dead. Its shards become free.
pub async fn remove(tx: &Tx<'_>, process_id: &str) -> Result<(), StoreError> {
    const REMOVE: Statement = statement!(
        "fleet_remove",
        [TEXT],
        "DELETE FROM fleet_process WHERE process_id = $1"
    );
    tx.execute(REMOVE, &[&process_id]).await.map(drop)
}

/// Set the number of shards, and insert their rows.
pub async fn decide_shard_count(tx: &Tx<'_>, count: u32) -> Result<(), StoreError> {
    const DECIDE: Statement = statement!(
        "fleet_decide_shard_count",
        [INT8],
        "UPDATE fleet SET shard_count = $1, counts_from = 0, reshard_to = NULL, reshard_cut = NULL, reshard_agreed = false"
    );
    tx.execute(DECIDE, &[&i64::from(count)]).await?;
    make_leases(tx, count).await
}

/// Insert the missing lease rows for a shard count.
async fn make_leases(tx: &Tx<'_>, count: u32) -> Result<(), StoreError> {
    const MAKE: Statement = statement!(
        "shard_lease_make",
        [INT8],
        "INSERT INTO shard_lease (shard_count, shard_id)
         SELECT $1, shard_id FROM generate_series(0, $1 - 1) AS s (shard_id)
         ON CONFLICT DO NOTHING"
    );
    tx.execute(MAKE, &[&i64::from(count)]).await.map(drop)
}

/// Whether shards of this shard count have left a session that can be resumed.
pub async fn has_sessions(tx: &Tx<'_>, count: u32) -> Result<bool, StoreError> {
    const HAS: Statement = statement!(
        "shard_checkpoint_any_session",
        [INT8],
        "SELECT EXISTS (SELECT FROM shard_checkpoint WHERE shard_count = $1 AND session_id IS NOT NULL)"
    );
    let rows = tx.query(HAS, &[&i64::from(count)]).await?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}

/// Delete the sessions of one shard count, or of all: other shards have received their guilds' events since, or will.
pub async fn forget_sessions(tx: &Tx<'_>, count: Option<u32>) -> Result<(), StoreError> {
    const FORGET: Statement = statement!(
        "shard_checkpoint_forget",
        [INT8],
        "UPDATE shard_checkpoint SET fence = fence + 1, session_id = NULL, resume_url = NULL, sequence = 0, last_message_id = NULL
         WHERE shard_count = coalesce($1, shard_count)"
    );
    tx.execute(FORGET, &[&count.map(i64::from)]).await.map(drop)
}

/// All processes, in an order that is the same for all of them.
pub async fn processes(tx: &Tx<'_>) -> Result<Vec<Known>, StoreError> {
    const PROCESSES: Statement = statement!(
        "fleet_processes",
        [],
        "SELECT process_id, capacity, draining, pid_space, pid, pid_started FROM fleet_process
         ORDER BY started_at, process_id"
    );
    let rows = tx.query(PROCESSES, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| Known {
            member: Member {
                id: row.get(0),
                capacity: u32::try_from(row.get::<_, i64>(1)).unwrap_or(1).max(1),
                draining: row.get(2),
            },
            pid_space: row.get(3),
            pid: u32::try_from(row.get::<_, i64>(4)).unwrap_or(0),
            pid_started: row.get::<_, i64>(5).cast_unsigned(),
        })
        .collect())
}

/// The owner of each shard.
pub async fn leases(tx: &Tx<'_>, shard_count: u32) -> Result<Vec<Held>, StoreError> {
    const LEASES: Statement = statement!(
        "shard_leases",
        [INT8],
        "SELECT shard_id, process_id, wanted_by FROM shard_lease WHERE shard_count = $1 ORDER BY shard_id"
    );
    let rows = tx.query(LEASES, &[&i64::from(shard_count)]).await?;
    Ok(rows
        .iter()
        .map(|row| Held {
            shard: u32::try_from(row.get::<_, i64>(0)).unwrap_or(u32::MAX),
            holder: row.get(1),
            wanted_by: row.get(2),
        })
        .collect())
}

/// Take a free shard: the lease, and the checkpoint with a fence above every earlier owner's.
pub async fn take(tx: &Tx<'_>, process_id: &str, shard: ShardKey) -> Result<Taken, StoreError> {
    const TAKE: Statement = statement!(
        "shard_lease_take",
        [TEXT, INT8, INT8],
        "UPDATE shard_lease SET process_id = $1, taken_at = clock_timestamp()
         WHERE shard_count = $2 AND shard_id = $3"
    );
    let (count, id) = (i64::from(shard.count), i64::from(shard.id));
    tx.execute(TAKE, &[&process_id, &count, &id]).await?;
    shard_checkpoint::take(tx, shard).await
}

/// Release a shard, if the process still holds it.
pub async fn give(tx: &Tx<'_>, process_id: &str, shard: ShardKey) -> Result<(), StoreError> {
    const GIVE: Statement = statement!(
        "shard_lease_give",
        [TEXT, INT8, INT8],
        "UPDATE shard_lease SET process_id = NULL, taken_at = NULL
         WHERE process_id = $1 AND shard_count = $2 AND shard_id = $3"
    );
    let (count, id) = (i64::from(shard.count), i64::from(shard.id));
    tx.execute(GIVE, &[&process_id, &count, &id]).await.map(drop)
}

/// Notify every process of a change when the transaction commits.
pub async fn announce(tx: &Tx<'_>) -> Result<(), StoreError> {
    const ANNOUNCE: Statement = statement!(
        "fleet_announce",
        [],
        "SELECT pg_notify('eventide_fleet', current_schema() || ' @fleet')"
    );
    tx.query(ANNOUNCE, &[]).await.map(drop)
}

/// The answer to a request for an identify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The identify may be sent now.
    Now {
        /// Identifies left for the day after this one.
        remaining: u32,
    },
    /// The next slot of the key is later, and goes to the first process that asks then.
    NotYet {
        /// The time until the slot.
        wait: Duration,
    },
    /// The daily limit is used up.
    UsedUp {
        /// The time until it resets.
        more_in: Duration,
    },
}

/// Take a slot to identify for a key, and one of the day's identifies, if the slot is due. The next slot is `spacing` later.
///
/// Nothing is reserved ahead of its time: shards that move before their slot comes would leave unused slots behind. The fleet's row is
/// locked first, so that the slot's time is not computed before a wait for the lock.
pub async fn take_identify(
    store: &Store,
    rate_limit_key: u32,
    spacing: Duration,
) -> Result<Turn, StoreError> {
    const TAKE: Statement = statement!(
        "identify_take",
        [INT8, FLOAT8],
        "WITH budget AS (
             SELECT identify_remaining > 0 OR identify_resets_at <= clock_timestamp() AS has_some FROM fleet FOR UPDATE
         ), turn AS (
             INSERT INTO identify_key AS k (rate_limit_key, next_at)
             SELECT $1, clock_timestamp() + make_interval(secs => $2) FROM budget WHERE has_some
             ON CONFLICT (rate_limit_key) DO UPDATE SET next_at = clock_timestamp() + make_interval(secs => $2)
             WHERE k.next_at <= clock_timestamp()
             RETURNING rate_limit_key
         )
         UPDATE fleet SET identify_remaining =
                    CASE WHEN identify_resets_at <= clock_timestamp() THEN identify_total ELSE identify_remaining END - 1,
                identify_resets_at =
                    CASE WHEN identify_resets_at <= clock_timestamp() THEN clock_timestamp() + interval '24 hours'
                         ELSE identify_resets_at END
         WHERE EXISTS (SELECT FROM turn)
         RETURNING identify_remaining"
    );
    const NEXT: Statement = statement!(
        "identify_next",
        [INT8],
        "SELECT coalesce(extract(epoch FROM k.next_at - clock_timestamp()), 0)::float8,
                f.identify_remaining > 0 OR f.identify_resets_at <= clock_timestamp(),
                extract(epoch FROM f.identify_resets_at - clock_timestamp())::float8
         FROM fleet AS f LEFT JOIN identify_key AS k ON k.rate_limit_key = $1"
    );
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default();
    let key = i64::from(rate_limit_key);
    let rows = store.query(TAKE, &[&key, &spacing.as_secs_f64()]).await?;
    if let Some(row) = rows.first() {
        return Ok(Turn::Now {
            remaining: u32::try_from(row.get::<_, i64>(0)).unwrap_or(0),
        });
    }
    let rows = store.query(NEXT, &[&key]).await?;
    let row = rows.first().expect("the migration has put the row there");
    Ok(if row.get(1) {
        Turn::NotYet {
            wait: seconds(row.get(0)),
        }
    } else {
        Turn::UsedUp {
            more_in: seconds(row.get(2)),
        }
    })
}

/// Store Discord's number of remaining identifies. It is authoritative, but does not include identifies that were reserved and not yet
/// sent, so within a day the lower number applies.
pub async fn set_identify_budget(
    store: &Store,
    remaining: u32,
    total: u32,
    resets_after: Duration,
) -> Result<u32, StoreError> {
    const SET: Statement = statement!(
        "identify_budget",
        [INT8, INT8, FLOAT8],
        "UPDATE fleet SET identify_remaining =
                    CASE WHEN identify_total > 0 AND identify_resets_at > clock_timestamp()
                         THEN least(identify_remaining, $1) ELSE $1 END,
                identify_total = $2,
                identify_resets_at = CASE WHEN $3 > 0 THEN clock_timestamp() + make_interval(secs => $3)
                                          ELSE greatest(identify_resets_at, clock_timestamp()) END
         RETURNING identify_remaining"
    );
    let rows = store
        .query(
            SET,
            &[
                &i64::from(remaining),
                &i64::from(total),
                &resets_after.as_secs_f64(),
            ],
        )
        .await?;
    Ok(rows
        .first()
        .and_then(|row| u32::try_from(row.get::<_, i64>(0)).ok())
        .unwrap_or(remaining))
}
