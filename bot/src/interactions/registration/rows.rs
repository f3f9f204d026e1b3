//! `command_registration`: the last registration of the commands.

use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    postgres::{Statement, Store, StoreError, statement::statement},
    support::ids,
};

/// The hash of the last registration for a test server, or of the global one; `None` if there is none.
pub async fn hash(store: &Store, guild_id: Option<Id<GuildMarker>>) -> Result<Option<String>, StoreError> {
    const HASH: Statement = statement!(
        "command_registration_hash",
        [INT8],
        "SELECT hash FROM command_registration WHERE guild_id = $1"
    );
    let rows = store.query(HASH, &[&key(guild_id)]).await?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// Record a registration.
pub async fn note(store: &Store, guild_id: Option<Id<GuildMarker>>, hash: &str) -> Result<(), StoreError> {
    const NOTE: Statement = statement!(
        "command_registration_note",
        [INT8, TEXT],
        "INSERT INTO command_registration (guild_id, hash) VALUES ($1, $2)
         ON CONFLICT (guild_id) DO UPDATE SET hash = excluded.hash, registered_at = now()"
    );
    store.query(NOTE, &[&key(guild_id), &hash]).await.map(drop)
}

fn key(guild_id: Option<Id<GuildMarker>>) -> i64 {
    guild_id.map_or(0, ids::to_db)
}
