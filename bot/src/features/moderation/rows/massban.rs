//! `massban`: bans of many users that wait for their confirmation, or are under way.

use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use crate::{
    features::moderation::kind::Kind,
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// A massban of a guild.
pub(crate) type Key = (Id<GuildMarker>, Id<InteractionMarker>);

/// What a moderator asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The users, with their names.
    pub(crate) users: Vec<(Id<UserMarker>, String)>,
    /// Empty for none.
    pub(crate) reason: String,
    /// The messages that are deleted, in seconds before the bans.
    pub(crate) delete_seconds: u32,
}

/// A massban.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) wanted: Wanted,
    /// The case of the first user, once it was confirmed.
    pub(crate) first_case: Option<i64>,
    /// How many users were dealt with.
    pub(crate) done: usize,
    /// How many of those were banned.
    pub(crate) banned: usize,
    pub(crate) is_cancelled: bool,
    /// Why it ended early, as the key of a text.
    pub(crate) failure: Option<String>,
}

impl Row {
    /// Whether nothing of it is left to be done.
    pub(crate) const fn is_over(&self) -> bool {
        self.failure.is_some() || self.done >= self.wanted.users.len()
    }

    fn of(row: &tokio_postgres::Row) -> Self {
        let number = |column| usize::try_from(row.get::<_, i32>(column)).unwrap_or(0);
        let ids = row.get::<_, Vec<i64>>(0).into_iter().filter_map(ids::from_db);
        Self {
            wanted: Wanted {
                users: ids.zip(row.get::<_, Vec<String>>(1)).collect(),
                reason: row.get(2),
                delete_seconds: u32::try_from(row.get::<_, i32>(3)).unwrap_or(0),
            },
            first_case: row.get(4),
            done: number(5),
            banned: number(6),
            is_cancelled: row.get(7),
            failure: row.get(8),
        }
    }
}

// Shared by reads inside and outside of transactions.
const GET: Statement = statement!(
    "massban_get",
    [INT8, INT8],
    "SELECT user_ids, user_names, reason, delete_seconds, first_case, done, banned, is_cancelled, failure
     FROM massban WHERE guild_id = $1 AND massban_id = $2"
);

/// Insert a massban that waits for its confirmation.
pub(crate) async fn add(tx: &Tx<'_>, key: Key, wanted: &Wanted) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
        "massban_add",
        [INT8, INT8, INT8_ARRAY, TEXT_ARRAY, TEXT, INT4],
        "INSERT INTO massban (guild_id, massban_id, user_ids, user_names, reason, delete_seconds) VALUES ($1, $2, $3, $4, $5, $6)"
    );
    let users: Vec<i64> = wanted.users.iter().map(|(id, _)| ids::to_db(*id)).collect();
    let names: Vec<&str> = wanted.users.iter().map(|(_, name)| name.as_str()).collect();
    let seconds = i32::try_from(wanted.delete_seconds).unwrap_or(i32::MAX);
    let (guild, id) = (ids::to_db(key.0), ids::to_db(key.1));
    tx.execute(ADD, &[&guild, &id, &users, &names, &wanted.reason, &seconds])
        .await
        .map(drop)
}

/// A massban.
pub(crate) async fn get(store: &Store, key: Key) -> Result<Option<Row>, StoreError> {
    let rows = store
        .query(GET, &[&ids::to_db(key.0), &ids::to_db(key.1)])
        .await?;
    Ok(rows.first().map(Row::of))
}

/// Like [`get`], within a transaction.
pub(crate) async fn get_in(tx: &Tx<'_>, key: Key) -> Result<Option<Row>, StoreError> {
    let rows = tx.query(GET, &[&ids::to_db(key.0), &ids::to_db(key.1)]).await?;
    Ok(rows.first().map(Row::of))
}

/// Begin a massban, with the case of the first user. False if it was begun before.
pub(crate) async fn begin(tx: &Tx<'_>, key: Key, first_case: i64) -> Result<bool, StoreError> {
    const BEGIN: Statement = statement!(
        "massban_begin",
        [INT8, INT8, INT8],
        "UPDATE massban SET first_case = $3 WHERE guild_id = $1 AND massban_id = $2 AND first_case IS NULL"
    );
    let (guild, id) = (ids::to_db(key.0), ids::to_db(key.1));
    let begun = tx.execute(BEGIN, &[&guild, &id, &first_case]).await?;
    Ok(begun > 0)
}

/// Stop a massban. False if it is over.
pub(crate) async fn cancel(tx: &Tx<'_>, key: Key) -> Result<bool, StoreError> {
    const CANCEL: Statement = statement!(
        "massban_cancel",
        [INT8, INT8],
        "UPDATE massban SET is_cancelled = true
         WHERE guild_id = $1 AND massban_id = $2 AND failure IS NULL AND done < cardinality(user_ids)"
    );
    let (guild, id) = (ids::to_db(key.0), ids::to_db(key.1));
    let cancelled = tx.execute(CANCEL, &[&guild, &id]).await?;
    Ok(cancelled > 0)
}

