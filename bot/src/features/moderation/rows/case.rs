//! `mod_case`, read: what is known of a case.

use std::time::SystemTime;

use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{AuditLogEntryMarker, ChannelMarker, GuildMarker, MessageMarker, UserMarker},
};

use crate::{
    features::moderation::kind::Kind,
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// A guild and a case in it.
pub type Key = (Id<GuildMarker>, i64);

/// A stored case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its number in the guild.
    pub case_id: i64,
    /// Its kind; `None` for one of a later version.
    pub kind: Option<Kind>,
    /// The member it is about.
    pub user_id: Id<UserMarker>,
    /// The name that the member had.
    pub user_name: Option<String>,
    /// The moderator who created it.
    pub moderator_id: Id<UserMarker>,
    /// The name that the moderator had.
    pub moderator_name: Option<String>,
    /// The moderator who created it on behalf of that one.
    pub acted_by: Option<Id<UserMarker>>,
    /// The reason; empty for none.
    pub reason: String,
    /// When it was created.
    pub created_at: SystemTime,
    /// When a warning stops counting; `None` for never.
    pub expires_at: Option<SystemTime>,
    /// When a punishment ends; `None` for never, or if it has no duration.
    pub ends_at: Option<SystemTime>,
    /// What became of the action on Discord: see the migration.
    pub outcome: Option<String>,
    /// What became of the direct message.
    pub message_outcome: Option<String>,
    /// When the punishment was over.
    pub ended_at: Option<SystemTime>,
    /// How it ended.
    pub end_outcome: Option<String>,
    /// When it was removed, by whom and why.
    pub removed_at: Option<SystemTime>,
    /// The moderator who removed it.
    pub removed_by: Option<Id<UserMarker>>,
    /// The reason for its removal.
    pub removed_reason: Option<String>,
    /// Since when lists do not show it.
    pub hidden_at: Option<SystemTime>,
    /// The moderator who hid it.
    pub hidden_by: Option<Id<UserMarker>>,
    /// The entry of Discord's audit log about the same action.
    pub audit_entry_id: Option<Id<AuditLogEntryMarker>>,
    /// The message in the log channel.
    pub log: Option<(Id<ChannelMarker>, Id<MessageMarker>)>,
    /// How often the case has changed in a way that the message shows.
    pub log_revision: i64,
    /// The language of the message, as one of Discord's locales.
    pub log_locale: Option<String>,
}

impl Case {
    fn of(row: &Row) -> Option<Self> {
        let id = |column: &str| row.get::<_, Option<i64>>(column);
        let channel: Option<Id<ChannelMarker>> = id("log_channel_id").and_then(ids::from_db);
        let message: Option<Id<MessageMarker>> = id("log_message_id").and_then(ids::from_db);
        Some(Self {
            case_id: row.get("case_id"),
            kind: Kind::of(row.get("kind")),
            user_id: ids::from_db(row.get("user_id"))?,
            user_name: row.get("user_name"),
            moderator_id: ids::from_db(row.get("moderator_id"))?,
            moderator_name: row.get("moderator_name"),
            acted_by: id("acted_by").and_then(ids::from_db),
            reason: row.get("reason"),
            created_at: row.get("created_at"),
            expires_at: row.get("expires_at"),
            ends_at: row.get("ends_at"),
            outcome: row.get("outcome"),
            message_outcome: row.get("message_outcome"),
            ended_at: row.get("ended_at"),
            end_outcome: row.get("end_outcome"),
            removed_at: row.get("removed_at"),
            removed_by: id("removed_by").and_then(ids::from_db),
            removed_reason: row.get("removed_reason"),
            hidden_at: row.get("hidden_at"),
            hidden_by: id("hidden_by").and_then(ids::from_db),
            audit_entry_id: id("audit_entry_id").and_then(ids::from_db),
            log: channel.zip(message),
            log_revision: row.get("log_revision"),
            log_locale: row.get("log_locale"),
        })
    }

    /// Whether it is known that its action was not carried out.
    pub fn was_refused(&self) -> bool {
        let outcome = self.outcome.as_deref();
        outcome.is_some_and(|outcome| !matches!(outcome, "done" | "retried"))
    }
}

/// The columns that [`Case`] is read from. Not `*`: a later version may add others while this one runs.
macro_rules! columns {
    () => {
        "case_id, kind, user_id, user_name, moderator_id, moderator_name, reason, created_at, expires_at, ends_at, outcome, message_outcome,
         ended_at, end_outcome, removed_at, removed_by, removed_reason, hidden_at, hidden_by, audit_entry_id, log_channel_id, log_message_id,
         log_revision, log_locale, acted_by"
    };
}

