//! The data of one member of a guild: export and erasure.
//!
//! An erasure stores its interaction's ID. Only messages newer than that ID count, so backfill and replay do not restore erased data; a
//! replayed interaction erases nothing twice.

use twilight_model::id::{Id, marker::InteractionMarker};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, backup::restoring::Erasure, statement::statement},
    support::ids::{self, MemberKey},
};

/// The tables with member data, which [`export`] reads and [`erase`] empties. A test searches the catalog for missing ones.
pub const TABLES: [&str; 11] = [
    "member_xp",
    "outbox",
    "backfill_message",
    "member_card",
    "member_arrival",
    "request",
    "given_role",
    "audit_xp",
    "quarantine",
    "web_session",
    "erased",
];

/// Tables that [`export`] includes but members cannot have erased: moderation records belong to the guild, and otherwise members who break
/// its rules could reset their record at will. They are deleted with the guild's data.
pub const KEPT_TABLES: [&str; 4] = ["member_warnings", "mod_case", "case_note", "temp_role"];

/// The kinds of effects that follow from a member's own data: an export shows them while they wait, and an erasure deletes them. The others
/// are actions of the server's staff. A member must not escape a ban by an erasure, nor learn from an export who ordered it.
pub const EFFECTS: [&str; 3] = ["level_up", "roles", "welcome"];

/// All data of a member, as a JSON object with a list of rows per table.
pub async fn export(store: &Store, key: MemberKey) -> Result<String, StoreError> {
    const EXPORT: Statement = statement!(
        "privacy_export",
        [INT8, INT8, TEXT_ARRAY],
        "SELECT jsonb_pretty(jsonb_build_object(
             'member_xp', (SELECT COALESCE(jsonb_agg(to_jsonb(t) - 'xp_tier'), '[]') FROM member_xp AS t
                           WHERE guild_id = $1 AND user_id = $2),
             'outbox', (SELECT COALESCE(jsonb_agg(to_jsonb(t) ORDER BY effect_id), '[]') FROM outbox AS t
                        WHERE guild_id = $1 AND user_id = $2 AND kind = ANY ($3)),
             'backfill_message', (SELECT COALESCE(jsonb_agg(to_jsonb(t) ORDER BY message_id), '[]') FROM backfill_message AS t
                                  WHERE guild_id = $1 AND user_id = $2),
             'member_card', (SELECT COALESCE(jsonb_agg(to_jsonb(t)), '[]') FROM member_card AS t
                             WHERE guild_id = $1 AND user_id = $2),
             'member_arrival', (SELECT COALESCE(jsonb_agg(to_jsonb(t)), '[]') FROM member_arrival AS t
                                WHERE guild_id = $1 AND user_id = $2),
             'request', (SELECT COALESCE(jsonb_agg(to_jsonb(t) - '{actor_id}'::text[] ORDER BY request_id), '[]')
                         FROM request AS t WHERE guild_id = $1 AND details->>'user_id' = $2::int8::text),
             'given_role', (SELECT COALESCE(jsonb_agg(to_jsonb(t) ORDER BY role_id), '[]') FROM given_role AS t
                            WHERE guild_id = $1 AND user_id = $2),
             'audit_xp', (SELECT COALESCE(jsonb_agg(to_jsonb(t) ORDER BY interaction_id), '[]') FROM audit_xp AS t
                          WHERE guild_id = $1 AND user_id = $2),
             'quarantine', (SELECT COALESCE(jsonb_agg(to_jsonb(t) ORDER BY quarantine_id), '[]') FROM quarantine AS t
                            WHERE guild_id = $1 AND user_id = $2),
             'web_session', (SELECT COALESCE(jsonb_agg(to_jsonb(t) - 'digest' ORDER BY created_at), '[]') FROM web_session AS t
                             WHERE user_id = $2),
             'member_warnings', (SELECT COALESCE(jsonb_agg(to_jsonb(t)), '[]') FROM member_warnings AS t
                                 WHERE guild_id = $1 AND user_id = $2),
             'mod_case', (SELECT COALESCE(jsonb_agg(to_jsonb(t) - CASE WHEN g.moderators_shown THEN '{}'::text[]
                                                                          ELSE '{moderator_id,moderator_name,acted_by,removed_by,hidden_by}' END
                                                    || jsonb_build_object('severity', w.severity, 'points', w.points) ORDER BY t.case_id), '[]')
                          FROM mod_case AS t LEFT JOIN warning AS w USING (guild_id, case_id) LEFT JOIN guild_settings AS g USING (guild_id)
                          WHERE t.guild_id = $1 AND t.user_id = $2),
             'temp_role', (SELECT COALESCE(jsonb_agg(to_jsonb(t) ORDER BY role_id), '[]') FROM temp_role AS t
                           WHERE guild_id = $1 AND user_id = $2),
             'case_note', (SELECT COALESCE(jsonb_agg(jsonb_build_object('user_id', c.user_id, 'case_id', n.case_id, 'note', n.note,
                                                                        'created_at', n.created_at) ORDER BY n.case_id, n.note_id), '[]')
                           FROM mod_case AS c JOIN case_note AS n USING (guild_id, case_id)
                           WHERE c.guild_id = $1 AND c.user_id = $2),
             'erased', (SELECT COALESCE(jsonb_agg(to_jsonb(t)), '[]') FROM erased AS t
                        WHERE guild_id = $1 AND user_id = $2)
         ))"
    );
    let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
    let rows = store.query(EXPORT, &[&guild, &user, &EFFECTS.as_slice()]).await?;
    Ok(rows.first().map(|row| row.get(0)).unwrap_or_default())
}