/// Note that the users from `from` to `to` were dealt with. False if they were before.
pub(crate) async fn advance(
    tx: &Tx<'_>,
    key: Key,
    (from, to): (usize, usize),
    banned: usize,
) -> Result<bool, StoreError> {
    const ADVANCE: Statement = statement!(
        "massban_advance",
        [INT8, INT8, INT4, INT4, INT4],
        "UPDATE massban SET done = $4, banned = banned + $5
         WHERE guild_id = $1 AND massban_id = $2 AND done = $3 AND failure IS NULL"
    );
    let number = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let (guild, id) = (ids::to_db(key.0), ids::to_db(key.1));
    let params = (number(from), number(to), number(banned));
    let advanced = tx
        .execute(ADVANCE, &[&guild, &id, &params.0, &params.1, &params.2])
        .await?;
    Ok(advanced > 0)
}

/// Note why a massban ended early. False if it is over.
pub(crate) async fn fail(tx: &Tx<'_>, key: Key, failure: &str) -> Result<bool, StoreError> {
    const FAIL: Statement = statement!(
        "massban_fail",
        [INT8, INT8, TEXT],
        "UPDATE massban SET failure = $3
         WHERE guild_id = $1 AND massban_id = $2 AND failure IS NULL AND done < cardinality(user_ids)"
    );
    let failed = tx
        .execute(FAIL, &[&ids::to_db(key.0), &ids::to_db(key.1), &failure])
        .await?;
    Ok(failed > 0)
}

/// Delete a massban.
pub(crate) async fn remove(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    massban_id: i64,
) -> Result<(), StoreError> {
    const REMOVE: Statement = statement!(
        "massban_remove",
        [INT8, INT8],
        "DELETE FROM massban WHERE guild_id = $1 AND massban_id = $2"
    );
    tx.execute(REMOVE, &[&ids::to_db(guild_id), &massban_id])
        .await
        .map(drop)
}

/// The users of these cases, with their names, who are still banned by them: no newer case decides about them. The guild must be
/// [locked](super::mod_case::lock).
pub(crate) async fn still_banned(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    (first, last): (i64, i64),
) -> Result<Vec<(Id<UserMarker>, String)>, StoreError> {
    const STILL: Statement = statement!(
        "massban_still_banned",
        [INT8, INT8, INT8, TEXT_ARRAY],
        "SELECT user_id, coalesce(user_name, '') FROM mod_case AS c
         WHERE guild_id = $1 AND case_id BETWEEN $2 AND $3 AND outcome = 'done' AND ended_at IS NULL AND removed_at IS NULL
           AND NOT EXISTS (
               SELECT FROM mod_case AS n
               WHERE n.guild_id = c.guild_id AND n.user_id = c.user_id AND n.case_id > c.case_id AND n.kind = ANY ($4)
                 AND n.removed_at IS NULL
           )
         ORDER BY case_id"
    );
    let kinds: Vec<&str> = Kind::Ban.deciding().iter().map(|kind| kind.word()).collect();
    let rows = tx
        .query(STILL, &[&ids::to_db(guild_id), &first, &last, &kinds])
        .await?;
    let read = |row: &tokio_postgres::Row| Some((ids::from_db(row.get(0))?, row.get(1)));
    Ok(rows.iter().filter_map(read).collect())
}

/// How many of these cases have lifted a ban, and how many are still to do so.
pub(crate) async fn lifted(
    store: &Store,
    guild_id: Id<GuildMarker>,
    (first, last): (i64, i64),
) -> Result<(i64, i64), StoreError> {
    const LIFTED: Statement = statement!(
        "massban_lifted",
        [INT8, INT8, INT8],
        "SELECT count(*) FILTER (WHERE outcome = 'done'), count(*) FILTER (WHERE outcome IS NULL OR outcome = 'retried')
         FROM mod_case WHERE guild_id = $1 AND case_id BETWEEN $2 AND $3"
    );
    let rows = store
        .query(LIFTED, &[&ids::to_db(guild_id), &first, &last])
        .await?;
    Ok(rows.first().map_or((0, 0), |row| (row.get(0), row.get(1))))
}

/// The users of these cases whose bans were not carried out, with the key of the reason.
pub(crate) async fn not_banned(
    store: &Store,
    guild_id: Id<GuildMarker>,
    (first, last): (i64, i64),
) -> Result<Vec<(Id<UserMarker>, String)>, StoreError> {
    const NOT: Statement = statement!(
        "massban_not_banned",
        [INT8, INT8, INT8],
        "SELECT user_id, outcome FROM mod_case
         WHERE guild_id = $1 AND case_id BETWEEN $2 AND $3 AND outcome <> 'done' ORDER BY case_id"
    );
    let rows = store.query(NOT, &[&ids::to_db(guild_id), &first, &last]).await?;
    let read = |row: &tokio_postgres::Row| Some((ids::from_db(row.get(0))?, row.get(1)));
    Ok(rows.iter().filter_map(read).collect())
}
