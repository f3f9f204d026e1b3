//! `xp_multiplier` and `xp_boost`: multipliers for roles and channels.

use std::time::Duration;

use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker},
};

use crate::{
    postgres::{
        Statement, StoreError, Tx,
        statement::statement,
        timer::{self, Due, NewTimer},
    },
    settings::values::earning::{Boost, Percent, Target},
    support::ids::{self, Millis},
};

/// Set the multiplier of a role or channel; `None` removes it.
pub async fn put(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    target: Target,
    percent: Option<Percent>,
) -> Result<(), StoreError> {
    const PUT: Statement = statement!(
        "xp_multiplier_put",
        [INT8, TEXT, INT8, INT8],
        "INSERT INTO xp_multiplier (guild_id, target_kind, target_id, percent) VALUES ($1, $2, $3, $4)
         ON CONFLICT (guild_id, target_kind, target_id) DO UPDATE SET percent = excluded.percent"
    );
    const REMOVE: Statement = statement!(
        "xp_multiplier_remove",
        [INT8, TEXT, INT8],
        "DELETE FROM xp_multiplier WHERE guild_id = $1 AND target_kind = $2 AND target_id = $3"
    );
    let guild = ids::to_db(guild_id);
    let (kind, id) = columns(target);
    match percent {
        Some(percent) => tx.execute(PUT, &[&guild, &kind, &id, &i64::from(percent)]).await,
        None => tx.execute(REMOVE, &[&guild, &kind, &id]).await,
    }
    .map(drop)
}

/// The kind of the timer that deletes a boost.
pub const BOOST_REMOVAL: &str = "boost_removal";

/// How long a boost is kept after its end. Older missed messages are not read back.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// Start a boost, or let it end later. It is deleted a month after its end.
pub async fn add_boost(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    boost_id: Id<InteractionMarker>,
    boost: &Boost,
) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
        "xp_boost_add",
        [INT8, INT8, TEXT, INT8, INT8, TIMESTAMPTZ, TIMESTAMPTZ],
        "INSERT INTO xp_boost (guild_id, boost_id, target_kind, target_id, percent, starts_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (guild_id, boost_id) DO UPDATE SET ends_at = excluded.ends_at"
    );
    let guild = ids::to_db(guild_id);
    let (kind, id) = columns(boost.target);
    tx.execute(
        ADD,
        &[
            &guild,
            &ids::to_db(boost_id),
            &kind,
            &id,
            &i64::from(boost.percent),
            &ids::to_time(boost.from),
            &ids::to_time(boost.until),
        ],
    )
    .await?;
    let removal = NewTimer {
        guild_id,
        kind: BOOST_REMOVAL,
        timer_id: ids::to_db(boost_id),
        due: Due::At(ids::to_time(boost.until) + KEPT),
        body: "{}".to_owned(),
    };
    timer::arm(tx, &[removal]).await
}

/// Delete the boosts that ended a month ago.
pub async fn remove_boosts(tx: &Tx<'_>, guild_id: Id<GuildMarker>) -> Result<(), StoreError> {
    const REMOVE: Statement = statement!(
        "xp_boost_remove",
        [INT8, FLOAT8],
        "DELETE FROM xp_boost WHERE guild_id = $1 AND ends_at <= now() - make_interval(secs => $2)"
    );
    tx.execute(REMOVE, &[&ids::to_db(guild_id), &KEPT.as_secs_f64()])
        .await
        .map(drop)
}

/// End the boosts that have not ended yet, or only this one.
pub async fn end_boosts(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    boost_id: Option<Id<InteractionMarker>>,
    at: Millis,
) -> Result<(), StoreError> {
    const END: Statement = statement!(
        "xp_boost_end",
        [INT8, TIMESTAMPTZ, INT8],
        "UPDATE xp_boost SET ends_at = $2 WHERE guild_id = $1 AND ends_at > $2 AND coalesce(boost_id = $3, true)"
    );
    let boost_id = boost_id.map(ids::to_db);
    tx.execute(END, &[&ids::to_db(guild_id), &ids::to_time(at), &boost_id])
        .await
        .map(drop)
}

pub(in crate::settings) fn columns(target: Target) -> (&'static str, i64) {
    match target {
        Target::Role(role_id) => ("role", ids::to_db(role_id)),
        Target::Channel(channel_id) => ("channel", ids::to_db(channel_id)),
        Target::Server => ("server", 0),
    }
}
