//! Requests that were carried out, for the staff of a server.

use std::time::SystemTime;

use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, statement::statement},
    support::ids,
};

/// A request that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) request_id: Id<InteractionMarker>,
    /// How it came: a word of the table.
    pub(crate) actor_kind: String,
    /// Who asked; `None` for the operator and the bot.
    pub(crate) actor_id: Option<Id<UserMarker>>,
    pub(crate) action: String,
    pub(crate) subject_id: Option<i64>,
    /// What was asked for, and what was there before, as JSON.
    pub(crate) details: String,
    pub(crate) before: Option<String>,
    pub(crate) is_undone: bool,
    pub(crate) created_at: SystemTime,
}

/// Which requests to list; `None` for any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    /// With this action.
    pub(crate) action: Option<&'a str>,
    /// Of this member.
    pub(crate) actor_id: Option<Id<UserMarker>>,
    /// Below this number.
    pub(crate) before: Option<Id<InteractionMarker>>,
}

/// The columns that [`Entry`] is read from.
macro_rules! entry_columns {
    () => {
        "request_id, actor_kind, actor_id, action, subject_id, details::text, before::text, undone_by IS NOT NULL, created_at"
    };
}

impl Entry {
    fn of(row: &Row) -> Option<Self> {
        Some(Self {
            request_id: ids::from_db(row.get(0))?,
            actor_kind: row.get(1),
            actor_id: row.get::<_, Option<i64>>(2).and_then(ids::from_db),
            action: row.get(3),
            subject_id: row.get(4),
            details: row.get(5),
            before: row.get(6),
            is_undone: row.get(7),
            created_at: row.get(8),
        })
    }
}

/// A part of a guild's requests, the newest first.
pub(crate) async fn list(
    store: &Store,
    guild_id: Id<GuildMarker>,
    wanted: Wanted<'_>,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    const LIST: Statement = statement!(
        "request_list",
        [INT8, TEXT, INT8, INT8, INT8],
        "SELECT ",
        entry_columns!(),
        " FROM request WHERE guild_id = $1 AND ($2::text IS NULL OR action = $2) AND ($3::int8 IS NULL OR actor_id = $3)
           AND ($4::int8 IS NULL OR request_id < $4)
         ORDER BY request_id DESC LIMIT $5"
    );
    let rows = store
        .query(
            LIST,
            &[
                &ids::to_db(guild_id),
                &wanted.action,
                &wanted.actor_id.map(ids::to_db),
                &wanted.before.map(ids::to_db),
                &limit,
            ],
        )
        .await?;
    Ok(rows.iter().filter_map(Entry::of).collect())
}

/// The newest requests that made or changed what has this number.
pub(crate) async fn about(
    store: &Store,
    guild_id: Id<GuildMarker>,
    subject_id: i64,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    const ABOUT: Statement = statement!(
        "request_about",
        [INT8, INT8, INT8],
        "SELECT ",
        entry_columns!(),
        " FROM request WHERE guild_id = $1 AND subject_id = $2 ORDER BY request_id DESC LIMIT $3"
    );
    let rows = store
        .query(ABOUT, &[&ids::to_db(guild_id), &subject_id, &limit])
        .await?;
    Ok(rows.iter().filter_map(Entry::of).collect())
}
