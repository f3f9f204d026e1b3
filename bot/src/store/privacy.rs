//! What is stored about one member of a guild: told, and erased.
//!
//! An erasure leaves its interaction's id. A message counts only if it is newer than that, so what is read back or replayed later does not
//! bring back what was erased; an interaction that is replayed erases nothing twice.

use super::{Statement, Store, StoreError, Tx, statement::statement};
use crate::{ledger::member_xp::MemberKey, rules::award::Millis, snowflake};
use twilight_model::id::{Id, marker::InteractionMarker};

/// The tables with a member's rows, each of which [`export`] tells and [`erase`] empties. A test looks for others in the catalog.
pub const TABLES: [&str; 9] = [
    "member_xp",
    "outbox",
    "backfill_message",
    "member_card",
    "audit_log",
    "given_role",
    "audit_xp",
    "quarantine",
    "erased",
];

/// Those that [`export`] tells and nobody can have erased: what moderators noted belongs to the server, and who breaks its rules could
/// begin anew at will otherwise. It is gone when the server's data is.
pub const KEPT_TABLES: [&str; 2] = ["member_warnings", "mod_case"];

/// So long after an erasure its record is kept although the member is back: an interaction may be replayed for some minutes.
const KEPT: Millis = 60 * 60 * 1_000;

/// Everything that is stored about a member, as a JSON object with a list of rows by table.
pub async fn export(store: &Store, key: MemberKey) -> Result<String, StoreError> {
    const EXPORT: Statement = statement!(
        "privacy_export",
        [INT8, INT8],
        "SELECT jsonb_pretty(jsonb_build_object(
             'member_xp', (SELECT COALESCE(jsonb_agg(to_jsonb(t) - 'xp_tier'), '[]') FROM member_xp AS t
                           WHERE guild_id = $1 AND user_id = $2),
             'outbox', (SELECT COALESCE(jsonb_agg(to_jsonb(t) ORDER BY effect_id), '[]') FROM outbox AS t
                        WHERE guild_id = $1 AND user_id = $2),
             'backfill_message', (SELECT COALESCE(jsonb_agg(to_jsonb(t) ORDER BY message_id), '[]') FROM backfill_message AS t
                                  WHERE guild_id = $1 AND user_id = $2),
             'member_card', (SELECT COALESCE(jsonb_agg(to_jsonb(t)), '[]') FROM member_card AS t
                             WHERE guild_id = $1 AND user_id = $2),
             'audit_log', (SELECT COALESCE(jsonb_agg(to_jsonb(t) - '{actor_id}'::text[] ORDER BY interaction_id), '[]')
                           FROM audit_log AS t WHERE guild_id = $1 AND details->>'user_id' = $2::int8::text),
             'given_role', (SELECT COALESCE(jsonb_agg(to_jsonb(t) ORDER BY role_id), '[]') FROM given_role AS t
                            WHERE guild_id = $1 AND user_id = $2),
             'audit_xp', (SELECT COALESCE(jsonb_agg(to_jsonb(t) ORDER BY interaction_id), '[]') FROM audit_xp AS t
                          WHERE guild_id = $1 AND user_id = $2),
             'quarantine', (SELECT COALESCE(jsonb_agg(to_jsonb(t) ORDER BY quarantine_id), '[]') FROM quarantine AS t
                            WHERE guild_id = $1 AND user_id = $2),
             'member_warnings', (SELECT COALESCE(jsonb_agg(to_jsonb(t)), '[]') FROM member_warnings AS t
                                 WHERE guild_id = $1 AND user_id = $2),
             'mod_case', (SELECT COALESCE(jsonb_agg(to_jsonb(t) - '{moderator_id,removed_by}'::text[]
                                                    || jsonb_build_object('severity', w.severity, 'points', w.points) ORDER BY t.case_id), '[]')
                          FROM mod_case AS t LEFT JOIN warning AS w USING (guild_id, case_id)
                          WHERE t.guild_id = $1 AND t.user_id = $2),
             'erased', (SELECT COALESCE(jsonb_agg(to_jsonb(t)), '[]') FROM erased AS t
                        WHERE guild_id = $1 AND user_id = $2)
         ))"
    );
    let (guild, user) = (snowflake::to_db(key.guild_id), snowflake::to_db(key.user_id));
    let rows = store.query(EXPORT, &[&guild, &user]).await?;
    Ok(rows.first().map(|row| row.get(0)).unwrap_or_default())
}

