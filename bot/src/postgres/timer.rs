//! `timer`: work that is due at a given time, for a guild or for the whole fleet.
//!
//! A feature arms a timer in the transaction of its cause. All times are PostgreSQL's.

pub mod claim;

use std::time::{Duration, SystemTime};

use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker},
};

use super::{Statement, Store, StoreError, Tx, statement::statement};
use crate::support::ids;

/// How often a process that has nothing to do looks for timers. A timer that is due earlier is announced to all processes.
pub const POLL_INTERVAL: Duration = Duration::from_secs(20);

/// Waiting timers are counted up to this number.
pub const COUNTED: i64 = 100_000;

/// How long what an interaction has stored for its answer is kept. Discord lets the answer be changed for 15 minutes.
const KEPT: Duration = Duration::from_hours(24);

/// When a timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// At this time.
    At(SystemTime),
    /// This long after the transaction began, by the database's clock.
    In(Duration),
}

/// A timer to be armed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTimer {
    /// The guild.
    pub guild_id: Id<GuildMarker>,
    /// The name of its kind.
    pub kind: &'static str,
    /// The ID of its subject. There is one timer for each guild, kind and ID.
    pub timer_id: i64,
    /// When it is due.
    pub due: Due,
    /// More data for the kind, as JSON. It contains no personal data.
    pub body: String,
}

impl NewTimer {
    /// The timer that forgets what an interaction has stored for its answer. Its ID is the interaction.
    pub(crate) fn forgetting(
        guild_id: Id<GuildMarker>,
        kind: &'static str,
        interaction_id: Id<InteractionMarker>,
    ) -> Self {
        Self {
            guild_id,
            kind,
            timer_id: ids::to_db(interaction_id),
            due: Due::At(ids::to_time(ids::millis(interaction_id)) + KEPT),
            body: "{}".to_owned(),
        }
    }
}

/// A timer for display.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The guild; 0 for a periodic job of the fleet.
    pub guild_id: i64,
    /// The name of its kind.
    pub kind: String,
    /// The ID of its subject.
    pub timer_id: i64,
    /// When it is due, in RFC 3339 and UTC.
    pub due_at: String,
    /// When it is due.
    pub due: SystemTime,
    /// Attempts that failed.
    pub attempts: i64,
    /// When it was abandoned; `None` while it is pending.
    pub failed_at: Option<String>,
    /// Why the last attempt failed.
    pub failure: Option<String>,
}

/// Which timers to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only those of this guild.
    pub guild_id: Option<Id<GuildMarker>>,
    /// Abandoned timers instead of pending ones.
    pub failed: bool,
}

/// The pending timers of some kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backlog {
    /// Their number, counted up to [`COUNTED`].
    pub waiting: i64,
    /// How long the oldest of them has been due.
    pub overdue: Duration,
}

