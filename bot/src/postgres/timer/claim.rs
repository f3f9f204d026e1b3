//! Claiming due timers, and recording the outcome of claimed ones.
//!
//! A claim is a random number and a lease. Every change of a claimed timer compares the number, so a process that has lost the timer
//! changes nothing.

use std::time::{Duration, SystemTime};

use twilight_model::id::{Id, marker::GuildMarker};

use super::super::{Params, Statement, Store, StoreError, Tx, statement::statement};
use crate::support::ids;

/// Guilds are chosen from this number of due timers, the oldest first, without those of guilds that are being served.
const WINDOW: i64 = 5_000;

/// A timer that this process has claimed.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The guild; `None` for a periodic job of the fleet.
    pub guild_id: Option<Id<GuildMarker>>,
    /// The name of its kind.
    pub kind: String,
    /// The ID of its subject.
    pub timer_id: i64,
    /// Attempts that failed.
    pub attempts: i64,
    /// How long it had been due when it was claimed.
    pub late: Duration,
    claim: i64,
}

/// A timer that fires in a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The guild; `None` for a periodic job of the fleet.
    pub guild_id: Option<Id<GuildMarker>>,
    /// The ID of its subject.
    pub timer_id: i64,
    /// When it was due.
    pub due_at: SystemTime,
    /// More data for its kind, as JSON.
    pub body: String,
    /// How long it had been due.
    pub late: Duration,
}

impl Firing {
    /// The guild of a timer of a kind that always has one.
    ///
    /// # Errors
    ///
    /// The row has none, which only a change by hand can cause.
    pub(crate) fn guild(&self) -> Result<Id<GuildMarker>, StoreError> {
        self.guild_id
            .ok_or_else(|| StoreError::Rejected("a timer without a guild".to_owned()))
    }
}

/// Which timers to claim.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Kinds that this process knows.
    pub kinds: &'a [&'static str],
    /// The largest number of guilds.
    pub guilds: usize,
    /// The largest number of timers in each.
    pub of_one_guild: usize,
    /// Guilds that this process is serving.
    pub busy: &'a [Option<Id<GuildMarker>>],
    /// Guilds take turns, beginning with those after this one.
    pub after: Option<Id<GuildMarker>>,
    /// The duration of the claim.
    pub lease: Duration,
}

/// When the next timers can be claimed, by the database's clock. Zero if some can be now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// Of the fleet.
    pub job: Option<Duration>,
    /// Of a guild.
    pub timer: Option<Duration>,
}

/// Claim timers that are due: some of each guild, so that a guild with thousands of them delays no other.
pub async fn claim(store: &Store, wanted: &Wanted<'_>) -> Result<Vec<Claimed>, StoreError> {
    // `statement_timestamp()` does not change during the statement, so the index is used.
    const CLAIM: Statement = statement!(
        "timer_claim",
        [TEXT_ARRAY, INT8_ARRAY, INT8, INT8, INT8, FLOAT8, INT8, INT8],
        "WITH guilds AS MATERIALIZED (
             SELECT guild_id FROM (
                 SELECT DISTINCT guild_id FROM (
                     SELECT guild_id FROM timer
                     WHERE failed_at IS NULL AND ready_at <= statement_timestamp() AND guild_id <> ALL ($2) AND kind = ANY ($1)
                     ORDER BY ready_at LIMIT $7
                 ) AS oldest
             ) AS found ORDER BY guild_id > $3 DESC, guild_id LIMIT $4
         ), due AS MATERIALIZED (
             SELECT f.guild_id, f.kind, f.timer_id FROM guilds AS g CROSS JOIN LATERAL (
                 SELECT t.guild_id, t.kind, t.timer_id FROM timer AS t
                 WHERE t.guild_id = g.guild_id AND t.failed_at IS NULL AND t.ready_at <= statement_timestamp() AND t.kind = ANY ($1)
                 ORDER BY t.ready_at LIMIT $5 FOR UPDATE SKIP LOCKED
             ) AS f
         )
         UPDATE timer AS t SET claim = $8, ready_at = clock_timestamp() + make_interval(secs => $6)
         FROM due WHERE t.guild_id = due.guild_id AND t.kind = due.kind AND t.timer_id = due.timer_id
         RETURNING t.guild_id, t.kind, t.timer_id, t.attempts, extract(epoch FROM clock_timestamp() - t.due_at)::float8"
    );
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let busy: Vec<i64> = wanted.busy.iter().copied().map(to_db).collect();
    let claim = fastrand::i64(..);
    let rows = store
        .query(
            CLAIM,
            &[
                &wanted.kinds,
                &busy,
                &to_db(wanted.after),
                &number(wanted.guilds),
                &number(wanted.of_one_guild),
                &wanted.lease.as_secs_f64(),
                &WINDOW,
                &claim,
            ],
        )
        .await?;
    let mut claimed: Vec<Claimed> = rows
        .iter()
        .map(|row| Claimed {
            guild_id: ids::from_db(row.get(0)),
            kind: row.get(1),
            timer_id: row.get(2),
            attempts: row.get(3),
            late: seconds(row.get(4)),
            claim,
        })
        .collect();
    claimed.sort_by(|one, other| (one.guild_id, other.late).cmp(&(other.guild_id, one.late)));
    Ok(claimed)
}

