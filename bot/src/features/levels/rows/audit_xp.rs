//! `audit_xp`: what requests did to members' XP, so that it can be taken back.

use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use crate::{
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids,
};

/// What a request did to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The member.
    pub user_id: Id<UserMarker>,
    /// XP that was added; negative if it was taken.
    pub xp: i64,
    /// The member's last week with XP, of which this was added. 0 without one.
    pub week: i32,
    /// XP of that week that was added.
    pub week_xp: i64,
}

impl Change {
    /// A member to whom nothing has been done yet.
    pub(crate) const fn none(user_id: Id<UserMarker>) -> Self {
        Self {
            user_id,
            xp: 0,
            week: 0,
            week_xp: 0,
        }
    }
}

/// Note what a request did to members, or, where it is 0 so far, is to do.
pub(crate) async fn add(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    interaction_id: Id<InteractionMarker>,
    changes: &[Change],
) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
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
        ADD,
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

/// What a request did to some members, in the order of their IDs, after one of them.
pub(crate) async fn some_of(
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

fn keys(guild_id: Id<GuildMarker>, interaction_id: Id<InteractionMarker>) -> (i64, i64) {
    (ids::to_db(guild_id), ids::to_db(interaction_id))
}