/// Arm timers. A timer that exists already is moved to the new time, even if it was abandoned.
///
/// If a process is firing the same timer at this moment, this waits for it: the timer has fired then, and fires again at the new time.
pub async fn arm(tx: &Tx<'_>, timers: &[NewTimer]) -> Result<(), StoreError> {
    // In the order of the key, so that two transactions cannot deadlock.
    const ARM: Statement = statement!(
        "timer_arm",
        [
            INT8_ARRAY,
            TEXT_ARRAY,
            INT8_ARRAY,
            TIMESTAMPTZ_ARRAY,
            FLOAT8_ARRAY,
            TEXT_ARRAY,
            FLOAT8
        ],
        "WITH armed AS (
             INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at, body)
             SELECT guild_id, kind, timer_id, due_at, due_at, body FROM (
                 SELECT guild_id, kind, timer_id, coalesce(at, now() + make_interval(secs => after)) AS due_at, body::jsonb
                 FROM unnest($1::int8[], $2::text[], $3::int8[], $4::timestamptz[], $5::float8[], $6::text[])
                   AS n (guild_id, kind, timer_id, at, after, body)
                 ORDER BY guild_id, kind, timer_id
             ) AS sorted
             ON CONFLICT (guild_id, kind, timer_id) DO UPDATE
             SET due_at = excluded.due_at, ready_at = excluded.ready_at, body = excluded.body,
                 claim = NULL, attempts = 0, failed_at = NULL, failure = NULL
             RETURNING ready_at
         )
         SELECT pg_notify('eventide_fleet', current_schema() || ' @timers') FROM armed
         HAVING min(ready_at) < now() + make_interval(secs => $7)"
    );
    if timers.is_empty() {
        return Ok(());
    }
    let guilds: Vec<i64> = timers.iter().map(|timer| ids::to_db(timer.guild_id)).collect();
    let kinds: Vec<&str> = timers.iter().map(|timer| timer.kind).collect();
    let ids: Vec<i64> = timers.iter().map(|timer| timer.timer_id).collect();
    let (at, after): (Vec<Option<SystemTime>>, Vec<f64>) = timers
        .iter()
        .map(|timer| match timer.due {
            Due::At(at) => (Some(at), 0.0),
            Due::In(after) => (None, after.as_secs_f64()),
        })
        .unzip();
    let bodies: Vec<&str> = timers.iter().map(|timer| timer.body.as_str()).collect();
    tx.query(
        ARM,
        &[
            &guilds,
            &kinds,
            &ids,
            &at,
            &after,
            &bodies,
            &POLL_INTERVAL.as_secs_f64(),
        ],
    )
    .await?;
    tx.arms_timers();
    Ok(())
}

/// Arm a timer in place of the same one, unless that is firing at this moment. Never waits for it, like [`discard`].
pub async fn rearm(tx: &Tx<'_>, timer: NewTimer) -> Result<(), StoreError> {
    const FIRING: Statement = statement!(
        "timer_is_firing",
        [INT8, TEXT, INT8],
        "WITH idle AS (
             SELECT FROM timer WHERE guild_id = $1 AND kind = $2 AND timer_id = $3 FOR UPDATE SKIP LOCKED
         )
         SELECT EXISTS (SELECT FROM timer WHERE guild_id = $1 AND kind = $2 AND timer_id = $3)
            AND NOT EXISTS (SELECT FROM idle)"
    );
    let guild = ids::to_db(timer.guild_id);
    let rows = tx.query(FIRING, &[&guild, &timer.kind, &timer.timer_id]).await?;
    if rows.first().is_some_and(|row| row.get(0)) {
        return Ok(());
    }
    arm(tx, &[timer]).await
}

