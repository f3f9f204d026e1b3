//! `api_token`: tokens that were made. What a request's token can read is looked up in `web/api.rs`.

use std::time::SystemTime;

use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// The most tokens of a server.
pub(super) const MOST: i64 = 20;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) parts: Vec<String>,
    pub(super) created_by: Option<Id<UserMarker>>,
    pub(super) created_at: SystemTime,
}

/// A token to be added.
#[derive(Clone, Debug)]
pub(super) struct New {
    pub(super) guild_id: Id<GuildMarker>,
    pub(super) token_id: i64,
    pub(super) digest: Vec<u8>,
    pub(super) name: String,
    pub(super) parts: Vec<&'static str>,
    pub(super) created_by: Id<UserMarker>,
    pub(super) created_at: SystemTime,
}

/// Add a token. False if the server has the most tokens already.
pub(super) async fn add(tx: &Tx<'_>, new: &New) -> Result<bool, StoreError> {
    const ADD: Statement = statement!(
        "api_token_add",
        [INT8, INT8, BYTEA, TEXT, TEXT_ARRAY, INT8, TIMESTAMPTZ, INT8],
        "INSERT INTO api_token (guild_id, token_id, digest, name, parts, created_by, created_at)
         SELECT $1, $2, $3, $4, $5, $6, $7 WHERE (SELECT count(*) FROM api_token WHERE guild_id = $1) < $8"
    );
    let added = tx
        .execute(
            ADD,
            &[
                &ids::to_db(new.guild_id),
                &new.token_id,
                &new.digest,
                &new.name,
                &new.parts,
                &ids::to_db(new.created_by),
                &new.created_at,
                &MOST,
            ],
        )
        .await?;
    Ok(added > 0)
}

/// Delete a token, which then opens nothing.
pub(super) async fn revoke(tx: &Tx<'_>, guild_id: Id<GuildMarker>, token_id: i64) -> Result<(), StoreError> {
    const REVOKE: Statement = statement!(
        "api_token_revoke",
        [INT8, INT8],
        "DELETE FROM api_token WHERE guild_id = $1 AND token_id = $2"
    );
    tx.execute(REVOKE, &[&ids::to_db(guild_id), &token_id])
        .await
        .map(drop)
}

/// The tokens of a server, the newest first.
pub(super) async fn list(store: &Store, guild_id: Id<GuildMarker>) -> Result<Vec<Token>, StoreError> {
    const LIST: Statement = statement!(
        "api_token_list",
        [INT8],
        "SELECT token_id, name, parts, created_by, created_at FROM api_token WHERE guild_id = $1 ORDER BY token_id DESC"
    );
    let rows = store.query(LIST, &[&ids::to_db(guild_id)]).await?;
    Ok(rows
        .iter()
        .map(|row| Token {
            number: row.get(0),
            name: row.get(1),
            parts: row.get(2),
            created_by: ids::from_db(row.get(3)),
            created_at: row.get(4),
        })
        .collect())
}
