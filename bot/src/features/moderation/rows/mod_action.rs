//! `mod_action`: the changes that interactions made to a guild's moderation, one row per interaction.

use std::time::SystemTime;

use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// A change to be recorded.
#[derive(Clone, Debug)]
pub struct New<'a> {
    /// The guild that was changed.
    pub guild_id: Id<GuildMarker>,
    /// The interaction that made the change.
    pub interaction_id: Id<InteractionMarker>,
    /// The kind of change, such as `warn`.
    pub action: &'static str,
    /// The case that was changed, if any.
    pub case_id: Option<i64>,
    /// The member who used the command.
    pub moderator_id: Id<UserMarker>,
    /// When the interaction was created.
    pub at: SystemTime,
    /// The state before, as JSON.
    pub before: Option<&'a str>,
    /// The state after, as JSON: enough to repeat the answer.
    pub after: &'a str,
}

/// The stored result of an interaction, as JSON, if it was processed before.
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

/// The stored result of the warning of a case, as JSON.
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

/// Record a change, in its transaction. A second record of the same interaction is an error, and rolls the transaction back.
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
