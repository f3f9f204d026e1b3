//! `audit_log`: changes made by commands, and who made them. `audit_xp`: their effect on members' XP, which undo needs.

use std::time::SystemTime;

use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// An entry to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The guild.
    pub guild_id: Id<GuildMarker>,
    /// The interaction that requested the change.
    pub interaction_id: Id<InteractionMarker>,
    /// The user who requested it.
    pub actor_id: Id<UserMarker>,
    /// The action, such as `xp_give`.
    pub action: &'static str,
    /// The target and the arguments, as JSON.
    pub details: String,
}

/// An entry as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The interaction that requested the change.
    pub interaction_id: Id<InteractionMarker>,
    /// The user who requested it.
    pub actor_id: Id<UserMarker>,
    /// The action.
    pub action: String,
    /// The amount of XP that was given, taken or set.
    pub amount: Option<i64>,
    /// The member, if it was a single one.
    pub user_id: Option<Id<UserMarker>>,
    /// The number of members whose XP was changed.
    pub members: u64,
    /// Whether it was undone.
    pub is_undone: bool,
    /// The time at which it was created.
    pub created_at: SystemTime,
}

/// The effect of an entry on a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The member.
    pub user_id: Id<UserMarker>,
    /// The XP that was added; negative if it was taken.
    pub xp: i64,
    /// The member's last week with XP, to which it was added; 0 without one.
    pub week: i32,
    /// The XP that was added to that week.
    pub week_xp: i64,
}

impl Change {
    /// A member without a change.
    pub(crate) const fn none(user_id: Id<UserMarker>) -> Self {
        Self {
            user_id,
            xp: 0,
            week: 0,
            week_xp: 0,
        }
    }
}

/// Write an entry. Returns false if there already is one for the interaction, whose request has then been carried out.
pub async fn begin(tx: &Tx<'_>, entry: &Entry) -> Result<bool, StoreError> {
    const BEGIN: Statement = statement!(
        "audit_log_begin",
        [INT8, INT8, INT8, TEXT, TEXT, TIMESTAMPTZ],
        "INSERT INTO audit_log (guild_id, interaction_id, actor_id, action, details, created_at)
         VALUES ($1, $2, $3, $4, $5::jsonb, $6)
         ON CONFLICT DO NOTHING"
    );
    let written = tx
        .execute(
            BEGIN,
            &[
                &ids::to_db(entry.guild_id),
                &ids::to_db(entry.interaction_id),
                &ids::to_db(entry.actor_id),
                &entry.action,
                &entry.details,
                &ids::to_time(ids::millis(entry.interaction_id)),
            ],
        )
        .await?;
    Ok(written > 0)
}

/// Record the effects of an entry on members. A 0 marks a member whose change is still to be made.
pub(crate) async fn changed(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    interaction_id: Id<InteractionMarker>,
    changes: &[Change],
) -> Result<(), StoreError> {
    const CHANGED: Statement = statement!(
        "audit_xp_add",
        [INT8, INT8, INT8_ARRAY, INT8_ARRAY, INT4_ARRAY, INT8_ARRAY],
        "INSERT INTO audit_xp (guild_id, interaction_id, user_id, change, week, week_change)
         SELECT $1, $2, c.*
         FROM unnest($3::int8[], $4::int8[], $5::int4[], $6::int8[]) AS c (user_id, change, week, week_change)
         ON CONFLICT (guild_id, interaction_id, user_id) DO UPDATE
         SET change = excluded.change, week = excluded.week, week_change = excluded.week_change"
    );
    let column = |of: fn(&Change) -> i64| changes.iter().map(of).collect::<Vec<i64>>();
    let weeks: Vec<i32> = changes.iter().map(|change| change.week).collect();
    let (guild, interaction) = keys(guild_id, interaction_id);
    tx.execute(
        CHANGED,
        &[
            &guild,
            &interaction,
            &column(|change| ids::to_db(change.user_id)),
            &column(|change| change.xp),
            &weeks,
            &column(|change| change.week_xp),
        ],
    )
    .await
    .map(drop)
}

