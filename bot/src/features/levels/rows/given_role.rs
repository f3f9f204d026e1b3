//! `given_role`: roles that the bot gave for levels and has not removed.

use twilight_model::id::{
    Id,
    marker::{GuildMarker, RoleMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids::{self, MemberKey},
};

/// Record that the bot gave a member a role.
pub async fn add(store: &Store, key: MemberKey, role_id: Id<RoleMarker>) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
        "given_role_add",
        [INT8, INT8, INT8],
        "INSERT INTO given_role (guild_id, user_id, role_id) VALUES ($1, $2, $3)
         ON CONFLICT (guild_id, user_id, role_id) DO UPDATE SET application_id = NULL, given_at = now()
         WHERE given_role.application_id IS NOT NULL"
    );
    on(store, ADD, key, role_id).await
}

/// Record that the bot removed it.
pub async fn remove(store: &Store, key: MemberKey, role_id: Id<RoleMarker>) -> Result<(), StoreError> {
    const REMOVE: Statement = statement!(
        "given_role_remove",
        [INT8, INT8, INT8],
        "DELETE FROM given_role WHERE guild_id = $1 AND user_id = $2 AND role_id = $3"
    );
    on(store, REMOVE, key, role_id).await
}

async fn on(
    store: &Store,
    statement: Statement,
    MemberKey { guild_id, user_id }: MemberKey,
    role_id: Id<RoleMarker>,
) -> Result<(), StoreError> {
    let ids = (ids::to_db(guild_id), ids::to_db(user_id), ids::to_db(role_id));
    store.query(statement, &[&ids.0, &ids.1, &ids.2]).await.map(drop)
}

/// The roles that the bot gave a member.
pub async fn of(
    store: &Store,
    MemberKey { guild_id, user_id }: MemberKey,
) -> Result<Vec<Id<RoleMarker>>, StoreError> {
    const OF: Statement = statement!(
        "given_role_of",
        [INT8, INT8],
        "SELECT role_id FROM given_role WHERE guild_id = $1 AND user_id = $2 AND application_id IS NULL"
    );
    let rows = store
        .query(OF, &[&ids::to_db(guild_id), &ids::to_db(user_id)])
        .await?;
    Ok(rows.iter().filter_map(|row| ids::from_db(row.get(0))).collect())
}

/// Members to whom the bot gave a role, ordered by ID, after a given one.
pub async fn members(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    after: Option<Id<UserMarker>>,
    limit: u32,
) -> Result<Vec<Id<UserMarker>>, StoreError> {
    const MEMBERS: Statement = statement!(
        "given_role_members",
        [INT8, INT8, INT8],
        "SELECT DISTINCT user_id FROM given_role
         WHERE guild_id = $1 AND user_id > $2 AND application_id IS NULL ORDER BY user_id LIMIT $3"
    );
    let after = after.map_or(0, ids::to_db);
    let rows = tx
        .query(MEMBERS, &[&ids::to_db(guild_id), &after, &i64::from(limit)])
        .await?;
    Ok(rows.iter().filter_map(|row| ids::from_db(row.get(0))).collect())
}
