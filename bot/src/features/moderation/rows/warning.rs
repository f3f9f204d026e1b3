//! `warning` joined with its case: the member, reason, points and expiry of each warning.

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

/// A stored warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Its number in the guild.
    pub case_id: i64,
    /// The warned member.
    pub user_id: Id<UserMarker>,
    /// The moderator.
    pub moderator_id: Id<UserMarker>,
    /// The reason, as the moderator wrote it.
    pub reason: String,
    /// `low`, `medium` or `high`.
    pub severity: String,
    /// Points, 0 to 100.
    pub points: i64,
    /// When it was created.
    pub created_at: SystemTime,
    /// When it stops counting; `None` for never.
    pub expires_at: Option<SystemTime>,
    /// When it was removed.
    pub removed_at: Option<SystemTime>,
    /// The moderator who removed it.
    pub removed_by: Option<Id<UserMarker>>,
    /// The reason for its removal.
    pub removed_reason: Option<String>,
}

/// The warnings of a member that count at a given time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counting {
    /// Warnings that are neither removed nor expired.
    pub warnings: i64,
    /// The sum of their points.
    pub points: i64,
}

/// A threshold reached by a member's points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// The points of the threshold.
    pub points: i64,
    /// `timeout`, `kick` or `ban`.
    pub action: String,
    /// The duration of a timeout; `None` for other actions.
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

/// Insert the warning that belongs to a case.
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

/// Change the points of a warning.
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

/// The outcomes of a warning's effects; `None` while unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// `delivered`, or `closed` if the member accepts no direct messages.
    pub message: Option<String>,
    /// `done`, `gone` if the member had left, or the key of the text that names the obstacle.
    pub action: Option<String>,
}

/// Record the outcome of the direct message.
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

/// Record the outcome of the punishment.
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

/// Like [`note_action`], within a transaction.
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

/// The outcomes of a warning's effects.
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

const GET: Statement = statement!(
    "warning_get",
    [INT8, INT8],
    "SELECT c.case_id, c.user_id, c.moderator_id, c.reason, w.severity, w.points, c.created_at, c.expires_at,
            c.removed_at, c.removed_by, c.removed_reason
     FROM mod_case AS c JOIN warning AS w ON w.guild_id = c.guild_id AND w.case_id = c.case_id
     WHERE c.guild_id = $1 AND c.case_id = $2"
);

/// The warning with this number. The guild must be locked with [`super::mod_case::lock`].
pub async fn get(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    case_id: i64,
) -> Result<Option<Warning>, StoreError> {
    let rows = tx.query(GET, &[&ids::to_db(guild_id), &case_id]).await?;
    Ok(rows.first().and_then(warning_of))
}

/// The same outside of a transaction.
pub async fn read(
    store: &Store,
    guild_id: Id<GuildMarker>,
    case_id: i64,
) -> Result<Option<Warning>, StoreError> {
    let rows = store.query(GET, &[&ids::to_db(guild_id), &case_id]).await?;
    Ok(rows.first().and_then(warning_of))
}

/// One page of a member's warnings, the newest first, and their total number, including removed ones.
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

/// The newest cases of the guild that are not removed: of the last thousand, those whose number begins with `digits`.
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

/// The warnings of a member that count at a given time.
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

/// Like [`counting`], outside of a transaction.
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

/// The warnings of a member that counted before an interaction of that time, and so without the one that it may have given already.
pub async fn counting_before(
    store: &Store,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    at: SystemTime,
) -> Result<Counting, StoreError> {
    const COUNTING_BEFORE: Statement = statement!(
        "warning_counting_before",
        [INT8, INT8, TIMESTAMPTZ],
        "SELECT count(*), coalesce(sum(w.points), 0)::int8
         FROM mod_case AS c JOIN warning AS w ON w.guild_id = c.guild_id AND w.case_id = c.case_id
         WHERE c.guild_id = $1 AND c.user_id = $2 AND c.removed_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > $3)
           AND c.created_at < $3"
    );
    let (guild, user) = (ids::to_db(guild_id), ids::to_db(user_id));
    let rows = store.query(COUNTING_BEFORE, &[&guild, &user, &at]).await?;
    Ok(counting_of(&rows))
}

/// The thresholds reached if these points are added to what counts at that time, in ascending order. Call it before the warning with those
/// points is inserted.
pub async fn crossed(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    at: SystemTime,
    points: i64,
) -> Result<Vec<Crossed>, StoreError> {
    // A day is always 24 hours here, whatever the session's time zone does.
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
