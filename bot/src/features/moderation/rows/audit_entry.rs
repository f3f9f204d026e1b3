//! `mod_case`, as far as it is about entries of Discord's audit log.

use twilight_model::id::{
    Id,
    marker::{AuditLogEntryMarker, GuildMarker},
};

use crate::{
    discord::events::audit_entry::AuditEntry,
    features::moderation::kind::Kind,
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids,
};

/// Whether a case has this entry. It stays so if the guild is [locked](super::mod_case::lock).
pub async fn is_recorded(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    entry_id: Id<AuditLogEntryMarker>,
) -> Result<bool, StoreError> {
    const RECORDED: Statement = statement!(
        "mod_case_of_entry",
        [INT8, INT8],
        "SELECT FROM mod_case WHERE guild_id = $1 AND audit_entry_id = $2 LIMIT 1"
    );
    let (guild, entry) = (ids::to_db(guild_id), ids::to_db(entry_id));
    Ok(!tx.query(RECORDED, &[&guild, &entry]).await?.is_empty())
}

/// Link an entry about an action of the bot to the user's newest case of these kinds, if that one has none yet. Other actions of the bot,
/// such as the end of a punishment or one of a warning, have no case of their own.
pub async fn link(tx: &Tx<'_>, entry: &AuditEntry, kinds: &[Kind]) -> Result<(), StoreError> {
    // Case and entry are hours apart if Discord was not available meanwhile.
    const LINK: Statement = statement!(
        "mod_case_link",
        [INT8, INT8, TEXT_ARRAY, INT8, TIMESTAMPTZ],
        "UPDATE mod_case SET audit_entry_id = $4
         WHERE guild_id = $1 AND audit_entry_id IS NULL AND case_id = (
             SELECT case_id FROM mod_case
             WHERE guild_id = $1 AND user_id = $2 AND kind = ANY ($3)
               AND created_at BETWEEN $5::timestamptz - interval '1 day' AND $5::timestamptz + interval '1 minute'
             ORDER BY case_id DESC LIMIT 1
         )"
    );
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    let (guild, user) = (ids::to_db(entry.guild_id), ids::to_db(entry.target_id));
    let at = ids::to_time(entry.at());
    tx.execute(LINK, &[&guild, &user, &kinds, &ids::to_db(entry.id), &at])
        .await
        .map(drop)
}