// Shared by reads inside and outside of transactions.
const GET: Statement = statement!(
    "mod_case_get",
    [INT8, INT8],
    "SELECT ",
    columns!(),
    " FROM mod_case WHERE guild_id = $1 AND case_id = $2"
);

const NEWEST: Statement = statement!(
    "mod_case_newest",
    [INT8, INT8, TEXT_ARRAY],
    "SELECT ",
    columns!(),
    " FROM mod_case
     WHERE guild_id = $1 AND user_id = $2 AND kind = ANY ($3) AND removed_at IS NULL
       -- What was refused, or given up for a newer case, was not carried out, and decides nothing.
       AND (outcome IS NULL OR outcome IN ('done', 'gone', 'retried'))
     ORDER BY case_id DESC LIMIT 1"
);

/// The case with this number.
pub async fn get(store: &Store, (guild_id, case_id): Key) -> Result<Option<Case>, StoreError> {
    let rows = store.query(GET, &[&ids::to_db(guild_id), &case_id]).await?;
    Ok(rows.first().and_then(Case::of))
}

/// Like [`get`], within a transaction. It stays current if the guild is [locked](super::mod_case::lock).
pub async fn get_in(tx: &Tx<'_>, (guild_id, case_id): Key) -> Result<Option<Case>, StoreError> {
    let rows = tx.query(GET, &[&ids::to_db(guild_id), &case_id]).await?;
    Ok(rows.first().and_then(Case::of))
}

/// A member's newest case of these kinds that was not removed, and was carried out or is about to be: it decides whether they are banned, or
/// in timeout.
pub async fn newest(
    store: &Store,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    kinds: &[Kind],
) -> Result<Option<Case>, StoreError> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    let (guild, user) = (ids::to_db(guild_id), ids::to_db(user_id));
    let rows = store.query(NEWEST, &[&guild, &user, &kinds]).await?;
    Ok(rows.first().and_then(Case::of))
}

/// Like [`newest`], within a transaction.
pub async fn newest_in(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    kinds: &[Kind],
) -> Result<Option<Case>, StoreError> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    let (guild, user) = (ids::to_db(guild_id), ids::to_db(user_id));
    let rows = tx.query(NEWEST, &[&guild, &user, &kinds]).await?;
    Ok(rows.first().and_then(Case::of))
}

/// The users whom these cases are about.
pub(crate) async fn users(
    store: &Store,
    guild_id: Id<GuildMarker>,
    cases: &[i64],
) -> Result<Vec<(i64, Id<UserMarker>)>, StoreError> {
    const USERS: Statement = statement!(
        "mod_case_users",
        [INT8, INT8_ARRAY],
        "SELECT case_id, user_id FROM mod_case WHERE guild_id = $1 AND case_id = ANY ($2)"
    );
    let rows = store.query(USERS, &[&ids::to_db(guild_id), &cases]).await?;
    let user = |row: &Row| Some((row.get(0), ids::from_db(row.get(1))?));
    Ok(rows.iter().filter_map(user).collect())
}

/// Which cases a list shows; `None` for any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// About this member.
    pub user_id: Option<Id<UserMarker>>,
    /// Created by this moderator.
    pub moderator_id: Option<Id<UserMarker>>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Whether hidden cases are shown, too.
    pub with_hidden: bool,
}

/// A part of a guild's cases, the newest first.
pub async fn list(
    store: &Store,
    guild_id: Id<GuildMarker>,
    filter: Filter,
    skip: i64,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    const LIST: Statement = statement!(
        "mod_case_list",
        [INT8, INT8, INT8, TEXT, BOOL, INT8, INT8],
        "SELECT ",
        columns!(),
        " FROM mod_case
         WHERE guild_id = $1 AND ($2::int8 IS NULL OR user_id = $2) AND ($3::int8 IS NULL OR moderator_id = $3)
           AND ($4::text IS NULL OR kind = $4) AND ($5 OR hidden_at IS NULL)
         ORDER BY case_id DESC OFFSET $6 LIMIT $7"
    );
    let rows = store
        .query(
            LIST,
            &[
                &ids::to_db(guild_id),
                &filter.user_id.map(ids::to_db),
                &filter.moderator_id.map(ids::to_db),
                &filter.kind.map(Kind::word),
                &filter.with_hidden,
                &skip,
                &limit,
            ],
        )
        .await?;
    Ok(rows.iter().filter_map(Case::of).collect())
}

