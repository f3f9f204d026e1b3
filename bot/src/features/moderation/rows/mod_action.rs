//! `mod_action`: which interaction changed what in a guild's moderation, once each.

use std::time::SystemTime;

use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// A change to be written down.
#[derive(Clone, Debug)]
pub struct New<'a> {
    /// The guild.
    pub guild_id: Id<GuildMarker>,
    /// What caused it.
    pub interaction_id: Id<InteractionMarker>,
    /// What it is, such as `warn`.
    pub action: &'static str,
    /// The case, if it is about one.
    pub case_id: Option<i64>,
    /// Who asked for it.
    pub moderator_id: Id<UserMarker>,
    /// The time at which it happened.
    pub at: SystemTime,
    /// What was before, as JSON.
    pub before: Option<&'a str>,
    /// What is now, as JSON: enough to give the same answer again.
    pub after: &'a str,
}

/// What an interaction led to, as JSON, if it was carried out already.
pub async fn after(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    interaction_id: Id<InteractionMarker>,
) -> Result<Option<String>, StoreError> {
    const AFTER: Statement = statement!(
        "mod_action_after",
        [INT8, INT8],
        "SELECT after::text FROM mod_action WHERE guild_id = $1 AND interaction_id = $2"
    );
    let params = (ids::to_db(guild_id), ids::to_db(interaction_id));
    let rows = tx.query(AFTER, &[&params.0, &params.1]).await?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// What the warning of a case led to, as JSON.
pub async fn of_warning(
    store: &Store,
    guild_id: Id<GuildMarker>,
    case_id: i64,
) -> Result<Option<String>, StoreError> {
    const OF_WARNING: Statement = statement!(
        "mod_action_of_warning",
        [INT8, INT8],
        "SELECT after::text FROM mod_action WHERE guild_id = $1 AND case_id = $2 AND action = 'warn'"
    );
    let rows = store
        .query(OF_WARNING, &[&ids::to_db(guild_id), &case_id])
        .await?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// Write a change down, in its transaction. A second one of the same interaction is an error, and rolls it back.
pub async fn add(tx: &Tx<'_>, new: &New<'_>) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
        "mod_action_add",
        [INT8, INT8, TEXT, INT8, INT8, TIMESTAMPTZ, TEXT, TEXT],
        "INSERT INTO mod_action (guild_id, interaction_id, action, case_id, moderator_id, acted_at, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb)"
    );
    tx.execute(
        ADD,
        &[
            &ids::to_db(new.guild_id),
            &ids::to_db(new.interaction_id),
            &new.action,
            &new.case_id,
            &ids::to_db(new.moderator_id),
            &new.at,
            &new.before,
            &new.after,
        ],
    )
    .await
    .map(drop)
}
