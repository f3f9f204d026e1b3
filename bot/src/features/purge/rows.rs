//! `purge`: deletions that wait for their confirmation, or are under way.

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, InteractionMarker, MessageMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// A deletion of a guild.
pub(crate) type Key = (Id<GuildMarker>, Id<InteractionMarker>);

/// A deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The messages, the newest first.
    pub(crate) messages: Vec<Id<MessageMarker>>,
    /// How many of them were dealt with.
    pub(crate) done: usize,
    /// How many of those were too old by then.
    pub(crate) too_old: usize,
    /// Why it ended early.
    pub(crate) failure: Option<String>,
    /// Why, as the moderator wrote it.
    pub(crate) reason: Option<String>,
}

impl Row {
    /// The number of deleted messages.
    pub(crate) const fn deleted(&self) -> usize {
        self.done.saturating_sub(self.too_old)
    }
}

/// Insert a deletion.
pub(crate) async fn add(
    tx: &Tx<'_>,
    key: Key,
    channel_id: Id<ChannelMarker>,
    messages: &[Id<MessageMarker>],
    (reason, is_begun): (Option<&str>, bool),
) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
        "purge_add",
        [INT8, INT8, INT8, INT8_ARRAY, BOOL, TEXT],
        "INSERT INTO purge (guild_id, purge_id, channel_id, message_ids, is_begun, reason) VALUES ($1, $2, $3, $4, $5, $6)"
    );
    let messages: Vec<i64> = messages.iter().copied().map(ids::to_db).collect();
    let (guild, purge, channel) = (ids::to_db(key.0), ids::to_db(key.1), ids::to_db(channel_id));
    tx.execute(ADD, &[&guild, &purge, &channel, &messages, &is_begun, &reason])
        .await
        .map(drop)
}

/// Begin a deletion that waits for its confirmation. Returns its channel; `None` if it was begun before, or is forgotten.
pub(crate) async fn confirm(tx: &Tx<'_>, key: Key) -> Result<Option<Id<ChannelMarker>>, StoreError> {
    const CONFIRM: Statement = statement!(
        "purge_confirm",
        [INT8, INT8],
        "UPDATE purge SET is_begun = true WHERE guild_id = $1 AND purge_id = $2 AND NOT is_begun RETURNING channel_id"
    );
    let rows = tx
        .query(CONFIRM, &[&ids::to_db(key.0), &ids::to_db(key.1)])
        .await?;
    Ok(rows.first().and_then(|row| ids::from_db(row.get(0))))
}

/// A deletion.
pub(crate) async fn get(store: &Store, key: Key) -> Result<Option<Row>, StoreError> {
    const GET: Statement = statement!(
        "purge_get",
        [INT8, INT8],
        "SELECT message_ids, done, too_old, failure, reason FROM purge WHERE guild_id = $1 AND purge_id = $2"
    );
    let rows = store
        .query(GET, &[&ids::to_db(key.0), &ids::to_db(key.1)])
        .await?;
    let number = |number: i32| usize::try_from(number).unwrap_or(0);
    Ok(rows.first().map(|row| Row {
        messages: row
            .get::<_, Vec<i64>>(0)
            .into_iter()
            .filter_map(ids::from_db)
            .collect(),
        done: number(row.get(1)),
        too_old: number(row.get(2)),
        failure: row.get(3),
        reason: row.get(4),
    }))
}

/// Note that the messages from `from` to `to` were dealt with. False if they were before.
pub(crate) async fn advance(
    tx: &Tx<'_>,
    key: Key,
    (from, to): (usize, usize),
    too_old: usize,
) -> Result<bool, StoreError> {
    const ADVANCE: Statement = statement!(
        "purge_advance",
        [INT8, INT8, INT4, INT4, INT4],
        "UPDATE purge SET done = $4, too_old = too_old + $5 WHERE guild_id = $1 AND purge_id = $2 AND done = $3"
    );
    let number = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let (guild, purge) = (ids::to_db(key.0), ids::to_db(key.1));
    let params = (number(from), number(to), number(too_old));
    let advanced = tx
        .execute(ADVANCE, &[&guild, &purge, &params.0, &params.1, &params.2])
        .await?;
    Ok(advanced > 0)
}

/// Note why a deletion ended early.
pub(crate) async fn fail(tx: &Tx<'_>, key: Key, failure: &str) -> Result<(), StoreError> {
    const FAIL: Statement = statement!(
        "purge_fail",
        [INT8, INT8, TEXT],
        "UPDATE purge SET failure = $3 WHERE guild_id = $1 AND purge_id = $2"
    );
    tx.execute(FAIL, &[&ids::to_db(key.0), &ids::to_db(key.1), &failure])
        .await
        .map(drop)
}

/// Delete a deletion.
pub(crate) async fn remove(tx: &Tx<'_>, guild_id: Id<GuildMarker>, purge_id: i64) -> Result<(), StoreError> {
    const REMOVE: Statement = statement!(
        "purge_remove",
        [INT8, INT8],
        "DELETE FROM purge WHERE guild_id = $1 AND purge_id = $2"
    );
    tx.execute(REMOVE, &[&ids::to_db(guild_id), &purge_id])
        .await
        .map(drop)
}
