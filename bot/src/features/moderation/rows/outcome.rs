//! `mod_case`, as far as it says what became of an action, and when a punishment was over.

use std::time::SystemTime;

use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::case::Key;
use crate::{
    features::moderation::kind::Kind,
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

// What is carried out stays so, whatever a repeated attempt finds.
const ACTION: Statement = statement!(
    "mod_case_outcome",
    [INT8, INT8, TEXT],
    "UPDATE mod_case SET outcome = $3 WHERE guild_id = $1 AND case_id = $2 AND outcome IS DISTINCT FROM 'done' RETURNING 1"
);

/// Record what became of the action.
pub async fn action(store: &Store, (guild_id, case_id): Key, outcome: &str) -> Result<(), StoreError> {
    let guild = ids::to_db(guild_id);
    store.query(ACTION, &[&guild, &case_id, &outcome]).await.map(drop)
}

/// Like [`action`], within a transaction. False if it was carried out before.
pub async fn action_in(tx: &Tx<'_>, (guild_id, case_id): Key, outcome: &str) -> Result<bool, StoreError> {
    let guild = ids::to_db(guild_id);
    let rows = tx.query(ACTION, &[&guild, &case_id, &outcome]).await?;
    Ok(!rows.is_empty())
}

/// Record what became of the actions of several cases.
pub async fn actions_in(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    outcomes: &[(i64, &'static str)],
) -> Result<(), StoreError> {
    const ACTIONS: Statement = statement!(
        "mod_case_outcomes",
        [INT8, INT8_ARRAY, TEXT_ARRAY],
        "UPDATE mod_case AS c SET outcome = n.outcome FROM unnest($2::int8[], $3::text[]) AS n (case_id, outcome)
         WHERE c.guild_id = $1 AND c.case_id = n.case_id AND c.outcome IS DISTINCT FROM 'done'"
    );
    let cases: Vec<i64> = outcomes.iter().map(|(case_id, _)| *case_id).collect();
    let words: Vec<&str> = outcomes.iter().map(|(_, word)| *word).collect();
    tx.execute(ACTIONS, &[&ids::to_db(guild_id), &cases, &words])
        .await
        .map(drop)
}

/// Record what became of the direct message.
pub async fn message(store: &Store, (guild_id, case_id): Key, outcome: &str) -> Result<(), StoreError> {
    const MESSAGE: Statement = statement!(
        "mod_case_message_outcome",
        [INT8, INT8, TEXT],
        "UPDATE mod_case SET message_outcome = $3 WHERE guild_id = $1 AND case_id = $2 RETURNING 1"
    );
    let guild = ids::to_db(guild_id);
    store
        .query(MESSAGE, &[&guild, &case_id, &outcome])
        .await
        .map(drop)
}

/// Record that a punishment is over, and how it ended. The first end stays. False if it was over already.
pub async fn end_in(
    tx: &Tx<'_>,
    (guild_id, case_id): Key,
    at: SystemTime,
    outcome: &str,
) -> Result<bool, StoreError> {
    const END: Statement = statement!(
        "mod_case_end",
        [INT8, INT8, TIMESTAMPTZ, TEXT],
        "UPDATE mod_case SET ended_at = $3, end_outcome = $4 WHERE guild_id = $1 AND case_id = $2 AND ended_at IS NULL RETURNING 1"
    );
    let guild = ids::to_db(guild_id);
    let rows = tx.query(END, &[&guild, &case_id, &at, &outcome]).await?;
    Ok(!rows.is_empty())
}

/// Record why a punishment could not be lifted, or not yet. It is not over. False if that is recorded already.
pub async fn not_ended(tx: &Tx<'_>, (guild_id, case_id): Key, why: &str) -> Result<bool, StoreError> {
    const NOT_ENDED: Statement = statement!(
        "mod_case_not_ended",
        [INT8, INT8, TEXT],
        "UPDATE mod_case SET end_outcome = $3
         WHERE guild_id = $1 AND case_id = $2 AND ended_at IS NULL AND end_outcome IS DISTINCT FROM $3"
    );
    let guild = ids::to_db(guild_id);
    let changed = tx.execute(NOT_ENDED, &[&guild, &case_id, &why]).await?;
    Ok(changed == 1)
}

/// Record that what was in the way of a punishment that runs is over. False if nothing was.
pub async fn goes_on(tx: &Tx<'_>, (guild_id, case_id): Key) -> Result<bool, StoreError> {
    const GOES_ON: Statement = statement!(
        "mod_case_goes_on",
        [INT8, INT8],
        "UPDATE mod_case SET end_outcome = NULL
         WHERE guild_id = $1 AND case_id = $2 AND ended_at IS NULL AND end_outcome IS NOT NULL"
    );
    let changed = tx.execute(GOES_ON, &[&ids::to_db(guild_id), &case_id]).await?;
    Ok(changed == 1)
}

/// Record that a punishment runs again because what replaced it was not carried out. Returns the time; `None` if it was not replaced.
pub async fn runs_again(tx: &Tx<'_>, (guild_id, case_id): Key) -> Result<Option<SystemTime>, StoreError> {
    const RUNS_AGAIN: Statement = statement!(
        "mod_case_runs_again",
        [INT8, INT8],
        "UPDATE mod_case SET ended_at = NULL, end_outcome = NULL
         WHERE guild_id = $1 AND case_id = $2 AND ended_at IS NOT NULL AND end_outcome = 'replaced' AND removed_at IS NULL
         RETURNING now()"
    );
    let rows = tx.query(RUNS_AGAIN, &[&ids::to_db(guild_id), &case_id]).await?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// Record that newer cases replace the punishments of these kinds of some users that have not ended. Returns their numbers.
pub async fn replace(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    users: &[Id<UserMarker>],
    kinds: &[Kind],
    at: SystemTime,
) -> Result<Vec<i64>, StoreError> {
    const REPLACE: Statement = statement!(
        "mod_case_replace",
        [INT8, INT8_ARRAY, TEXT_ARRAY, TIMESTAMPTZ],
        "UPDATE mod_case SET ended_at = $4, end_outcome = 'replaced'
         WHERE guild_id = $1 AND user_id = ANY ($2) AND kind = ANY ($3) AND removed_at IS NULL AND ended_at IS NULL
           -- Discord ended these by itself.
           AND (kind <> 'timeout' OR ends_at > $4)
         RETURNING case_id"
    );
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    let users: Vec<i64> = users.iter().copied().map(ids::to_db).collect();
    let rows = tx
        .query(REPLACE, &[&ids::to_db(guild_id), &users, &kinds, &at])
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
