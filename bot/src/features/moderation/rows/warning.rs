//! `warning` with its case: who was warned of what, how much it counts, and until when.

use std::time::SystemTime;

use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// A warning as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Its number in the guild.
    pub case_id: i64,
    /// Who was warned.
    pub user_id: Id<UserMarker>,
    /// The moderator.
    pub moderator_id: Id<UserMarker>,
    /// The reason, as the moderator wrote it.
    pub reason: String,
    /// `low`, `medium` or `high`.
    pub severity: String,
    /// What it counts, 0 to 100.
    pub points: i64,
    /// The time at which it was created.
    pub created_at: SystemTime,
    /// From when on it does not count; `None` for never.
    pub expires_at: Option<SystemTime>,
    /// When it was taken back.
    pub removed_at: Option<SystemTime>,
    /// The moderator who removed it.
    pub removed_by: Option<Id<UserMarker>>,
    /// The reason for its removal.
    pub removed_reason: Option<String>,
}

/// What counts at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counting {
    /// Warnings that are neither removed nor expired.
    pub warnings: i64,
    /// Their points.
    pub points: i64,
}

/// A threshold that a member's points pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// Its points.
    pub points: i64,
    /// `timeout`, `kick` or `ban`.
    pub action: String,
    /// Of a timeout.
    pub duration_seconds: Option<i64>,
}

fn warning_of(row: &Row) -> Option<Warning> {
    Some(Warning {
        case_id: row.get(0),
        user_id: ids::from_db(row.get(1))?,
        moderator_id: ids::from_db(row.get(2))?,
        reason: row.get(3),
        severity: row.get(4),
        points: row.get(5),
        created_at: row.get(6),
        expires_at: row.get(7),
        removed_at: row.get(8),
        removed_by: row.get::<_, Option<i64>>(9).and_then(ids::from_db),
        removed_reason: row.get(10),
    })
}

/// Add what a case has as a warning.
pub async fn add(
    tx: &Tx<'_>,
    (guild_id, case_id): (Id<GuildMarker>, i64),
    severity: &str,
    points: i64,
) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
        "warning_add",
        [INT8, INT8, TEXT, INT8],
        "INSERT INTO warning (guild_id, case_id, severity, points) VALUES ($1, $2, $3, $4)"
    );
    tx.execute(ADD, &[&ids::to_db(guild_id), &case_id, &severity, &points])
        .await
        .map(drop)
}

/// Change how much a warning counts.
pub async fn change(
    tx: &Tx<'_>,
    (guild_id, case_id): (Id<GuildMarker>, i64),
    severity: &str,
    points: i64,
) -> Result<(), StoreError> {
    const CHANGE: Statement = statement!(
        "warning_change",
        [INT8, INT8, TEXT, INT8],
        "UPDATE warning SET severity = $3, points = $4 WHERE guild_id = $1 AND case_id = $2"
    );
    tx.execute(CHANGE, &[&ids::to_db(guild_id), &case_id, &severity, &points])
        .await
        .map(drop)
}

/// What became of what a warning led to; `None` while it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// `delivered`, or `closed` for a member who takes no direct messages.
    pub message: Option<String>,
    /// `done`, `gone` where there was nobody to punish any more, or the name of the text that says what was in the way.
    pub action: Option<String>,
}

/// Note what became of the message to the member.
pub async fn note_message(
    store: &Store,
    (guild_id, case_id): (Id<GuildMarker>, i64),
    outcome: &str,
) -> Result<(), StoreError> {
    const NOTE_MESSAGE: Statement = statement!(
        "warning_note_message",
        [INT8, INT8, TEXT],
        "UPDATE warning SET message_outcome = $3 WHERE guild_id = $1 AND case_id = $2"
    );
    let guild = ids::to_db(guild_id);
    store
        .query(NOTE_MESSAGE, &[&guild, &case_id, &outcome])
        .await
        .map(drop)
}