/// Record the number of members changed by an entry.
pub(crate) async fn count(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    interaction_id: Id<InteractionMarker>,
    members: u64,
) -> Result<(), StoreError> {
    const COUNT: Statement = statement!(
        "audit_log_count",
        [INT8, INT8, INT8],
        "UPDATE audit_log SET members = $3 WHERE guild_id = $1 AND interaction_id = $2"
    );
    let (guild, interaction) = keys(guild_id, interaction_id);
    tx.execute(COUNT, &[&guild, &interaction, &members.cast_signed()])
        .await
        .map(drop)
}

/// Mark an entry as undone by another. Returns false if there is no such entry that changed XP and has not been undone.
pub async fn take_back(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    interaction_id: Id<InteractionMarker>,
    by: Id<InteractionMarker>,
) -> Result<bool, StoreError> {
    const TAKE_BACK: Statement = statement!(
        "audit_log_take_back",
        [INT8, INT8, INT8],
        "UPDATE audit_log SET undone_by = $3
         WHERE guild_id = $1 AND interaction_id = $2 AND undone_by IS NULL AND members > 0"
    );
    let (guild, interaction) = keys(guild_id, interaction_id);
    let marked = tx
        .execute(TAKE_BACK, &[&guild, &interaction, &ids::to_db(by)])
        .await?;
    Ok(marked > 0)
}

/// The effects of an entry on some members, ordered by user ID, after a given one.
pub(crate) async fn some_changes_of(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    interaction_id: Id<InteractionMarker>,
    after: Option<Id<UserMarker>>,
    limit: u32,
) -> Result<Vec<Change>, StoreError> {
    const CHANGES: Statement = statement!(
        "audit_xp_of",
        [INT8, INT8, INT8, INT8],
        "SELECT user_id, change, week, week_change FROM audit_xp WHERE guild_id = $1 AND interaction_id = $2 AND user_id > $3
         ORDER BY user_id LIMIT $4"
    );
    let (guild, interaction) = keys(guild_id, interaction_id);
    let after = after.map_or(0, ids::to_db);
    let rows = tx
        .query(CHANGES, &[&guild, &interaction, &after, &i64::from(limit)])
        .await?;
    let read = rows.iter().filter_map(|row| {
        Some(Change {
            user_id: ids::from_db(row.get(0))?,
            xp: row.get(1),
            week: row.get(2),
            week_xp: row.get(3),
        })
    });
    Ok(read.collect())
}

/// The number of members changed by an entry.
pub(crate) async fn members_of(
    store: &Store,
    guild_id: Id<GuildMarker>,
    interaction_id: Id<InteractionMarker>,
) -> Result<u64, StoreError> {
    const MEMBERS: Statement = statement!(
        "audit_log_members",
        [INT8, INT8],
        "SELECT members FROM audit_log WHERE guild_id = $1 AND interaction_id = $2"
    );
    let (guild, interaction) = keys(guild_id, interaction_id);
    let rows = store.query(MEMBERS, &[&guild, &interaction]).await?;
    Ok(rows.first().map_or(0, |row| row.get::<_, i64>(0).cast_unsigned()))
}

/// The newest entries that changed members' XP.
pub async fn recent(
    store: &Store,
    guild_id: Id<GuildMarker>,
    limit: u32,
) -> Result<Vec<Written>, StoreError> {
    const RECENT: Statement = statement!(
        "audit_log_recent",
        [INT8, INT8],
        "SELECT interaction_id, actor_id, action, members, undone_by IS NOT NULL, created_at,
                (details->>'amount')::int8, (details->>'user_id')::int8
         FROM audit_log WHERE guild_id = $1 AND members > 0 ORDER BY interaction_id DESC LIMIT $2"
    );
    let rows = store
        .query(RECENT, &[&ids::to_db(guild_id), &i64::from(limit)])
        .await?;
    Ok(rows.iter().filter_map(written_of).collect())
}

fn keys(guild_id: Id<GuildMarker>, interaction_id: Id<InteractionMarker>) -> (i64, i64) {
    (ids::to_db(guild_id), ids::to_db(interaction_id))
}

fn written_of(row: &Row) -> Option<Written> {
    Some(Written {
        interaction_id: ids::from_db(row.get(0))?,
        actor_id: ids::from_db(row.get(1))?,
        action: row.get(2),
        members: row.get::<_, i64>(3).cast_unsigned(),
        is_undone: row.get(4),
        created_at: row.get(5),
        amount: row.get(6),
        user_id: row.get::<_, Option<i64>>(7).and_then(ids::from_db),
    })
}
