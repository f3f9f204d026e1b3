//! `mass_change`: changes of many members' XP in progress, and how far each has got.

use std::time::Duration;

use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids::{from_db, to_db},
};

/// Identifies a change by its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) guild_id: Id<GuildMarker>,
    pub(crate) interaction_id: Id<InteractionMarker>,
}

/// A change and its progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) kind: String,
    /// The XP to give, take or set.
    pub(crate) amount: u64,
    /// The request that is undone.
    pub(crate) undone: Option<Id<InteractionMarker>>,
    /// Members up to this one are done.
    pub(crate) after: Option<Id<UserMarker>>,
    /// The number of members changed so far.
    pub(crate) members: u64,
}

/// Begin a change. Its request is recorded in the same transaction.
pub(crate) async fn begin(
    tx: &Tx<'_>,
    key: Key,
    kind: &str,
    amount: Option<u64>,
    undone: Option<Id<InteractionMarker>>,
) -> Result<(), StoreError> {
    const BEGIN: Statement = statement!(
        "mass_change_begin",
        [INT8, INT8, TEXT, INT8, INT8],
        "INSERT INTO mass_change (guild_id, interaction_id, kind, amount, undone_id) VALUES ($1, $2, $3, $4, $5)"
    );
    let amount = amount.map(u64::cast_signed);
    let undone = undone.map(to_db);
    let (guild, interaction) = key.to_db();
    tx.execute(BEGIN, &[&guild, &interaction, &kind, &amount, &undone])
        .await
        .map(drop)
}

/// Lock a change until the transaction ends, so that steps run one at a time. `None` if it is complete.
pub(crate) async fn lock(tx: &Tx<'_>, key: Key) -> Result<Option<Job>, StoreError> {
    const LOCK: Statement = statement!(
        "mass_change_lock",
        [INT8, INT8],
        "SELECT kind, amount, undone_id, after_user, members FROM mass_change
         WHERE guild_id = $1 AND interaction_id = $2 FOR UPDATE"
    );
    let (guild, interaction) = key.to_db();
    let rows = tx.query(LOCK, &[&guild, &interaction]).await?;
    Ok(rows.first().map(|row| Job {
        kind: row.get(0),
        amount: row.get::<_, Option<i64>>(1).unwrap_or(0).cast_unsigned(),
        undone: row.get::<_, Option<i64>>(2).and_then(from_db),
        after: from_db(row.get(3)),
        members: row.get::<_, i64>(4).cast_unsigned(),
    }))
}

/// Record that members up to `after` are done.
pub(crate) async fn moved(
    tx: &Tx<'_>,
    key: Key,
    after: Id<UserMarker>,
    members: u64,
) -> Result<(), StoreError> {
    const MOVED: Statement = statement!(
        "mass_change_moved",
        [INT8, INT8, INT8, INT8],
        "UPDATE mass_change SET after_user = $3, members = $4, touched_at = now()
         WHERE guild_id = $1 AND interaction_id = $2"
    );
    let (guild, interaction) = key.to_db();
    tx.execute(
        MOVED,
        &[&guild, &interaction, &to_db(after), &members.cast_signed()],
    )
    .await
    .map(drop)
}

/// Record that a change is complete.
pub(crate) async fn end(tx: &Tx<'_>, key: Key) -> Result<(), StoreError> {
    const END: Statement = statement!(
        "mass_change_end",
        [INT8, INT8],
        "DELETE FROM mass_change WHERE guild_id = $1 AND interaction_id = $2"
    );
    let (guild, interaction) = key.to_db();
    tx.execute(END, &[&guild, &interaction]).await.map(drop)
}

/// A change of one of these kinds that has made no progress for this long.
pub(crate) async fn left_alone(
    store: &Store,
    kinds: &[&str],
    since: Duration,
) -> Result<Option<Key>, StoreError> {
    const LEFT: Statement = statement!(
        "mass_change_left",
        [TEXT_ARRAY, FLOAT8],
        "SELECT guild_id, interaction_id FROM mass_change
         WHERE kind = ANY ($1) AND touched_at < now() - make_interval(secs => $2) ORDER BY touched_at LIMIT 1"
    );
    let rows = store.query(LEFT, &[&kinds, &since.as_secs_f64()]).await?;
    Ok(rows.first().and_then(|row| {
        Some(Key {
            guild_id: from_db(row.get(0))?,
            interaction_id: from_db(row.get(1))?,
        })
    }))
}

impl Key {
    fn to_db(self) -> (i64, i64) {
        (to_db(self.guild_id), to_db(self.interaction_id))
    }
}