/// Erase everything that is stored about a member. `false` if this interaction, or a later one, has done so before.
pub async fn erase(tx: &Tx<'_>, key: MemberKey, asked: Id<InteractionMarker>) -> Result<bool, StoreError> {
    const NOTE: Statement = statement!(
        "privacy_erased",
        [INT8, INT8, INT8],
        "INSERT INTO erased AS e (guild_id, user_id, interaction_id) VALUES ($1, $2, $3)
         ON CONFLICT (guild_id, user_id) DO UPDATE SET interaction_id = excluded.interaction_id
         WHERE e.interaction_id < excluded.interaction_id"
    );
    // In the order in which a flush locks them.
    const MESSAGES: Statement = statement!(
        "privacy_erase_messages",
        [INT8, INT8],
        "DELETE FROM backfill_message WHERE guild_id = $1 AND user_id = $2"
    );
    const XP: Statement = statement!(
        "privacy_erase_xp",
        [INT8, INT8],
        "DELETE FROM member_xp WHERE guild_id = $1 AND user_id = $2"
    );
    const EFFECTS: Statement = statement!(
        "privacy_erase_effects",
        [INT8, INT8],
        "DELETE FROM outbox WHERE guild_id = $1 AND user_id = $2"
    );
    const CARD: Statement = statement!(
        "privacy_erase_card",
        [INT8, INT8],
        "DELETE FROM member_card WHERE guild_id = $1 AND user_id = $2"
    );
    const ROLES: Statement = statement!(
        "privacy_erase_roles",
        [INT8, INT8],
        "DELETE FROM given_role WHERE guild_id = $1 AND user_id = $2"
    );
    const CHANGES: Statement = statement!(
        "privacy_erase_changes",
        [INT8, INT8],
        "DELETE FROM audit_xp WHERE guild_id = $1 AND user_id = $2"
    );
    const REFUSED: Statement = statement!(
        "privacy_erase_quarantine",
        [INT8, INT8],
        "DELETE FROM quarantine WHERE guild_id = $1 AND user_id = $2"
    );
    // That somebody did something with a command stays: it is the server's, and a replay finds it.
    const NAMED: Statement = statement!(
        "privacy_erase_named",
        [INT8, INT8],
        "UPDATE audit_log SET details = details - '{user_id,amount}'::text[]
         WHERE guild_id = $1 AND details->>'user_id' = $2::int8::text"
    );
    let (guild, user) = (snowflake::to_db(key.guild_id), snowflake::to_db(key.user_id));
    if tx
        .execute(NOTE, &[&guild, &user, &snowflake::to_db(asked)])
        .await?
        == 0
    {
        return Ok(false);
    }
    for statement in [MESSAGES, XP, EFFECTS, CARD, ROLES, CHANGES, REFUSED, NAMED] {
        tx.execute(statement, &[&guild, &user]).await?;
    }
    Ok(true)
}

/// Whether the record of an erasure is of no use any more, when the member has written at this time.
pub const fn is_over(erased_at: Millis, at: Millis) -> bool {
    at - erased_at > KEPT
}

/// Forget that these members had everything erased: they are back.
pub async fn forget(tx: &Tx<'_>, back: &[MemberKey]) -> Result<(), StoreError> {
    const FORGET: Statement = statement!(
        "privacy_forget",
        [INT8_ARRAY, INT8_ARRAY],
        "DELETE FROM erased AS e USING unnest($1::int8[], $2::int8[]) AS k (guild_id, user_id)
         WHERE e.guild_id = k.guild_id AND e.user_id = k.user_id"
    );
    if back.is_empty() {
        return Ok(());
    }
    let (guilds, users): (Vec<i64>, Vec<i64>) = back
        .iter()
        .map(|key| (snowflake::to_db(key.guild_id), snowflake::to_db(key.user_id)))
        .unzip();
    tx.execute(FORGET, &[&guilds, &users]).await.map(drop)
}