/// When the next timers can be claimed: those of the fleet of the kinds `jobs`, and those of the kinds `timers` that are not of `busy`
/// guilds.
pub async fn next(
    store: &Store,
    jobs: &[&str],
    timers: &[&str],
    busy: &[Option<Id<GuildMarker>>],
) -> Result<Next, StoreError> {
    const NEXT: Statement = statement!(
        "timer_next",
        [TEXT_ARRAY, TEXT_ARRAY, INT8_ARRAY],
        "SELECT extract(epoch FROM (
                    SELECT ready_at FROM timer WHERE failed_at IS NULL AND guild_id = 0 AND kind = ANY ($1)
                    ORDER BY ready_at LIMIT 1
                ) - clock_timestamp())::float8,
                extract(epoch FROM (
                    SELECT ready_at FROM timer WHERE failed_at IS NULL AND guild_id <> ALL ($3) AND kind = ANY ($2)
                    ORDER BY ready_at LIMIT 1
                ) - clock_timestamp())::float8"
    );
    let busy: Vec<i64> = busy.iter().copied().map(to_db).collect();
    let rows = store.query(NEXT, &[&jobs, &timers, &busy]).await?;
    let wait = |column| {
        let row = rows.first()?;
        row.get::<_, Option<f64>>(column).map(seconds)
    };
    Ok(Next {
        job: wait(0),
        timer: wait(1),
    })
}

/// End a timer in the transaction that does its work. `None` if it was cancelled or changed, or another process has claimed it.
pub async fn take(tx: &Tx<'_>, timer: &Claimed) -> Result<Option<Firing>, StoreError> {
    const TAKE: Statement = statement!(
        "timer_take",
        [INT8, TEXT, INT8, INT8],
        "DELETE FROM timer WHERE guild_id = $1 AND kind = $2 AND timer_id = $3 AND claim = $4
         RETURNING due_at, body::text, extract(epoch FROM clock_timestamp() - due_at)::float8"
    );
    let rows = tx
        .query(
            TAKE,
            &[&to_db(timer.guild_id), &timer.kind, &timer.timer_id, &timer.claim],
        )
        .await?;
    Ok(rows.first().map(|row| Firing {
        guild_id: timer.guild_id,
        timer_id: timer.timer_id,
        due_at: row.get(0),
        body: row.get(1),
        late: seconds(row.get(2)),
    }))
}

