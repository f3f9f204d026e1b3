//! `temp_role`: roles that were given for some time.

use std::{collections::HashMap, time::SystemTime};

use futures_util::future::BoxFuture;
use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, RoleMarker},
};

use crate::{
    interactions::scheduled::Subject,
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids::{self, MemberKey},
};

/// The interaction that gave a role, and when it is taken.
pub(crate) type Given = (Id<InteractionMarker>, SystemTime);

/// Insert a role that ends. The one before must have been [taken out](take).
pub(crate) async fn add(
    tx: &Tx<'_>,
    key: MemberKey,
    role_id: Id<RoleMarker>,
    request_id: Id<InteractionMarker>,
    ends_at: SystemTime,
) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
        "temp_role_add",
        [INT8, INT8, INT8, INT8, TIMESTAMPTZ],
        "INSERT INTO temp_role AS t (guild_id, user_id, role_id, request_id, ends_at) VALUES ($1, $2, $3, $4, $5)"
    );
    let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
    let (role, request) = (ids::to_db(role_id), ids::to_db(request_id));
    tx.execute(ADD, &[&guild, &user, &role, &request, &ends_at])
        .await
        .map(drop)
}

/// Delete the role of a member, if it ends. Returns the interaction that gave it, and when it was to be taken.
pub(crate) async fn take(
    tx: &Tx<'_>,
    key: MemberKey,
    role_id: Id<RoleMarker>,
) -> Result<Option<Given>, StoreError> {
    const TAKE: Statement = statement!(
        "temp_role_take",
        [INT8, INT8, INT8],
        "DELETE FROM temp_role WHERE guild_id = $1 AND user_id = $2 AND role_id = $3 RETURNING request_id, ends_at"
    );
    let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
    let rows = tx.query(TAKE, &[&guild, &user, &ids::to_db(role_id)]).await?;
    Ok(rows.first().and_then(given))
}

/// Wait for changes of a member's roles that are given up at this moment, and let none be given up until the transaction ends.
pub(crate) async fn hold_changes(tx: &Tx<'_>, key: MemberKey) -> Result<(), StoreError> {
    const HOLD: Statement = statement!(
        "temp_role_hold_changes",
        [INT8, INT8],
        "SELECT FROM outbox WHERE guild_id = $1 AND user_id = $2 AND kind = 'role_change' AND failed_at IS NULL
         ORDER BY effect_id FOR UPDATE"
    );
    let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
    tx.query(HOLD, &[&guild, &user]).await.map(drop)
}

/// Insert the end of a role again that was replaced only by changes that were given up. `None` if there is none.
pub(crate) async fn restore(
    tx: &Tx<'_>,
    key: MemberKey,
    role_id: Id<RoleMarker>,
) -> Result<Option<Given>, StoreError> {
    // An end is restored once: the effect that has kept it forgets it.
    const RESTORE: Statement = statement!(
        "temp_role_restore",
        [INT8, INT8, INT8],
        "WITH failed AS (
             SELECT effect_id, body->>'request_id' AS request, body->'replaced'->>'request_id' AS replaced,
                    (body->'replaced'->>'ends_at_ms')::int8 AS ends_at_ms
             FROM outbox
             WHERE guild_id = $1 AND user_id = $2 AND kind = 'role_change' AND failed_at IS NOT NULL
               AND body->>'role_id' = $3::int8::text
         ), kept AS (
             SELECT effect_id, replaced::int8 AS request_id, ends_at_ms FROM failed AS f
             WHERE replaced IS NOT NULL AND NOT EXISTS (SELECT FROM failed AS other WHERE other.request = f.replaced)
               AND NOT EXISTS (
                   SELECT FROM request AS r
                   WHERE r.guild_id = $1 AND r.request_id > f.replaced::int8 AND r.action IN ('role_add', 'role_remove')
                     AND r.details->>'user_id' = $2::int8::text AND r.details->>'role_id' = $3::int8::text
                     AND NOT EXISTS (SELECT FROM failed AS other WHERE other.request = r.request_id::text)
               )
             ORDER BY effect_id DESC LIMIT 1
         ), forgotten AS (
             UPDATE outbox AS o SET body = o.body - 'replaced' FROM kept WHERE o.guild_id = $1 AND o.effect_id = kept.effect_id
         )
         INSERT INTO temp_role (guild_id, user_id, role_id, request_id, ends_at)
         SELECT $1, $2, $3, request_id, to_timestamp(ends_at_ms / 1000.0::float8) FROM kept
         ON CONFLICT DO NOTHING RETURNING request_id, ends_at"
    );
    let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
    let rows = tx.query(RESTORE, &[&guild, &user, &ids::to_db(role_id)]).await?;
    Ok(rows.first().and_then(given))
}

