//! `mod_guild` and `mod_case`: the numbered cases of each guild.
//!
//! Every change of a guild's cases first locks the guild's row in `mod_guild` ([`lock`]), so changes of one guild are serialized: what is
//! read afterwards stays current until the transaction ends, and no two cases share a number.

use std::time::SystemTime;

use twilight_model::id::{
    Id,
    marker::{AuditLogEntryMarker, GuildMarker, UserMarker},
};

use crate::{
    features::moderation::kind::Kind,
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids,
};

/// With what the guild shows to members, and the columns of warnings.
pub(crate) const EXPORT: Statement = statement!(
    "export_mod_case",
    [INT8, INT8],
    "SELECT jsonb_pretty(coalesce(jsonb_agg(
         to_jsonb(t) - CASE WHEN g.moderators_shown THEN '{}'::text[] ELSE '{moderator_id,moderator_name,acted_by,removed_by,hidden_by}' END
         || jsonb_build_object('severity', w.severity, 'points', w.points) ORDER BY t.case_id), '[]'))
     FROM mod_case AS t LEFT JOIN warning AS w USING (guild_id, case_id) LEFT JOIN guild_settings AS g USING (guild_id)
     WHERE t.guild_id = $1 AND t.user_id = $2"
);

/// A case to be inserted.
#[derive(Clone, Debug)]
pub struct New<'a> {
    /// The guild to which its number belongs.
    pub guild_id: Id<GuildMarker>,
    /// The kind of case.
    pub kind: Kind,
    /// The member it is about.
    pub user_id: Id<UserMarker>,
    /// The moderator who created it.
    pub moderator_id: Id<UserMarker>,
    /// The names that both have at that time.
    pub names: Names<'a>,
    /// The reason; at most 1,000 characters, empty for none.
    pub reason: &'a str,
    /// When the interaction was created.
    pub at: SystemTime,
    /// When a warning stops counting; `None` for never.
    pub expires_at: Option<SystemTime>,
    /// When a punishment ends; `None` for never, or if it has no duration.
    pub ends_at: Option<SystemTime>,
    /// The entry of Discord's audit log that it was made of.
    pub audit_entry_id: Option<Id<AuditLogEntryMarker>>,
}

/// The names of the member and of the moderator; `None` if unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names<'a> {
    /// The member's.
    pub user: Option<&'a str>,
    /// The moderator's.
    pub moderator: Option<&'a str>,
}

/// Wait for the guild's lock, which serializes changes of its cases, and hold it until the transaction ends.
pub async fn lock(tx: &Tx<'_>, guild_id: Id<GuildMarker>) -> Result<(), StoreError> {
    // If the row exists, the update locks it.
    const LOCK: Statement = statement!(
        "mod_guild_lock",
        [INT8],
        "INSERT INTO mod_guild AS g (guild_id) VALUES ($1)
         ON CONFLICT (guild_id) DO UPDATE SET last_case = g.last_case"
    );
    tx.execute(LOCK, &[&ids::to_db(guild_id)]).await.map(drop)
}

/// Insert a case with the guild's next number, and return the number. The guild must be [locked](lock).
pub async fn add(tx: &Tx<'_>, new: &New<'_>) -> Result<i64, StoreError> {
    const ADD: Statement = statement!(
        "mod_case_add",
        [
            INT8,
            TEXT,
            INT8,
            INT8,
            TEXT,
            TIMESTAMPTZ,
            TIMESTAMPTZ,
            TEXT,
            TEXT,
            TIMESTAMPTZ,
            INT8
        ],
        "WITH next AS (
             UPDATE mod_guild SET last_case = last_case + 1 WHERE guild_id = $1 RETURNING last_case
         )
         INSERT INTO mod_case (guild_id, case_id, kind, user_id, moderator_id, reason, created_at, expires_at,
                               user_name, moderator_name, ends_at, audit_entry_id)
         SELECT $1, last_case, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM next
         RETURNING case_id"
    );
    let rows = tx
        .query(
            ADD,
            &[
                &ids::to_db(new.guild_id),
                &new.kind.word(),
                &ids::to_db(new.user_id),
                &ids::to_db(new.moderator_id),
                &new.reason,
                &new.at,
                &new.expires_at,
                &new.names.user,
                &new.names.moderator,
                &new.ends_at,
                &new.audit_entry_id.map(ids::to_db),
            ],
        )
        .await?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

