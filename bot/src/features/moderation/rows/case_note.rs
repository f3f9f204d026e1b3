//! `case_note`: notes of the staff about cases.

use std::time::SystemTime;

use twilight_model::id::{
    Id,
    marker::{InteractionMarker, UserMarker},
};

use super::case::Key;
use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// Without its author.
pub(crate) const EXPORT: Statement = statement!(
    "export_case_note",
    [INT8, INT8],
    "SELECT jsonb_pretty(coalesce(jsonb_agg(
         jsonb_build_object('user_id', c.user_id, 'case_id', n.case_id, 'note', n.note, 'created_at', n.created_at)
         ORDER BY n.case_id, n.note_id), '[]'))
     FROM mod_case AS c JOIN case_note AS n USING (guild_id, case_id) WHERE c.guild_id = $1 AND c.user_id = $2"
);

/// A stored note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The moderator who wrote it.
    pub author_id: Id<UserMarker>,
    /// The name that the author had.
    pub author_name: Option<String>,
    /// Its text.
    pub note: String,
    /// When it was written.
    pub created_at: SystemTime,
}

/// A note to be added.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// The interaction that adds it.
    pub note_id: Id<InteractionMarker>,
    /// The moderator who writes it.
    pub author_id: Id<UserMarker>,
    /// The author's name.
    pub author_name: Option<&'a str>,
    /// The text; at most 1,000 characters.
    pub note: &'a str,
}

/// Add a note to a case. False if it was added before.
pub async fn add(tx: &Tx<'_>, (guild_id, case_id): Key, new: New<'_>) -> Result<bool, StoreError> {
    const ADD: Statement = statement!(
        "case_note_add",
        [INT8, INT8, INT8, INT8, TEXT, TEXT, TIMESTAMPTZ],
        "INSERT INTO case_note (guild_id, case_id, note_id, author_id, author_name, note, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (guild_id, case_id, note_id) DO NOTHING"
    );
    let added = tx
        .execute(
            ADD,
            &[
                &ids::to_db(guild_id),
                &case_id,
                &ids::to_db(new.note_id),
                &ids::to_db(new.author_id),
                &new.author_name,
                &new.note,
                &ids::to_time(ids::millis(new.note_id)),
            ],
        )
        .await?;
    Ok(added > 0)
}

/// The newest notes of a case, the newest first, and how many there are.
pub async fn newest(
    store: &Store,
    (guild_id, case_id): Key,
    limit: i64,
) -> Result<(Vec<Note>, u64), StoreError> {
    const NEWEST: Statement = statement!(
        "case_note_newest",
        [INT8, INT8, INT8],
        "SELECT author_id, author_name, note, created_at, count(*) OVER () FROM case_note
         WHERE guild_id = $1 AND case_id = $2 ORDER BY note_id DESC LIMIT $3"
    );
    let rows = store
        .query(NEWEST, &[&ids::to_db(guild_id), &case_id, &limit])
        .await?;
    let total = rows.first().map_or(0, |row| row.get::<_, i64>(4).cast_unsigned());
    let notes = rows.iter().filter_map(|row| {
        Some(Note {
            author_id: ids::from_db(row.get(0))?,
            author_name: row.get(1),
            note: row.get(2),
            created_at: row.get(3),
        })
    });
    Ok((notes.collect(), total))
}
