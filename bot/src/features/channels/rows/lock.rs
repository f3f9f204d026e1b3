//! `channel_lock`: the channels that the bot has locked, with what it changed in them.

use std::time::SystemTime;

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, InteractionMarker},
};

use crate::{
    features::channels::overwrites::SavedChannel,
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// A channel of a guild.
pub(crate) type Place = (Id<GuildMarker>, Id<ChannelMarker>);

/// A lock.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The interaction that made it.
    pub(crate) lock_id: Id<InteractionMarker>,
    /// When it ends by itself.
    pub(crate) ends_at: Option<SystemTime>,
    /// What was changed, the channel itself first; `None` before anything is.
    pub(crate) saved: Option<Vec<SavedChannel>>,
    /// Whether all of it was changed.
    pub(crate) is_complete: bool,
}

/// Insert a lock. False if the channel has one.
pub(crate) async fn add(
    tx: &Tx<'_>,
    place: Place,
    lock_id: Id<InteractionMarker>,
    ends_at: Option<SystemTime>,
) -> Result<bool, StoreError> {
    const ADD: Statement = statement!(
        "channel_lock_add",
        [INT8, INT8, INT8, TIMESTAMPTZ],
        "INSERT INTO channel_lock (guild_id, channel_id, lock_id, ends_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING"
    );
    let (guild, channel, lock) = key(place, lock_id);
    let added = tx.execute(ADD, &[&guild, &channel, &lock, &ends_at]).await?;
    Ok(added > 0)
}

const GET: Statement = statement!(
    "channel_lock_get",
    [INT8, INT8],
    "SELECT lock_id, ends_at, saved::text, locked_at IS NOT NULL FROM channel_lock WHERE guild_id = $1 AND channel_id = $2"
);

/// The lock of a channel.
pub(crate) async fn get(store: &Store, (guild_id, channel_id): Place) -> Result<Option<Row>, StoreError> {
    let rows = store
        .query(GET, &[&ids::to_db(guild_id), &ids::to_db(channel_id)])
        .await?;
    rows.first().map(row_of).transpose()
}

/// The same in a transaction.
pub(crate) async fn get_in(tx: &Tx<'_>, (guild_id, channel_id): Place) -> Result<Option<Row>, StoreError> {
    let rows = tx
        .query(GET, &[&ids::to_db(guild_id), &ids::to_db(channel_id)])
        .await?;
    rows.first().map(row_of).transpose()
}

fn row_of(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let invalid = || StoreError::Rejected("a lock that cannot be read".to_owned());
    let saved: Option<String> = row.get(2);
    let saved = saved.map(|saved| serde_json::from_str(&saved).map_err(|_error| invalid()));
    Ok(Row {
        lock_id: ids::from_db(row.get(0)).ok_or_else(invalid)?,
        ends_at: row.get(1),
        saved: saved.transpose()?,
        is_complete: row.get(3),
    })
}

/// Store what is about to be changed. What is stored already stays. False if the lock is gone.
pub(crate) async fn save(
    store: &Store,
    place: Place,
    lock_id: Id<InteractionMarker>,
    saved: &[SavedChannel],
) -> Result<bool, StoreError> {
    const SAVE: Statement = statement!(
        "channel_lock_save",
        [INT8, INT8, INT8, TEXT],
        "UPDATE channel_lock SET saved = coalesce(saved, $4::jsonb)
         WHERE guild_id = $1 AND channel_id = $2 AND lock_id = $3 RETURNING 1"
    );
    let saved = serde_json::to_string(saved).expect("numbers are JSON");
    let (guild, channel, lock) = key(place, lock_id);
    let rows = store.query(SAVE, &[&guild, &channel, &lock, &saved]).await?;
    Ok(!rows.is_empty())
}

/// Note that everything is changed. False if it was noted before, or the lock is gone.
pub(crate) async fn complete(
    tx: &Tx<'_>,
    place: Place,
    lock_id: Id<InteractionMarker>,
) -> Result<bool, StoreError> {
    const COMPLETE: Statement = statement!(
        "channel_lock_complete",
        [INT8, INT8, INT8],
        "UPDATE channel_lock SET locked_at = now()
         WHERE guild_id = $1 AND channel_id = $2 AND lock_id = $3 AND locked_at IS NULL"
    );
    let (guild, channel, lock) = key(place, lock_id);
    Ok(tx.execute(COMPLETE, &[&guild, &channel, &lock]).await? > 0)
}

/// Store when a lock ends by itself; `None` for never.
pub(crate) async fn set_end(
    tx: &Tx<'_>,
    (guild_id, channel_id): Place,
    ends_at: Option<SystemTime>,
) -> Result<(), StoreError> {
    const SET_END: Statement = statement!(
        "channel_lock_set_end",
        [INT8, INT8, TIMESTAMPTZ],
        "UPDATE channel_lock SET ends_at = $3 WHERE guild_id = $1 AND channel_id = $2"
    );
    tx.execute(
        SET_END,
        &[&ids::to_db(guild_id), &ids::to_db(channel_id), &ends_at],
    )
    .await
    .map(drop)
}

/// Delete a lock. False if it is gone.
pub(crate) async fn remove(
    tx: &Tx<'_>,
    place: Place,
    lock_id: Id<InteractionMarker>,
) -> Result<bool, StoreError> {
    const REMOVE: Statement = statement!(
        "channel_lock_remove",
        [INT8, INT8, INT8],
        "DELETE FROM channel_lock WHERE guild_id = $1 AND channel_id = $2 AND lock_id = $3"
    );
    let (guild, channel, lock) = key(place, lock_id);
    Ok(tx.execute(REMOVE, &[&guild, &channel, &lock]).await? > 0)
}

/// Delete a lock that has changed nothing. False if it has, or is gone.
pub(crate) async fn remove_unused(
    tx: &Tx<'_>,
    place: Place,
    lock_id: Id<InteractionMarker>,
) -> Result<bool, StoreError> {
    const REMOVE_UNUSED: Statement = statement!(
        "channel_lock_remove_unused",
        [INT8, INT8, INT8],
        "DELETE FROM channel_lock WHERE guild_id = $1 AND channel_id = $2 AND lock_id = $3 AND saved IS NULL"
    );
    let (guild, channel, lock) = key(place, lock_id);
    Ok(tx.execute(REMOVE_UNUSED, &[&guild, &channel, &lock]).await? > 0)
}

fn key((guild_id, channel_id): Place, lock_id: Id<InteractionMarker>) -> (i64, i64, i64) {
    (ids::to_db(guild_id), ids::to_db(channel_id), ids::to_db(lock_id))
}
