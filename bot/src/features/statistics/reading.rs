//! `statistic`, read.

use std::time::SystemTime;

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, statement::statement},
    support::ids,
};

/// Rows of a download.
const MOST: i64 = 200_000;

/// How often something happened in an hour or on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) kind: String,
    pub(super) begins_at: SystemTime,
    pub(super) amount: u64,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) begins_at: SystemTime,
    pub(super) is_day: bool,
    pub(super) kind: String,
    pub(super) channel_id: Option<Id<ChannelMarker>>,
    pub(super) command: String,
    pub(super) amount: u64,
}

/// The condition that finds a guild's rows since a time by the key.
macro_rules! since {
    () => {
        " FROM statistic WHERE guild_id = $1 AND kind IN ('command', 'join', 'leave', 'message') AND begins_at >= $2 "
    };
}

/// What happened since this time, by day or by hour.
pub(super) async fn sums(
    store: &Store,
    guild_id: Id<GuildMarker>,
    from: SystemTime,
    by_day: bool,
) -> Result<Vec<Sum>, StoreError> {
    const SUMS: Statement = statement!(
        "statistic_sums",
        [INT8, TIMESTAMPTZ, BOOL],
        "SELECT kind, CASE WHEN $3 THEN date_trunc('day', begins_at, 'UTC') ELSE begins_at END, sum(amount)::int8",
        since!(),
        "GROUP BY 1, 2 ORDER BY 1, 2"
    );
    let rows = store
        .query(SUMS, &[&ids::to_db(guild_id), &from, &by_day])
        .await?;
    Ok(rows
        .iter()
        .map(|row| Sum {
            kind: row.get(0),
            begins_at: row.get(1),
            amount: row.get::<_, i64>(2).cast_unsigned(),
        })
        .collect())
}

/// The channels with the most messages since this time.
pub(super) async fn channels(
    store: &Store,
    guild_id: Id<GuildMarker>,
    from: SystemTime,
    limit: i64,
) -> Result<Vec<(String, u64)>, StoreError> {
    const CHANNELS: Statement = statement!(
        "statistic_channels",
        [INT8, TIMESTAMPTZ, INT8],
        "SELECT channel_id::text, sum(amount)::int8 FROM statistic WHERE guild_id = $1 AND kind = 'message' AND begins_at >= $2
         GROUP BY channel_id ORDER BY 2 DESC, channel_id LIMIT $3"
    );
    named(store, CHANNELS, guild_id, from, limit).await
}

/// The commands that were used most since this time.
pub(super) async fn commands(
    store: &Store,
    guild_id: Id<GuildMarker>,
    from: SystemTime,
    limit: i64,
) -> Result<Vec<(String, u64)>, StoreError> {
    const COMMANDS: Statement = statement!(
        "statistic_commands",
        [INT8, TIMESTAMPTZ, INT8],
        "SELECT command, sum(amount)::int8 FROM statistic WHERE guild_id = $1 AND kind = 'command' AND begins_at >= $2
         GROUP BY command ORDER BY 2 DESC, command LIMIT $3"
    );
    named(store, COMMANDS, guild_id, from, limit).await
}

async fn named(
    store: &Store,
    statement: Statement,
    guild_id: Id<GuildMarker>,
    from: SystemTime,
    limit: i64,
) -> Result<Vec<(String, u64)>, StoreError> {
    let rows = store
        .query(statement, &[&ids::to_db(guild_id), &from, &limit])
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), row.get::<_, i64>(1).cast_unsigned()))
        .collect())
}

/// Messages since this time by the hour of the day (UTC), of days whose hours are not added up.
pub(super) async fn hours_of_day(
    store: &Store,
    guild_id: Id<GuildMarker>,
    from: SystemTime,
) -> Result<Vec<(u8, u64)>, StoreError> {
    const HOURS: Statement = statement!(
        "statistic_hours_of_day",
        [INT8, TIMESTAMPTZ],
        "SELECT extract(hour FROM begins_at AT TIME ZONE 'UTC')::int8, sum(amount)::int8 FROM statistic
         WHERE guild_id = $1 AND kind = 'message' AND begins_at >= $2 AND NOT is_day GROUP BY 1 ORDER BY 1"
    );
    let rows = store.query(HOURS, &[&ids::to_db(guild_id), &from]).await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            Some((
                u8::try_from(row.get::<_, i64>(0)).ok()?,
                row.get::<_, i64>(1).cast_unsigned(),
            ))
        })
        .collect())
}

/// Everything since this time, the newest first.
pub(super) async fn all(
    store: &Store,
    guild_id: Id<GuildMarker>,
    from: SystemTime,
) -> Result<Vec<Count>, StoreError> {
    const ALL: Statement = statement!(
        "statistic_all",
        [INT8, TIMESTAMPTZ, INT8],
        "SELECT begins_at, is_day, kind, channel_id, command, amount",
        since!(),
        "ORDER BY begins_at DESC, kind, channel_id, command LIMIT $3"
    );
    let rows = store.query(ALL, &[&ids::to_db(guild_id), &from, &MOST]).await?;
    Ok(rows
        .iter()
        .map(|row| Count {
            begins_at: row.get(0),
            is_day: row.get(1),
            kind: row.get(2),
            channel_id: ids::from_db(row.get(3)),
            command: row.get(4),
            amount: row.get::<_, i64>(5).cast_unsigned(),
        })
        .collect())
}
