//! `quarantine`: changes that PostgreSQL rejected, stored as data until an operator applies or discards them.

use crate::{
    flush::{Kept, SetAside},
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids::{Millis, from_db, to_db, to_millis},
};

/// The guild of a change that belongs to none.
const NO_GUILD: i64 = 0;

/// A change to be stored, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewEntry {
    pub(crate) change: SetAside,
    pub(crate) sqlstate: String,
    /// PostgreSQL's message, which names constraints and tables but no values.
    pub(crate) reason: String,
}

impl NewEntry {
    /// The change, which failed with this error.
    pub(crate) fn new(change: SetAside, error: &StoreError) -> Self {
        Self {
            change,
            sqlstate: error
                .sqlstate()
                .map_or_else(String::new, |state| state.code().to_owned()),
            reason: error.to_string(),
        }
    }
}

/// A stored change for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) quarantine_id: i64,
    pub(crate) guild_id: i64,
    pub(crate) user_id: Option<i64>,
    pub(crate) kind: String,
    pub(crate) body: String,
    pub(crate) sqlstate: String,
    pub(crate) reason: String,
    /// In RFC 3339 and UTC.
    pub(crate) quarantined_at: String,
}

/// Store these changes, in this order.
pub(crate) async fn add(tx: &Tx<'_>, changes: &[NewEntry]) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
        "quarantine_add",
        [
            INT8_ARRAY, TEXT_ARRAY, INT8_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY
        ],
        "INSERT INTO quarantine (guild_id, kind, user_id, body, sqlstate, reason)
         SELECT * FROM unnest($1::int8[], $2::text[], $3::int8[], $4::text[], $5::text[], $6::text[])"
    );
    let guilds: Vec<i64> = changes
        .iter()
        .map(|change| change.change.guild_id.map_or(NO_GUILD, to_db))
        .collect();
    let kinds: Vec<&str> = changes.iter().map(|change| change.change.kind).collect();
    let users: Vec<Option<i64>> = changes
        .iter()
        .map(|change| change.change.user_id.map(to_db))
        .collect();
    let bodies: Vec<&str> = changes.iter().map(|change| change.change.body.as_str()).collect();
    let states: Vec<&str> = changes.iter().map(|change| change.sqlstate.as_str()).collect();
    let reasons: Vec<&str> = changes.iter().map(|change| change.reason.as_str()).collect();
    tx.execute(ADD, &[&guilds, &kinds, &users, &bodies, &states, &reasons])
        .await
        .map(drop)
}

/// Lock a change until the transaction ends, if it exists, and return it with the time of its rejection. Other transactions that lock it
/// wait, and see the result.
pub(crate) async fn lock(tx: &Tx<'_>, quarantine_id: i64) -> Result<Option<(Kept, Millis)>, StoreError> {
    const LOCK: Statement = statement!(
        "quarantine_lock",
        [INT8],
        "SELECT kind, guild_id, user_id, body, quarantined_at FROM quarantine WHERE quarantine_id = $1 FOR UPDATE"
    );
    let rows = tx.query(LOCK, &[&quarantine_id]).await?;
    Ok(rows.first().map(|row| {
        let kept = Kept {
            kind: row.get(0),
            guild_id: from_db(row.get(1)),
            user_id: row.get::<_, Option<i64>>(2).and_then(from_db),
            body: row.get(3),
        };
        (kept, to_millis(row.get(4)))
    }))
}

/// Delete a change. Returns `false` if it does not exist.
pub(crate) async fn remove(tx: &Tx<'_>, quarantine_id: i64) -> Result<bool, StoreError> {
    const REMOVE: Statement = statement!(
        "quarantine_remove",
        [INT8],
        "DELETE FROM quarantine WHERE quarantine_id = $1"
    );
    Ok(tx.execute(REMOVE, &[&quarantine_id]).await? > 0)
}

/// The changes, oldest first, which is the order in which to apply them.
pub(crate) async fn list(store: &Store, limit: u32) -> Result<Vec<Shown>, StoreError> {
    const LIST: Statement = statement!(
        "quarantine_list",
        [INT8],
        "SELECT quarantine_id, guild_id, user_id, kind, body, sqlstate, reason,
                to_char(quarantined_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
         FROM quarantine ORDER BY quarantine_id LIMIT $1"
    );
    let rows = store.query(LIST, &[&i64::from(limit)]).await?;
    Ok(rows
        .iter()
        .map(|row| Shown {
            quarantine_id: row.get(0),
            guild_id: row.get(1),
            user_id: row.get(2),
            kind: row.get(3),
            body: row.get(4),
            sqlstate: row.get(5),
            reason: row.get(6),
            quarantined_at: row.get(7),
        })
        .collect())
}

/// The numbers of all changes, oldest first.
pub(crate) async fn numbers(store: &Store) -> Result<Vec<i64>, StoreError> {
    const NUMBERS: Statement = statement!(
        "quarantine_numbers",
        [],
        "SELECT quarantine_id FROM quarantine ORDER BY quarantine_id"
    );
    let rows = store.query(NUMBERS, &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The number of changes.
pub(crate) async fn count(store: &Store) -> Result<i64, StoreError> {
    const COUNT: Statement = statement!("quarantine_count", [], "SELECT count(*) FROM quarantine");
    let rows = store.query(COUNT, &[]).await?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}
