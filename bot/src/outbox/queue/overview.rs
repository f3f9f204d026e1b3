//! The backlog and lists of effects, for operators, and the outcome of one effect, for the member who asked for it.

use std::time::{Duration, SystemTime};

use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, statement::statement},
    support::ids,
};

/// A member's own effects that wait.
pub(crate) const EXPORT: Statement = statement!(
    "export_outbox",
    [INT8, INT8, TEXT_ARRAY],
    "SELECT jsonb_pretty(coalesce(jsonb_agg(to_jsonb(t) ORDER BY effect_id), '[]'))
     FROM outbox AS t WHERE guild_id = $1 AND user_id = $2 AND kind = ANY ($3)"
);

/// Actions of the staff stay: a member must not escape a ban by an erasure.
pub(crate) const ERASE: Statement = statement!(
    "erase_outbox",
    [INT8, INT8, TEXT_ARRAY],
    "DELETE FROM outbox WHERE guild_id = $1 AND user_id = $2 AND kind = ANY ($3)"
);

/// The pending effects of the fleet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backlog {
    /// The number of effects, counted up to [`BACKLOG_COUNTED`].
    pub waiting: i64,
    /// The age of the oldest.
    pub oldest: Duration,
}

/// Counting stops at this number.
pub const BACKLOG_COUNTED: i64 = 100_000;

/// A pending or abandoned effect, as shown to operators.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The guild concerned.
    pub guild_id: i64,
    /// The ID of the effect.
    pub effect_id: i64,
    /// The kind of effect.
    pub kind: String,
    /// The target: a channel, or a member.
    pub target_id: Option<i64>,
    /// Failed attempts.
    pub attempts: i64,
    /// When its cause was committed, in RFC 3339 and UTC.
    pub created_at: String,
    /// When it was abandoned; `None` while it is pending.
    pub failed_at: Option<String>,
    /// The error of the last attempt.
    pub failure: Option<String>,
}

/// Measure the backlog.
pub async fn backlog(store: &Store) -> Result<Backlog, StoreError> {
    const BACKLOG: Statement = statement!(
        "outbox_backlog",
        [INT8],
        "SELECT count(*),
                coalesce(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE lane_id >= 0)), 0)::float8
         FROM (SELECT created_at, lane_id FROM outbox WHERE failed_at IS NULL LIMIT $1) AS waiting"
    );
    let rows = store.query(BACKLOG, &[&BACKLOG_COUNTED]).await?;
    Ok(rows.first().map_or_else(Backlog::default, |row| Backlog {
        waiting: row.get(0),
        oldest: Duration::try_from_secs_f64(row.get(1)).unwrap_or_default(),
    }))
}

/// Pending effects, or those abandoned since a given time; the newest first.
pub async fn list(
    store: &Store,
    failed_since: Option<SystemTime>,
    limit: u32,
) -> Result<Vec<Shown>, StoreError> {
    const WAITING: Statement = statement!(
        "outbox_list_waiting",
        [INT8],
        "SELECT guild_id, effect_id, kind, coalesce(channel_id, user_id), attempts,
                to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), NULL::text, failure
         FROM outbox WHERE failed_at IS NULL ORDER BY effect_id DESC LIMIT $1"
    );
    const FAILED: Statement = statement!(
        "outbox_list_failed",
        [TIMESTAMPTZ, INT8],
        "SELECT guild_id, effect_id, kind, coalesce(channel_id, user_id), attempts,
                to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                to_char(failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), failure
         FROM outbox WHERE failed_at >= $1 ORDER BY failed_at DESC, effect_id DESC LIMIT $2"
    );
    let limit = i64::from(limit);
    let rows = match failed_since {
        None => store.query(WAITING, &[&limit]).await?,
        Some(since) => store.query(FAILED, &[&since, &limit]).await?,
    };
    Ok(rows
        .iter()
        .map(|row| Shown {
            guild_id: row.get(0),
            effect_id: row.get(1),
            kind: row.get(2),
            target_id: row.get(3),
            attempts: row.get(4),
            created_at: row.get(5),
            failed_at: row.get(6),
            failure: row.get(7),
        })
        .collect())
}

/// An effect whose attempts failed, for the staff of its guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The kind of effect.
    pub kind: String,
    /// The channel concerned.
    pub channel_id: Option<i64>,
    /// The member concerned.
    pub user_id: Option<i64>,
    /// The case that it belongs to.
    pub case_id: Option<i64>,
    /// When its cause was committed.
    pub since: SystemTime,
    /// Failed attempts.
    pub attempts: i64,
    /// When it was abandoned; `None` while it is retried.
    pub failed_at: Option<SystemTime>,
    /// The error of the last attempt.
    pub failure: String,
}

/// Which of them to list.
#[derive(Clone, Copy, Debug)]
pub struct Failures<'a> {
    /// Of these kinds.
    pub kinds: &'a [&'a str],
    /// Of this case only.
    pub case_id: Option<i64>,
    /// Those that were abandoned, instead of those that are retried.
    pub abandoned: bool,
}

/// Effects of a guild whose attempts failed, the newest first.
pub async fn failing(
    store: &Store,
    guild_id: Id<GuildMarker>,
    wanted: Failures<'_>,
    limit: i64,
) -> Result<Vec<Failing>, StoreError> {
    const FAILING: Statement = statement!(
        "outbox_failing",
        [INT8, TEXT_ARRAY, INT8, BOOL, INT8],
        "SELECT kind, channel_id, user_id, (body->>'case_id')::int8, created_at, attempts, failed_at, failure FROM outbox
         WHERE guild_id = $1 AND kind = ANY ($2) AND ($3::int8 IS NULL OR (body->>'case_id')::int8 = $3)
           AND (failed_at IS NOT NULL) = $4 AND failure IS NOT NULL
         ORDER BY effect_id DESC LIMIT $5"
    );
    let (
        guild,
        Failures {
            kinds,
            case_id,
            abandoned,
        },
    ) = (ids::to_db(guild_id), wanted);
    let rows = store
        .query(FAILING, &[&guild, &kinds, &case_id, &abandoned, &limit])
        .await?;
    Ok(rows
        .iter()
        .map(|row| Failing {
            kind: row.get(0),
            channel_id: row.get(1),
            user_id: row.get(2),
            case_id: row.get(3),
            since: row.get(4),
            attempts: row.get(5),
            failed_at: row.get(6),
            failure: row.get(7),
        })
        .collect())
}

/// What became of an effect that a command added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// It is pending.
    Waiting,
    /// It was delivered, or is no longer wanted.
    Over,
    /// It was abandoned, with this failure.
    Failed(String),
}

/// What became of the effect of this kind whose body has this request.
pub async fn became(
    store: &Store,
    guild_id: Id<GuildMarker>,
    kind: &str,
    request_id: Id<InteractionMarker>,
) -> Result<Became, StoreError> {
    const BECAME: Statement = statement!(
        "outbox_became",
        [INT8, TEXT, TEXT],
        "SELECT CASE WHEN failed_at IS NOT NULL THEN coalesce(failure, '') END FROM outbox
         WHERE guild_id = $1 AND kind = $2 AND body->>'request_id' = $3 ORDER BY effect_id DESC LIMIT 1"
    );
    let params = (ids::to_db(guild_id), request_id.to_string());
    let rows = store.query(BECAME, &[&params.0, &kind, &params.1]).await?;
    Ok(match rows.first().map(|row| row.get::<_, Option<String>>(0)) {
        None => Became::Over,
        Some(None) => Became::Waiting,
        Some(Some(failure)) => Became::Failed(failure),
    })
}