/// When a timer is due; `None` if there is none, or it was given up.
pub async fn due_at(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    kind: &str,
    timer_id: i64,
) -> Result<Option<SystemTime>, StoreError> {
    const DUE: Statement = statement!(
        "timer_due_at",
        [INT8, TEXT, INT8],
        "SELECT due_at FROM timer WHERE guild_id = $1 AND kind = $2 AND timer_id = $3 AND failed_at IS NULL"
    );
    let rows = tx.query(DUE, &[&ids::to_db(guild_id), &kind, &timer_id]).await?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// Let a timer be due at another time. False if there is none: it has fired, or was given up. Waits for a process that is firing it at this
/// moment.
pub async fn move_to(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    kind: &'static str,
    timer_id: i64,
    due: SystemTime,
) -> Result<bool, StoreError> {
    const HOLD: Statement = statement!(
        "timer_hold",
        [INT8, TEXT, INT8],
        "SELECT body::text FROM timer
         WHERE guild_id = $1 AND kind = $2 AND timer_id = $3 AND failed_at IS NULL FOR UPDATE"
    );
    let rows = tx.query(HOLD, &[&ids::to_db(guild_id), &kind, &timer_id]).await?;
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    let moved = NewTimer {
        guild_id,
        kind,
        timer_id,
        due: Due::At(due),
        body: row.get(0),
    };
    arm(tx, &[moved]).await?;
    Ok(true)
}

/// Cancel a timer. False if there is none: it has fired, or was never armed. Waits for a process that is firing it at this moment.
pub async fn cancel(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    kind: &str,
    timer_id: i64,
) -> Result<bool, StoreError> {
    const CANCEL: Statement = statement!(
        "timer_cancel",
        [INT8, TEXT, INT8],
        "DELETE FROM timer WHERE guild_id = $1 AND kind = $2 AND timer_id = $3"
    );
    let cancelled = tx
        .execute(CANCEL, &[&ids::to_db(guild_id), &kind, &timer_id])
        .await?;
    Ok(cancelled > 0)
}

/// Cancel timers of one kind that are not firing at this moment. Never waits: for callers that hold what the firing transaction waits for, and
/// whose timers look at what is stored before they do anything.
pub async fn discard(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    kind: &str,
    timers: &[i64],
) -> Result<(), StoreError> {
    const DISCARD: Statement = statement!(
        "timer_discard",
        [INT8, TEXT, INT8_ARRAY],
        "DELETE FROM timer AS t USING (
             SELECT guild_id, kind, timer_id FROM timer
             WHERE guild_id = $1 AND kind = $2 AND timer_id = ANY ($3) FOR UPDATE SKIP LOCKED
         ) AS idle
         WHERE t.guild_id = idle.guild_id AND t.kind = idle.kind AND t.timer_id = idle.timer_id"
    );
    if timers.is_empty() {
        return Ok(());
    }
    tx.execute(DISCARD, &[&ids::to_db(guild_id), &kind, &timers])
        .await
        .map(drop)
}

/// A periodic job of the fleet, with its schedule.
#[derive(Clone, Copy, Debug)]
pub struct Periodic {
    /// The name of its kind.
    pub kind: &'static str,
    /// The delay of its first run, from the start of the first process.
    pub first: Duration,
    /// Time between two runs.
    pub every: Duration,
}

/// Arm the periodic jobs that have no timer yet. One that is due later than its period allows, since the database's clock was set
/// back, is due after one period. Returns the number of timers armed.
pub async fn arm_periodic(store: &Store, jobs: &[Periodic]) -> Result<usize, StoreError> {
    // A lease may be longer than a short period, and is never 10 minutes.
    const ARM: Statement = statement!(
        "timer_arm_periodic",
        [TEXT_ARRAY, FLOAT8_ARRAY, FLOAT8_ARRAY],
        "WITH job AS (
             SELECT kind, make_interval(secs => first) AS first, make_interval(secs => every) AS every
             FROM unnest($1::text[], $2::float8[], $3::float8[]) AS n (kind, first, every)
         ), brought_forward AS (
             UPDATE timer AS t SET due_at = now() + job.every, ready_at = now() + job.every, claim = NULL
             FROM job WHERE t.guild_id = 0 AND t.kind = job.kind
               AND greatest(t.due_at, t.ready_at) > now() + greatest(2 * job.every, interval '10 minutes')
         )
         INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at)
         SELECT 0, kind, 0, now() + first, now() + first FROM job ORDER BY kind
         ON CONFLICT (guild_id, kind, timer_id) DO NOTHING RETURNING 1"
    );
    let kinds: Vec<&str> = jobs.iter().map(|job| job.kind).collect();
    let seconds = |of: fn(&Periodic) -> Duration| -> Vec<f64> {
        jobs.iter().map(|job| of(job).as_secs_f64()).collect()
    };
    let rows = store
        .query(
            ARM,
            &[&kinds, &seconds(|job| job.first), &seconds(|job| job.every)],
        )
        .await?;
    Ok(rows.len())
}