/// Erase all data of a member. `false` if this interaction, or a later one, has done so before.
pub async fn erase(tx: &Tx<'_>, key: MemberKey, erasure: Id<InteractionMarker>) -> Result<bool, StoreError> {
    const NOTE: Statement = statement!(
        "privacy_erased",
        [INT8, INT8, INT8],
        "INSERT INTO erased AS e (guild_id, user_id, interaction_id) VALUES ($1, $2, $3)
         ON CONFLICT (guild_id, user_id) DO UPDATE SET interaction_id = excluded.interaction_id, is_over = false
         WHERE e.interaction_id < excluded.interaction_id"
    );
    // In the order that docs/invariants.md defines. Rows whose erasure depends on an earlier erasure stay locked until that is known.
    const LOCK_REFUSED: Statement = statement!(
        "privacy_lock_quarantine",
        [INT8, INT8],
        "SELECT FROM quarantine WHERE guild_id = $1 AND user_id = $2 ORDER BY quarantine_id FOR UPDATE"
    );
    const LOCK_MESSAGES: Statement = statement!(
        "privacy_lock_messages",
        [INT8, INT8],
        "SELECT FROM backfill_message WHERE guild_id = $1 AND user_id = $2 ORDER BY message_id FOR UPDATE"
    );
    const LOCK_ARRIVAL: Statement = statement!(
        "privacy_lock_arrival",
        [INT8, INT8],
        "SELECT FROM member_arrival WHERE guild_id = $1 AND user_id = $2 FOR UPDATE"
    );
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
    const EFFECTS_OF: Statement = statement!(
        "privacy_erase_effects",
        [INT8, INT8, TEXT_ARRAY],
        "DELETE FROM outbox WHERE guild_id = $1 AND user_id = $2 AND kind = ANY ($3)"
    );
    const CARD: Statement = statement!(
        "privacy_erase_card",
        [INT8, INT8],
        "DELETE FROM member_card WHERE guild_id = $1 AND user_id = $2"
    );
    const ARRIVAL: Statement = statement!(
        "privacy_erase_arrival",
        [INT8, INT8],
        "DELETE FROM member_arrival WHERE guild_id = $1 AND user_id = $2"
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
    // The fact that a command was used stays: it belongs to the guild, and a replay needs it.
    const NAMED: Statement = statement!(
        "privacy_erase_named",
        [INT8, INT8],
        "UPDATE request SET details = details - '{user_id,amount}'::text[]
         WHERE guild_id = $1 AND details->>'user_id' = $2::int8::text"
    );
    // Sessions belong to no guild. Without them the user only has to sign in again.
    const SESSIONS: Statement = statement!(
        "privacy_erase_sessions",
        [INT8],
        "DELETE FROM web_session WHERE user_id = $1"
    );
    let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
    for statement in [LOCK_REFUSED, LOCK_MESSAGES, LOCK_ARRIVAL] {
        tx.execute(statement, &[&guild, &user]).await?;
    }
    if tx.execute(NOTE, &[&guild, &user, &ids::to_db(erasure)]).await? == 0 {
        return Ok(false);
    }
    for statement in [REFUSED, MESSAGES, ARRIVAL, NAMED, XP, CHANGES, CARD, ROLES] {
        tx.execute(statement, &[&guild, &user]).await?;
    }
    tx.execute(EFFECTS_OF, &[&guild, &user, &EFFECTS.as_slice()])
        .await?;
    tx.execute(SESSIONS, &[&user]).await?;
    Ok(true)
}

/// A temporary table with the erasures known before a restore.
const FOUND: &str = "pg_temp.eventide_erased";

/// How a restore keeps members erased.
pub const ERASURE: Erasure = Erasure {
    remember: remembering,
    erase_again: erasing_again,
};

/// The statement that saves a schema's erasures before a restore replaces it.
fn remembering(schema: &str) -> String {
    format!(
        "CREATE TEMPORARY TABLE eventide_erased ON COMMIT DROP AS SELECT guild_id, user_id, interaction_id FROM {schema}.erased"
    )
}

/// Statements that repeat, in the restored data, the erasures made after the backup, and keep their records. `has` reports which tables
/// were restored, by schema version.
fn erasing_again(version: u32, has: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut statements = Vec::new();
    if has("erased") {
        // Erasures that the backup contains are already applied in it.
        statements.push(format!(
            "DELETE FROM {FOUND} AS f USING erased AS e
             WHERE e.guild_id = f.guild_id AND e.user_id = f.user_id AND e.interaction_id >= f.interaction_id"
        ));
    }
    for table in TABLES.into_iter().chain([REQUESTS_BEFORE]) {
        statements.push(match table {
            _ if !has(table) => continue,
            // A restore ends all sessions.
            "web_session" => continue,
            "request" | REQUESTS_BEFORE => format!(
                "UPDATE {table} AS t SET details = t.details - '{{user_id,amount}}'::text[]
                 FROM {FOUND} AS f WHERE t.guild_id = f.guild_id AND t.details->>'user_id' = f.user_id::text"
            ),
            "erased" => {
                let holds = if version >= IS_OVER { ", is_over = false" } else { "" };
                format!(
                    "INSERT INTO erased (guild_id, user_id, interaction_id) SELECT guild_id, user_id, interaction_id FROM {FOUND}
                     ON CONFLICT (guild_id, user_id) DO UPDATE SET interaction_id = excluded.interaction_id{holds}"
                )
            }
            _ => format!(
                "DELETE FROM {table} AS t USING {FOUND} AS f WHERE t.guild_id = f.guild_id AND t.user_id = f.user_id"
            ),
        });
    }
    statements
}

/// The table of requests in backups from before V37.
const REQUESTS_BEFORE: &str = "audit_log";

/// The migration that added the column `is_over`.
const IS_OVER: u32 = 32;
