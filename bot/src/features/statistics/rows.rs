//! `statistic`: what was counted, by the hour and then by the day.

use std::{collections::BTreeMap, time::SystemTime};

use twilight_model::id::{Id, marker::GuildMarker};

use super::counts::{Counted, Subject};
use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// Rows that one statement deletes.
const AT_ONCE: i64 = 5_000;
/// Days after which the hours of a day are added up.
const HOURS_FOR_DAYS: i32 = 14;

/// Add counts to what is stored. Returns the number of rows.
pub(super) async fn add(tx: &Tx<'_>, counted: Vec<Counted>) -> Result<usize, StoreError> {
    const ADD: Statement = statement!(
        "statistic_add",
        [
            INT8_ARRAY,
            TEXT_ARRAY,
            TIMESTAMPTZ_ARRAY,
            INT8_ARRAY,
            TEXT_ARRAY,
            INT8_ARRAY
        ],
        "INSERT INTO statistic AS s (guild_id, kind, begins_at, is_day, channel_id, command, amount)
         SELECT c.guild_id, c.kind, c.begins_at, false, c.channel_id, c.command, c.amount
         FROM unnest($1::int8[], $2::text[], $3::timestamptz[], $4::int8[], $5::text[], $6::int8[])
              AS c (guild_id, kind, begins_at, channel_id, command, amount)
         ON CONFLICT (guild_id, kind, begins_at, is_day, channel_id, command)
         DO UPDATE SET amount = s.amount + excluded.amount"
    );
    // In the order of the key, and each key once: a guild that moves between shards is in the batches of both.
    let mut amounts: BTreeMap<Key, i64> = BTreeMap::new();
    for counted in counted {
        *amounts.entry(Key::of(&counted)).or_default() += counted.amount;
    }
    let column = |of: fn(&Key) -> i64| amounts.keys().map(of).collect::<Vec<i64>>();
    let begins: Vec<SystemTime> = amounts.keys().map(|key| ids::to_time(key.hour * HOUR)).collect();
    let kinds: Vec<&str> = amounts.keys().map(|key| key.kind).collect();
    let commands: Vec<&str> = amounts.keys().map(|key| key.command.as_str()).collect();
    let sums: Vec<i64> = amounts.values().copied().collect();
    tx.execute(
        ADD,
        &[
            &column(|key| key.guild_id),
            &kinds,
            &begins,
            &column(|key| key.channel_id),
            &commands,
            &sums,
        ],
    )
    .await?;
    Ok(amounts.len())
}

const HOUR: ids::Millis = 60 * 60 * 1_000;

/// The key of a row of an hour, in the order of the table's.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    guild_id: i64,
    kind: &'static str,
    hour: i64,
    channel_id: i64,
    command: String,
}

impl Key {
    fn of(counted: &Counted) -> Self {
        let (channel_id, command) = match &counted.subject {
            Subject::Message(channel_id) => (ids::to_db(*channel_id), String::new()),
            Subject::Command(name) => (0, name.clone()),
            Subject::Join | Subject::Leave => (0, String::new()),
        };
        Self {
            guild_id: ids::to_db(counted.guild_id),
            kind: counted.subject.kind(),
            hour: counted.hour,
            channel_id,
            command,
        }
    }
}

/// The next guilds with statistics after this one; up to 500.
pub(super) async fn guilds(
    store: &Store,
    after: Option<Id<GuildMarker>>,
) -> Result<Vec<Id<GuildMarker>>, StoreError> {
    // Skips from guild to guild by the key.
    const GUILDS: Statement = statement!(
        "statistic_guilds",
        [INT8],
        "WITH RECURSIVE g (guild_id) AS (
             (SELECT guild_id FROM statistic WHERE guild_id > $1 ORDER BY guild_id LIMIT 1)
             UNION ALL
             SELECT (SELECT s.guild_id FROM statistic AS s WHERE s.guild_id > g.guild_id ORDER BY s.guild_id LIMIT 1)
             FROM g WHERE g.guild_id IS NOT NULL
         )
         SELECT guild_id FROM g WHERE guild_id IS NOT NULL LIMIT 500"
    );
    let rows = store.query(GUILDS, &[&after.map_or(0, ids::to_db)]).await?;
    Ok(rows.iter().filter_map(|row| ids::from_db(row.get(0))).collect())
}

/// Replace old hours of a guild by their days. Returns whether there may be more.
pub(super) async fn roll_up(store: &Store, guild_id: Id<GuildMarker>) -> Result<bool, StoreError> {
    // Adds to a day that is there: an hour can get a late message after its day was made.
    const ROLL_UP: Statement = statement!(
        "statistic_roll_up",
        [INT8, INT4, INT8],
        "WITH gone AS (
             DELETE FROM statistic WHERE guild_id = $1 AND ctid = ANY (ARRAY(
                 SELECT ctid FROM statistic
                 WHERE guild_id = $1 AND NOT is_day AND kind IN ('command', 'join', 'leave', 'message')
                   AND begins_at < date_trunc('day', now(), 'UTC') - make_interval(days => $2)
                 LIMIT $3
             )) RETURNING *
         ), added AS (
             INSERT INTO statistic AS s (guild_id, kind, begins_at, is_day, channel_id, command, amount)
             SELECT guild_id, kind, date_trunc('day', begins_at, 'UTC'), true, channel_id, command, sum(amount)::int8
             FROM gone GROUP BY 1, 2, 3, 5, 6 ORDER BY 1, 2, 3, 5, 6
             ON CONFLICT (guild_id, kind, begins_at, is_day, channel_id, command)
             DO UPDATE SET amount = s.amount + excluded.amount
         )
         SELECT count(*) FROM gone"
    );
    let guild = ids::to_db(guild_id);
    store
        .transaction("statistic_roll_up", move |tx| {
            Box::pin(async move {
                let rows = tx.query(ROLL_UP, &[&guild, &HOURS_FOR_DAYS, &AT_ONCE]).await?;
                let gone: i64 = rows.first().map_or(0, |row| row.get(0));
                Ok(gone >= AT_ONCE)
            })
        })
        .await
}

/// Delete what a guild counted more than `days` ago. Returns whether there may be more.
pub(super) async fn expire(store: &Store, guild_id: Id<GuildMarker>, days: i64) -> Result<bool, StoreError> {
    const EXPIRE: Statement = statement!(
        "statistic_expire",
        [INT8, INT4, INT8],
        "DELETE FROM statistic WHERE guild_id = $1 AND ctid = ANY (ARRAY(
             SELECT ctid FROM statistic WHERE guild_id = $1 AND kind IN ('command', 'join', 'leave', 'message')
                AND begins_at < now() - make_interval(days => $2)
             LIMIT $3
         ))"
    );
    let (guild, days) = (ids::to_db(guild_id), i32::try_from(days).unwrap_or(i32::MAX));
    store
        .transaction("statistic_expire", move |tx| {
            Box::pin(async move {
                let deleted = tx.execute(EXPIRE, &[&guild, &days, &AT_ONCE]).await?;
                Ok(deleted >= AT_ONCE.cast_unsigned())
            })
        })
        .await
}
