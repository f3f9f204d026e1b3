//! Requests that can be undone.

use serde::{Deserialize, de::DeserializeOwned};
use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// A request that was carried out.
#[derive(Clone, Debug)]
pub(crate) struct Undoable {
    pub(crate) guild_id: Id<GuildMarker>,
    pub(crate) request_id: Id<InteractionMarker>,
    /// `None` for the operator and the bot.
    pub(crate) actor_id: Option<Id<UserMarker>>,
    pub(crate) action: String,
    /// The number of members whose XP it changed.
    pub(crate) members: u64,
    details: Option<String>,
    before: Option<String>,
    result: Option<String>,
}

impl Undoable {
    /// What was there before; `None` if it was nothing, or has another form.
    pub(crate) fn before<T: DeserializeOwned>(&self) -> Option<T> {
        read(self.before.as_deref())
    }

    /// What was asked for.
    pub(crate) fn details<T: DeserializeOwned>(&self) -> Option<T> {
        read(self.details.as_deref())
    }

    /// The only member that it is about, if there is one.
    pub(crate) fn member_id(&self) -> Option<Id<UserMarker>> {
        #[derive(Deserialize)]
        struct Details {
            user_id: Id<UserMarker>,
        }
        self.details().map(|Details { user_id }| user_id)
    }

    /// The kept result.
    pub(crate) fn result<T: DeserializeOwned>(&self) -> Option<T> {
        read(self.result.as_deref())
    }

    fn of(guild_id: Id<GuildMarker>, row: &Row) -> Option<Self> {
        Some(Self {
            guild_id,
            request_id: ids::from_db(row.get(0))?,
            actor_id: row.get::<_, Option<i64>>(1).and_then(ids::from_db),
            action: row.get(2),
            before: row.get(3),
            result: row.get(4),
            details: row.get(5),
            members: row.get::<_, i64>(6).cast_unsigned(),
        })
    }
}

fn read<T: DeserializeOwned>(text: Option<&str>) -> Option<T> {
    serde_json::from_str(text?).ok()
}

/// The newest requests with one of these actions that hold, and kept what they did or changed members' XP.
pub(crate) async fn list(
    store: &Store,
    guild_id: Id<GuildMarker>,
    actions: &[&str],
    limit: u32,
) -> Result<Vec<Undoable>, StoreError> {
    const LIST: Statement = statement!(
        "undo_list",
        [INT8, TEXT_ARRAY, INT8],
        "SELECT request_id, actor_id, action, before::text, result::text, details::text, members FROM request
         WHERE guild_id = $1 AND action = ANY ($2) AND undone_by IS NULL AND (num_nonnulls(before, result) > 0 OR members > 0)
         ORDER BY request_id DESC LIMIT $3"
    );
    let rows = store
        .query(LIST, &[&ids::to_db(guild_id), &actions, &i64::from(limit)])
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| Undoable::of(guild_id, row))
        .collect())
}

/// A request with this number, whether it holds or not.
pub(crate) async fn find(
    store: &Store,
    guild_id: Id<GuildMarker>,
    request_id: Id<InteractionMarker>,
) -> Result<Option<Undoable>, StoreError> {
    const FIND: Statement = statement!(
        "undo_find",
        [INT8, INT8],
        "SELECT request_id, actor_id, action, before::text, result::text, details::text, members FROM request
         WHERE guild_id = $1 AND request_id = $2"
    );
    let keys = (ids::to_db(guild_id), ids::to_db(request_id));
    let rows = store.query(FIND, &[&keys.0, &keys.1]).await?;
    Ok(rows.first().and_then(|row| Undoable::of(guild_id, row)))
}

/// Lock a request until the transaction ends. `None` if there is none that holds.
pub(crate) async fn lock(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    request_id: Id<InteractionMarker>,
) -> Result<Option<Undoable>, StoreError> {
    const LOCK: Statement = statement!(
        "undo_lock",
        [INT8, INT8],
        "SELECT request_id, actor_id, action, before::text, result::text, details::text, members FROM request
         WHERE guild_id = $1 AND request_id = $2 AND undone_by IS NULL FOR UPDATE"
    );
    let keys = (ids::to_db(guild_id), ids::to_db(request_id));
    let rows = tx.query(LOCK, &[&keys.0, &keys.1]).await?;
    Ok(rows.first().and_then(|row| Undoable::of(guild_id, row)))
}

/// Mark a request, which is locked, as undone by another.
pub(crate) async fn mark(
    tx: &Tx<'_>,
    request: &Undoable,
    by: Id<InteractionMarker>,
) -> Result<(), StoreError> {
    const MARK: Statement = statement!(
        "undo_mark",
        [INT8, INT8, INT8],
        "UPDATE request SET undone_by = $3 WHERE guild_id = $1 AND request_id = $2"
    );
    let keys = (ids::to_db(request.guild_id), ids::to_db(request.request_id));
    tx.execute(MARK, &[&keys.0, &keys.1, &ids::to_db(by)])
        .await
        .map(drop)
}