const NOTE_ACTION: Statement = statement!(
    "warning_note_action",
    [INT8, INT8, TEXT],
    "UPDATE warning SET action_outcome = $3 WHERE guild_id = $1 AND case_id = $2"
);

/// Note what became of the punishment.
pub async fn note_action(
    store: &Store,
    (guild_id, case_id): (Id<GuildMarker>, i64),
    outcome: &str,
) -> Result<(), StoreError> {
    let guild = ids::to_db(guild_id);
    store
        .query(NOTE_ACTION, &[&guild, &case_id, &outcome])
        .await
        .map(drop)
}

/// The same in a transaction.
pub async fn note_action_in(
    tx: &Tx<'_>,
    (guild_id, case_id): (Id<GuildMarker>, i64),
    outcome: &str,
) -> Result<(), StoreError> {
    let guild = ids::to_db(guild_id);
    tx.execute(NOTE_ACTION, &[&guild, &case_id, &outcome])
        .await
        .map(drop)
}

/// What became of what a warning led to.
pub async fn outcomes(
    store: &Store,
    (guild_id, case_id): (Id<GuildMarker>, i64),
) -> Result<Outcomes, StoreError> {
    const OUTCOMES: Statement = statement!(
        "warning_outcomes",
        [INT8, INT8],
        "SELECT message_outcome, action_outcome FROM warning WHERE guild_id = $1 AND case_id = $2"
    );
    let rows = store.query(OUTCOMES, &[&ids::to_db(guild_id), &case_id]).await?;
    Ok(rows.first().map_or_else(Outcomes::default, |row| Outcomes {
        message: row.get(0),
        action: row.get(1),
    }))
}

/// The warning of this number. The guild is locked by [`super::mod_case::lock`].
pub async fn get(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    case_id: i64,
) -> Result<Option<Warning>, StoreError> {
    const GET: Statement = statement!(
        "warning_get",
        [INT8, INT8],
        "SELECT c.case_id, c.user_id, c.moderator_id, c.reason, w.severity, w.points, c.created_at, c.expires_at,
                c.removed_at, c.removed_by, c.removed_reason
         FROM mod_case AS c JOIN warning AS w ON w.guild_id = c.guild_id AND w.case_id = c.case_id
         WHERE c.guild_id = $1 AND c.case_id = $2"
    );
    let rows = tx.query(GET, &[&ids::to_db(guild_id), &case_id]).await?;
    Ok(rows.first().and_then(warning_of))
}

/// Some of a member's warnings, the newest first, and how many there are, removed ones included.
pub async fn page(
    store: &Store,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    skip: i64,
    limit: i64,
) -> Result<(Vec<Warning>, i64), StoreError> {
    const PAGE: Statement = statement!(
        "warning_page",
        [INT8, INT8, INT8, INT8],
        "SELECT c.case_id, c.user_id, c.moderator_id, c.reason, w.severity, w.points, c.created_at, c.expires_at,
                c.removed_at, c.removed_by, c.removed_reason
         FROM mod_case AS c JOIN warning AS w ON w.guild_id = c.guild_id AND w.case_id = c.case_id
         WHERE c.guild_id = $1 AND c.user_id = $2
         ORDER BY c.case_id DESC OFFSET $3 LIMIT $4"
    );
    const COUNT: Statement = statement!(
        "warning_count",
        [INT8, INT8],
        "SELECT count(*) FROM mod_case WHERE guild_id = $1 AND user_id = $2 AND kind = 'warning'"
    );
    let (guild, user) = (ids::to_db(guild_id), ids::to_db(user_id));
    let rows = store.query(PAGE, &[&guild, &user, &skip, &limit]).await?;
    let count = store.query(COUNT, &[&guild, &user]).await?;
    let warnings = rows.iter().filter_map(warning_of).collect();
    Ok((warnings, count.first().map_or(0, |row| row.get(0))))
}