/// The pending timers of these kinds.
pub async fn backlog(store: &Store, kinds: &[&str]) -> Result<Backlog, StoreError> {
    const BACKLOG: Statement = statement!(
        "timer_backlog",
        [TEXT_ARRAY, INT8],
        "SELECT count(*), coalesce(greatest(0, extract(epoch FROM clock_timestamp() - min(due_at))), 0)::float8
         FROM (SELECT due_at FROM timer WHERE failed_at IS NULL AND kind = ANY ($1) ORDER BY ready_at LIMIT $2) AS t"
    );
    let rows = store.query(BACKLOG, &[&kinds, &COUNTED]).await?;
    Ok(rows.first().map_or_else(Backlog::default, |row| Backlog {
        waiting: row.get(0),
        overdue: Duration::try_from_secs_f64(row.get(1)).unwrap_or_default(),
    }))
}

/// Pending timers, the next one first, or abandoned ones, the newest first.
pub async fn list(store: &Store, filter: Filter, limit: u32) -> Result<Vec<Shown>, StoreError> {
    const WAITING: Statement = statement!(
        "timer_list_waiting",
        [INT8, INT8],
        "SELECT guild_id, kind, timer_id, to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), attempts,
                NULL::text, failure, due_at
         FROM timer WHERE failed_at IS NULL AND ($1::int8 IS NULL OR guild_id = $1)
         ORDER BY ready_at, guild_id, kind, timer_id LIMIT $2"
    );
    const FAILED: Statement = statement!(
        "timer_list_failed",
        [INT8, INT8],
        "SELECT guild_id, kind, timer_id, to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), attempts,
                to_char(failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), failure, due_at
         FROM timer WHERE failed_at IS NOT NULL AND ($1::int8 IS NULL OR guild_id = $1)
         ORDER BY failed_at DESC, guild_id, kind, timer_id LIMIT $2"
    );
    let statement = if filter.failed { FAILED } else { WAITING };
    let guild = filter.guild_id.map(ids::to_db);
    let rows = store.query(statement, &[&guild, &i64::from(limit)]).await?;
    Ok(rows
        .iter()
        .map(|row| Shown {
            guild_id: row.get(0),
            kind: row.get(1),
            timer_id: row.get(2),
            due_at: row.get(3),
            due: row.get(7),
            attempts: row.get(4),
            failed_at: row.get(5),
            failure: row.get(6),
        })
        .collect())
}

/// Make timers due again whose lease or pause ends later than is possible, because the database's clock was set back. Returns their number.
pub async fn bring_forward(store: &Store, longest: Duration) -> Result<u64, StoreError> {
    const BRING_FORWARD: Statement = statement!(
        "timer_bring_forward",
        [FLOAT8],
        "UPDATE timer SET ready_at = due_at, claim = NULL
         WHERE failed_at IS NULL AND guild_id <> 0 AND ready_at > due_at AND ready_at > now() + make_interval(secs => $1) RETURNING 1"
    );
    let rows = store.query(BRING_FORWARD, &[&longest.as_secs_f64()]).await?;
    Ok(rows.len() as u64)
}

/// Delete up to `limit` timers that were abandoned longer than `keep` ago. Returns their number.
pub async fn prune(store: &Store, keep: Duration, limit: u32) -> Result<u64, StoreError> {
    const PRUNE: Statement = statement!(
        "timer_prune",
        [FLOAT8, INT8],
        "DELETE FROM timer AS t USING (
             SELECT guild_id, kind, timer_id FROM timer WHERE failed_at < now() - make_interval(secs => $1)
             ORDER BY failed_at LIMIT $2
         ) AS old
         WHERE t.guild_id = old.guild_id AND t.kind = old.kind AND t.timer_id = old.timer_id AND t.failed_at IS NOT NULL
         RETURNING 1"
    );
    let rows = store
        .query(PRUNE, &[&keep.as_secs_f64(), &i64::from(limit)])
        .await?;
    Ok(rows.len() as u64)
}
