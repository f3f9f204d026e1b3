//! `mod_case`, written by `/case`: the reason, the end, whether lists hide it, and its deletion, also from `request`. The guild must be
//! [locked](super::mod_case::lock).

use std::time::SystemTime;

use twilight_model::id::{Id, marker::UserMarker};

use super::case::Key;
use crate::{
    features::moderation::kind::Kind,
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

/// Give a case to another moderator, with the name that they have. The one who made it stays known.
pub async fn moderator(
    tx: &Tx<'_>,
    (guild_id, case_id): Key,
    (moderator_id, name): (Id<UserMarker>, Option<&str>),
) -> Result<(), StoreError> {
    const MODERATOR: Statement = statement!(
        "mod_case_moderator",
        [INT8, INT8, INT8, TEXT],
        "UPDATE mod_case SET acted_by = nullif(coalesce(acted_by, moderator_id), $3), moderator_id = $3, moderator_name = $4
         WHERE guild_id = $1 AND case_id = $2"
    );
    let (guild, moderator) = (ids::to_db(guild_id), ids::to_db(moderator_id));
    tx.execute(MODERATOR, &[&guild, &case_id, &moderator, &name])
        .await
        .map(drop)
}

/// Change when a punishment ends that has not ended, and with it the kind of a ban. An obstacle to its earlier end is forgotten.
pub async fn end(
    tx: &Tx<'_>,
    (guild_id, case_id): Key,
    kind: Kind,
    ends_at: Option<SystemTime>,
) -> Result<(), StoreError> {
    const END: Statement = statement!(
        "mod_case_change_end",
        [INT8, INT8, TEXT, TIMESTAMPTZ],
        "UPDATE mod_case SET kind = $3, ends_at = $4, end_outcome = NULL
         WHERE guild_id = $1 AND case_id = $2 AND ended_at IS NULL"
    );
    let guild = ids::to_db(guild_id);
    tx.execute(END, &[&guild, &case_id, &kind.word(), &ends_at])
        .await
        .map(drop)
}

/// Undo a change of the end that Discord has refused, unless it was changed again. False in that case.
pub async fn end_as_before(
    tx: &Tx<'_>,
    (guild_id, case_id): Key,
    (refused, before): (Option<SystemTime>, Option<SystemTime>),
) -> Result<bool, StoreError> {
    const BEFORE: Statement = statement!(
        "mod_case_end_as_before",
        [INT8, INT8, TIMESTAMPTZ, TIMESTAMPTZ],
        "UPDATE mod_case SET ends_at = $4
         WHERE guild_id = $1 AND case_id = $2 AND ended_at IS NULL AND ends_at IS NOT DISTINCT FROM $3"
    );
    let guild = ids::to_db(guild_id);
    let changed = tx.execute(BEFORE, &[&guild, &case_id, &refused, &before]).await?;
    Ok(changed == 1)
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

/// Forget the reasons that the case had, in the requests that changed it. The results stay readable for a replay.
pub async fn forget_reasons(tx: &Tx<'_>, (guild_id, case_id): Key) -> Result<(), StoreError> {
    const FORGET: Statement = statement!(
        "request_forget_reasons",
        [INT8, INT8],
        "UPDATE request SET before = before - 'reason'::text,
                result = CASE WHEN result->'reason' IS NULL THEN result ELSE result || '{\"reason\": \"\"}'::jsonb END
         WHERE guild_id = $1 AND subject_id = $2 AND action IN ('case_edit', 'warning_edit', 'warning_remove')
           AND (before->'reason' IS NOT NULL OR result->'reason' IS NOT NULL)"
    );
    let guild = ids::to_db(guild_id);
    tx.execute(FORGET, &[&guild, &case_id]).await.map(drop)
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
