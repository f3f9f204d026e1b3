//! `channel_slowmode`: slow modes that end, with those that they replaced.

use twilight_model::id::{Id, marker::InteractionMarker};

use super::lock::Place;
use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// A slow mode that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The interaction that set it.
    pub(crate) request_id: Id<InteractionMarker>,
    /// The seconds that the bot set.
    pub(crate) seconds: i32,
    /// The seconds to be restored.
    pub(crate) previous: i32,
}

/// The slow mode of a channel that ends.
pub(crate) async fn get(store: &Store, (guild_id, channel_id): Place) -> Result<Option<Row>, StoreError> {
    const GET: Statement = statement!(
        "channel_slowmode_get",
        [INT8, INT8],
        "SELECT request_id, seconds, previous FROM channel_slowmode WHERE guild_id = $1 AND channel_id = $2"
    );
    let rows = store
        .query(GET, &[&ids::to_db(guild_id), &ids::to_db(channel_id)])
        .await?;
    Ok(rows.first().and_then(|row| {
        Some(Row {
            request_id: ids::from_db(row.get(0))?,
            seconds: row.get(1),
            previous: row.get(2),
        })
    }))
}

/// Store a slow mode that ends, in place of the channel's earlier one.
pub(crate) async fn put(store: &Store, (guild_id, channel_id): Place, row: Row) -> Result<(), StoreError> {
    const PUT: Statement = statement!(
        "channel_slowmode_put",
        [INT8, INT8, INT8, INT4, INT4],
        "INSERT INTO channel_slowmode (guild_id, channel_id, request_id, seconds, previous) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (guild_id, channel_id)
         DO UPDATE SET request_id = excluded.request_id, seconds = excluded.seconds, previous = excluded.previous"
    );
    let (guild, channel) = (ids::to_db(guild_id), ids::to_db(channel_id));
    let request = ids::to_db(row.request_id);
    store
        .query(PUT, &[&guild, &channel, &request, &row.seconds, &row.previous])
        .await
        .map(drop)
}

/// Forget what was to be restored: the slow mode that the channel has now stays.
pub(crate) async fn keep(tx: &Tx<'_>, (guild_id, channel_id): Place) -> Result<(), StoreError> {
    const KEEP: Statement = statement!(
        "channel_slowmode_keep",
        [INT8, INT8],
        "DELETE FROM channel_slowmode WHERE guild_id = $1 AND channel_id = $2"
    );
    tx.execute(KEEP, &[&ids::to_db(guild_id), &ids::to_db(channel_id)])
        .await
        .map(drop)
}

/// Delete it. One of a later interaction stays.
pub(crate) async fn remove(
    store: &Store,
    (guild_id, channel_id): Place,
    up_to: Id<InteractionMarker>,
) -> Result<(), StoreError> {
    const REMOVE: Statement = statement!(
        "channel_slowmode_remove",
        [INT8, INT8, INT8],
        "DELETE FROM channel_slowmode WHERE guild_id = $1 AND channel_id = $2 AND request_id <= $3"
    );
    let (guild, channel) = (ids::to_db(guild_id), ids::to_db(channel_id));
    store
        .query(REMOVE, &[&guild, &channel, &ids::to_db(up_to)])
        .await
        .map(drop)
}
