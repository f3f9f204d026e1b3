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
    " FROM mod_case WHERE guild_id = $1 AND user_id = $2 AND kind = ANY ($3) AND removed_at IS NULL ORDER BY case_id DESC LIMIT 1"
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

/// A member's newest case of these kinds that was not removed: it decides whether they are banned, or in timeout.
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
