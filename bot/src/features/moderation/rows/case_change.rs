//! `mod_case`, written by `/case`: the reason, whether lists hide it, and its deletion. The guild must be [locked](super::mod_case::lock).

use std::time::SystemTime;

use twilight_model::id::{Id, marker::UserMarker};

use super::case::Key;
use crate::{
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids,
};

/// Change the reason of a case; at most 1,000 characters.
pub async fn reason(tx: &Tx<'_>, (guild_id, case_id): Key, reason: &str) -> Result<(), StoreError> {
    const REASON: Statement = statement!(
        "mod_case_reason",
        [INT8, INT8, TEXT],
        "UPDATE mod_case SET reason = $3 WHERE guild_id = $1 AND case_id = $2"
    );
    let guild = ids::to_db(guild_id);
    tx.execute(REASON, &[&guild, &case_id, &reason]).await.map(drop)
}

/// Hide a case from lists, since a time and by a moderator, or show it again.
pub async fn hide(
    tx: &Tx<'_>,
    (guild_id, case_id): Key,
    hidden: Option<(SystemTime, Id<UserMarker>)>,
) -> Result<(), StoreError> {
    const HIDE: Statement = statement!(
        "mod_case_hide",
        [INT8, INT8, TIMESTAMPTZ, INT8],
        "UPDATE mod_case SET hidden_at = $3, hidden_by = $4 WHERE guild_id = $1 AND case_id = $2"
    );
    let (at, by) = hidden.unzip();
    let (guild, by) = (ids::to_db(guild_id), by.map(ids::to_db));
    tx.execute(HIDE, &[&guild, &case_id, &at, &by]).await.map(drop)
}

/// Delete a case with everything that belongs to it.
pub async fn delete(tx: &Tx<'_>, (guild_id, case_id): Key) -> Result<(), StoreError> {
    const DELETE: Statement = statement!(
        "mod_case_delete",
        [INT8, INT8],
        "DELETE FROM mod_case WHERE guild_id = $1 AND case_id = $2"
    );
    let guild = ids::to_db(guild_id);
    tx.execute(DELETE, &[&guild, &case_id]).await.map(drop)
}