/// Cases of the guild that hold, the newest first: of the last thousand those whose number begins with `digits`.
pub async fn recent(
    store: &Store,
    guild_id: Id<GuildMarker>,
    digits: &str,
    limit: i64,
) -> Result<Vec<Warning>, StoreError> {
    const RECENT: Statement = statement!(
        "warning_recent",
        [INT8, TEXT, INT8],
        "SELECT c.case_id, c.user_id, c.moderator_id, c.reason, w.severity, w.points, c.created_at, c.expires_at,
                c.removed_at, c.removed_by, c.removed_reason
         FROM (SELECT * FROM mod_case WHERE guild_id = $1 AND removed_at IS NULL ORDER BY case_id DESC LIMIT 1000) AS c
         JOIN warning AS w ON w.guild_id = c.guild_id AND w.case_id = c.case_id
         WHERE starts_with(c.case_id::text, $2)
         ORDER BY c.case_id DESC LIMIT $3"
    );
    let guild = ids::to_db(guild_id);
    let rows = store.query(RECENT, &[&guild, &digits, &limit]).await?;
    Ok(rows.iter().filter_map(warning_of).collect())
}

const COUNTING: Statement = statement!(
    "warning_counting",
    [INT8, INT8, TIMESTAMPTZ],
    "SELECT count(*), coalesce(sum(w.points), 0)::int8
     FROM mod_case AS c JOIN warning AS w ON w.guild_id = c.guild_id AND w.case_id = c.case_id
     WHERE c.guild_id = $1 AND c.user_id = $2 AND c.removed_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > $3)"
);

fn counting_of(rows: &[Row]) -> Counting {
    rows.first().map_or_else(Counting::default, |row| Counting {
        warnings: row.get(0),
        points: row.get(1),
    })
}

/// What counts of a member at a time.
pub async fn counting(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    at: SystemTime,
) -> Result<Counting, StoreError> {
    let (guild, user) = (ids::to_db(guild_id), ids::to_db(user_id));
    let rows = tx.query(COUNTING, &[&guild, &user, &at]).await?;
    Ok(counting_of(&rows))
}

/// The same outside of a transaction.
pub async fn counting_now(
    store: &Store,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    at: SystemTime,
) -> Result<Counting, StoreError> {
    let (guild, user) = (ids::to_db(guild_id), ids::to_db(user_id));
    let rows = store.query(COUNTING, &[&guild, &user, &at]).await?;
    Ok(counting_of(&rows))
}

/// The thresholds that a member passes with so many points more than what counts at that time, the lowest first. Asked before the
/// warning with those points is added.
pub async fn crossed(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    at: SystemTime,
    points: i64,
) -> Result<Vec<Crossed>, StoreError> {
    // A day is 24 hours, whatever the session's time zone does.
    const CROSSED: Statement = statement!(
        "warning_threshold_crossed",
        [INT8, INT8, TIMESTAMPTZ, INT8],
        "SELECT t.points, t.action, t.duration_seconds
         FROM warning_threshold AS t CROSS JOIN LATERAL (
             SELECT coalesce(sum(w.points), 0)::int8 AS points
             FROM mod_case AS c JOIN warning AS w ON w.guild_id = c.guild_id AND w.case_id = c.case_id
             WHERE c.guild_id = $1 AND c.user_id = $2 AND c.removed_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > $3)
               AND (t.window_days IS NULL OR c.created_at > $3 - t.window_days * interval '24 hours')
         ) AS before
         WHERE t.guild_id = $1 AND before.points < t.points AND t.points <= before.points + $4
         ORDER BY t.points"
    );
    let (guild, user) = (ids::to_db(guild_id), ids::to_db(user_id));
    let rows = tx.query(CROSSED, &[&guild, &user, &at, &points]).await?;
    let crossed = rows.iter().map(|row| Crossed {
        points: row.get(0),
        action: row.get(1),
        duration_seconds: row.get(2),
    });
    Ok(crossed.collect())
}