/// An attempt failed for a temporary reason: the timer can be claimed again `after` this time. False if this process has lost its claim.
pub async fn postpone(
    store: &Store,
    timer: &Claimed,
    failure: &str,
    after: Duration,
) -> Result<bool, StoreError> {
    const POSTPONE: Statement = statement!(
        "timer_postpone",
        [INT8, TEXT, INT8, INT8, TEXT, FLOAT8],
        "UPDATE timer SET attempts = attempts + 1, failure = $5, claim = NULL,
             ready_at = clock_timestamp() + make_interval(secs => $6)
         WHERE guild_id = $1 AND kind = $2 AND timer_id = $3 AND claim = $4 RETURNING 1"
    );
    change(store, POSTPONE, timer, &[&failure, &after.as_secs_f64()]).await
}

/// Abandon a timer and record the reason. False if this process has lost its claim.
pub async fn give_up(store: &Store, timer: &Claimed, failure: &str) -> Result<bool, StoreError> {
    const GIVE_UP: Statement = statement!(
        "timer_give_up",
        [INT8, TEXT, INT8, INT8, TEXT],
        "UPDATE timer SET attempts = attempts + 1, failure = $5, claim = NULL, failed_at = clock_timestamp()
         WHERE guild_id = $1 AND kind = $2 AND timer_id = $3 AND claim = $4 RETURNING 1"
    );
    change(store, GIVE_UP, timer, &[&failure]).await
}

/// Release a timer: other processes can claim it immediately.
pub async fn release(store: &Store, timer: &Claimed) -> Result<(), StoreError> {
    const RELEASE: Statement = statement!(
        "timer_release",
        [INT8, TEXT, INT8, INT8],
        "UPDATE timer SET claim = NULL, ready_at = least(ready_at, clock_timestamp())
         WHERE guild_id = $1 AND kind = $2 AND timer_id = $3 AND claim = $4"
    );
    change(store, RELEASE, timer, &[]).await.map(drop)
}

/// Keep a timer for another `lease`. False if this process has lost its claim.
pub async fn extend(store: &Store, timer: &Claimed, lease: Duration) -> Result<bool, StoreError> {
    const EXTEND: Statement = statement!(
        "timer_extend",
        [INT8, TEXT, INT8, INT8, FLOAT8],
        "UPDATE timer SET ready_at = clock_timestamp() + make_interval(secs => $5)
         WHERE guild_id = $1 AND kind = $2 AND timer_id = $3 AND claim = $4 RETURNING 1"
    );
    change(store, EXTEND, timer, &[&lease.as_secs_f64()]).await
}

/// A periodic job is done: it is due again at the next scheduled time. Missed times are skipped.
pub async fn repeat(store: &Store, timer: &Claimed, every: Duration) -> Result<(), StoreError> {
    const REPEAT: Statement = statement!(
        "timer_repeat",
        [INT8, TEXT, INT8, INT8, FLOAT8],
        "UPDATE timer AS t SET due_at = n.due_at, ready_at = n.due_at, claim = NULL, attempts = 0, failure = NULL
         FROM (
             SELECT due_at + make_interval(
                 secs => $5 * greatest(1, 1 + floor(extract(epoch FROM clock_timestamp() - due_at)::float8 / $5))
             ) AS due_at
             FROM timer WHERE guild_id = $1 AND kind = $2 AND timer_id = $3
         ) AS n
         WHERE guild_id = $1 AND kind = $2 AND timer_id = $3 AND claim = $4"
    );
    change(store, REPEAT, timer, &[&every.as_secs_f64()])
        .await
        .map(drop)
}

/// Change a timer that this process has claimed. Returns whether a row was returned.
async fn change(
    store: &Store,
    statement: Statement,
    timer: &Claimed,
    more: Params<'_>,
) -> Result<bool, StoreError> {
    let guild = to_db(timer.guild_id);
    let mut params: Vec<_> = vec![
        &guild as &(dyn tokio_postgres::types::ToSql + Sync),
        &timer.kind,
        &timer.timer_id,
        &timer.claim,
    ];
    params.extend(more);
    Ok(!store.query(statement, &params).await?.is_empty())
}

fn to_db(guild_id: Option<Id<GuildMarker>>) -> i64 {
    guild_id.map_or(0, ids::to_db)
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