fn given(row: &Row) -> Option<Given> {
    Some((ids::from_db(row.get(0))?, row.get(1)))
}

/// The role that an interaction gave. `None` if it was replaced or taken.
pub(crate) async fn given_by(
    store: &Store,
    guild_id: Id<GuildMarker>,
    request_id: i64,
) -> Result<Option<Id<RoleMarker>>, StoreError> {
    const GIVEN_BY: Statement = statement!(
        "temp_role_given_by",
        [INT8, INT8],
        "SELECT role_id FROM temp_role WHERE guild_id = $1 AND request_id = $2"
    );
    let rows = store
        .query(GIVEN_BY, &[&ids::to_db(guild_id), &request_id])
        .await?;
    Ok(rows.first().and_then(|row| ids::from_db(row.get(0))))
}

/// The members and roles of these interactions.
pub(crate) fn subjects(
    store: &Store,
    guild_id: Id<GuildMarker>,
    requests: Vec<i64>,
) -> BoxFuture<'_, Result<HashMap<i64, Subject>, StoreError>> {
    const SUBJECTS: Statement = statement!(
        "temp_role_subjects",
        [INT8, INT8_ARRAY],
        "SELECT request_id, user_id, role_id FROM temp_role WHERE guild_id = $1 AND request_id = ANY($2)"
    );
    Box::pin(async move {
        let rows = store.query(SUBJECTS, &[&ids::to_db(guild_id), &requests]).await?;
        let subject = |row: &Row| Subject {
            user_id: ids::from_db(row.get(1)),
            role_id: ids::from_db(row.get(2)),
        };
        Ok(rows.iter().map(|row| (row.get(0), subject(row))).collect())
    })
}

/// Store when the role is taken that an interaction gave.
pub(crate) async fn set_end(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    request_id: i64,
    ends_at: SystemTime,
) -> Result<(), StoreError> {
    const SET_END: Statement = statement!(
        "temp_role_set_end",
        [INT8, INT8, TIMESTAMPTZ],
        "UPDATE temp_role SET ends_at = $3 WHERE guild_id = $1 AND request_id = $2"
    );
    tx.execute(SET_END, &[&ids::to_db(guild_id), &request_id, &ends_at])
        .await
        .map(drop)
}

/// Delete the role that an interaction gave. `None` if it was replaced or taken.
pub(crate) async fn take_given_by(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    request_id: i64,
) -> Result<Option<(MemberKey, Id<RoleMarker>)>, StoreError> {
    const TAKE: Statement = statement!(
        "temp_role_take_given_by",
        [INT8, INT8],
        "DELETE FROM temp_role WHERE guild_id = $1 AND request_id = $2 RETURNING user_id, role_id"
    );
    let rows = tx.query(TAKE, &[&ids::to_db(guild_id), &request_id]).await?;
    Ok(rows.first().and_then(|row| {
        let user_id = ids::from_db(row.get(0))?;
        Some((MemberKey { guild_id, user_id }, ids::from_db(row.get(1))?))
    }))
}