/// Insert cases of one kind about several users, with the guild's next numbers in their order. Returns the first number. The guild must be
/// [locked](lock).
pub async fn add_many(
    tx: &Tx<'_>,
    new: &New<'_>,
    users: &[(Id<UserMarker>, String)],
) -> Result<i64, StoreError> {
    const ADD: Statement = statement!(
        "mod_case_add_many",
        [INT8, TEXT, INT8, TEXT, TIMESTAMPTZ, TEXT, INT8_ARRAY, TEXT_ARRAY],
        "WITH next AS (
             UPDATE mod_guild SET last_case = last_case + cardinality($7::int8[]) WHERE guild_id = $1
             RETURNING last_case - cardinality($7::int8[]) AS before
         ), added AS (
             INSERT INTO mod_case (guild_id, case_id, kind, user_id, moderator_id, reason, created_at, user_name, moderator_name)
             SELECT $1, before + u.place, $2, u.user_id, $3, $4, $5, u.user_name, $6
             FROM next, unnest($7::int8[], $8::text[]) WITH ORDINALITY AS u (user_id, user_name, place)
             RETURNING case_id
         )
         SELECT min(case_id) FROM added"
    );
    let ids: Vec<i64> = users.iter().map(|(user_id, _)| ids::to_db(*user_id)).collect();
    let names: Vec<&str> = users.iter().map(|(_, name)| name.as_str()).collect();
    let rows = tx
        .query(
            ADD,
            &[
                &ids::to_db(new.guild_id),
                &new.kind.word(),
                &ids::to_db(new.moderator_id),
                &new.reason,
                &new.at,
                &new.names.moderator,
                &ids,
                &names,
            ],
        )
        .await?;
    Ok(rows.first().and_then(|row| row.get(0)).unwrap_or(0))
}

/// The number of cases of these kinds that a moderator made in this time, removed ones and those on behalf of others included.
pub async fn count_since(
    tx: &Tx<'_>,
    (guild_id, moderator_id): (Id<GuildMarker>, Id<UserMarker>),
    kinds: &[Kind],
    (after, until): (SystemTime, SystemTime),
) -> Result<i64, StoreError> {
    const COUNT: Statement = statement!(
        "mod_case_count_since",
        [INT8, INT8, TEXT_ARRAY, TIMESTAMPTZ, TIMESTAMPTZ],
        "SELECT count(*) FROM mod_case
         WHERE guild_id = $1 AND (moderator_id = $2 AND acted_by IS NULL OR acted_by = $2)
           AND kind = ANY ($3) AND created_at > $4 AND created_at <= $5"
    );
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    let (guild, moderator) = (ids::to_db(guild_id), ids::to_db(moderator_id));
    let rows = tx
        .query(COUNT, &[&guild, &moderator, &kinds, &after, &until])
        .await?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

/// Mark a case as removed. False if it was removed before or does not exist.
pub async fn remove(
    tx: &Tx<'_>,
    (guild_id, case_id): (Id<GuildMarker>, i64),
    moderator_id: Id<UserMarker>,
    at: SystemTime,
    reason: Option<&str>,
) -> Result<bool, StoreError> {
    const REMOVE: Statement = statement!(
        "mod_case_remove",
        [INT8, INT8, INT8, TIMESTAMPTZ, TEXT],
        "UPDATE mod_case SET removed_by = $3, removed_at = $4, removed_reason = $5
         WHERE guild_id = $1 AND case_id = $2 AND removed_at IS NULL"
    );
    let (guild, moderator) = (ids::to_db(guild_id), ids::to_db(moderator_id));
    let removed = tx
        .execute(REMOVE, &[&guild, &case_id, &moderator, &at, &reason])
        .await?;
    Ok(removed == 1)
}

/// Change a case's reason and expiry.
pub async fn change(
    tx: &Tx<'_>,
    (guild_id, case_id): (Id<GuildMarker>, i64),
    reason: &str,
    expires_at: Option<SystemTime>,
) -> Result<(), StoreError> {
    const CHANGE: Statement = statement!(
        "mod_case_change",
        [INT8, INT8, TEXT, TIMESTAMPTZ],
        "UPDATE mod_case SET reason = $3, expires_at = $4 WHERE guild_id = $1 AND case_id = $2"
    );
    let guild = ids::to_db(guild_id);
    tx.execute(CHANGE, &[&guild, &case_id, &reason, &expires_at])
        .await
        .map(drop)
}