/// A part of a guild's cases with this text in their reasons and below this number, the newest first.
pub(crate) async fn search(
    store: &Store,
    guild_id: Id<GuildMarker>,
    filter: Filter,
    (text, before): (Option<&str>, Option<i64>),
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    const SEARCH: Statement = statement!(
        "mod_case_search",
        [INT8, INT8, INT8, TEXT, BOOL, TEXT, INT8, INT8],
        "SELECT ",
        columns!(),
        " FROM mod_case
         WHERE guild_id = $1 AND ($2::int8 IS NULL OR user_id = $2) AND ($3::int8 IS NULL OR moderator_id = $3)
           AND ($4::text IS NULL OR kind = $4) AND ($5 OR hidden_at IS NULL)
           AND ($6::text IS NULL OR strpos(lower(reason), lower($6)) > 0) AND ($7::int8 IS NULL OR case_id < $7)
         ORDER BY case_id DESC LIMIT $8"
    );
    let rows = store
        .query(
            SEARCH,
            &[
                &ids::to_db(guild_id),
                &filter.user_id.map(ids::to_db),
                &filter.moderator_id.map(ids::to_db),
                &filter.kind.map(Kind::word),
                &filter.with_hidden,
                &text,
                &before,
                &limit,
            ],
        )
        .await?;
    Ok(rows.iter().filter_map(Case::of).collect())
}

/// A number of cases of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OfKind {
    /// `None` for a kind of a later version.
    pub(crate) kind: Option<Kind>,
    pub(crate) cases: u64,
}

/// How many cases of each kind a member has, apart from hidden and removed ones.
pub(crate) async fn kinds_of(
    store: &Store,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
) -> Result<Vec<OfKind>, StoreError> {
    const KINDS: Statement = statement!(
        "mod_case_kinds_of",
        [INT8, INT8],
        "SELECT kind, count(*) FROM mod_case
         WHERE guild_id = $1 AND user_id = $2 AND hidden_at IS NULL AND removed_at IS NULL GROUP BY kind ORDER BY 2 DESC, 1"
    );
    let rows = store
        .query(KINDS, &[&ids::to_db(guild_id), &ids::to_db(user_id)])
        .await?;
    Ok(rows.iter().map(|row| OfKind::of(row, 0, 1)).collect())
}

/// The cases of a moderator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OfModerator {
    pub(crate) moderator_id: Id<UserMarker>,
    /// The name that the moderator had.
    pub(crate) name: Option<String>,
    pub(crate) cases: u64,
    pub(crate) kinds: Vec<OfKind>,
}

/// The moderators with the most cases since this time.
pub(crate) async fn moderators(
    store: &Store,
    guild_id: Id<GuildMarker>,
    since: SystemTime,
    limit: i64,
) -> Result<Vec<OfModerator>, StoreError> {
    const MODERATORS: Statement = statement!(
        "mod_case_moderators",
        [INT8, TIMESTAMPTZ, INT8],
        "WITH counted AS (
             SELECT moderator_id, kind, count(*) AS cases, (array_agg(moderator_name ORDER BY case_id DESC))[1] AS name,
                    max(case_id) AS newest
             FROM mod_case WHERE guild_id = $1 AND created_at >= $2 GROUP BY 1, 2
         ), chosen AS (
             SELECT moderator_id, sum(cases) AS total, (array_agg(name ORDER BY newest DESC))[1] AS name
             FROM counted GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $3
         )
         SELECT m.moderator_id, m.name, c.kind, c.cases FROM chosen AS m JOIN counted AS c USING (moderator_id)
         ORDER BY m.total DESC, m.moderator_id, c.cases DESC, c.kind"
    );
    let rows = store
        .query(MODERATORS, &[&ids::to_db(guild_id), &since, &limit])
        .await?;
    let mut moderators: Vec<OfModerator> = Vec::new();
    for row in &rows {
        let Some(moderator_id) = ids::from_db(row.get(0)) else {
            continue;
        };
        if moderators.last().map(|last| last.moderator_id) != Some(moderator_id) {
            moderators.push(OfModerator {
                moderator_id,
                name: row.get(1),
                cases: 0,
                kinds: Vec::new(),
            });
        }
        if let Some(last) = moderators.last_mut() {
            let of_kind = OfKind::of(row, 2, 3);
            last.cases += of_kind.cases;
            last.kinds.push(of_kind);
        }
    }
    Ok(moderators)
}

impl OfKind {
    fn of(row: &Row, kind: usize, cases: usize) -> Self {
        Self {
            kind: Kind::of(row.get(kind)),
            cases: row.get::<_, i64>(cases).cast_unsigned(),
        }
    }
}
