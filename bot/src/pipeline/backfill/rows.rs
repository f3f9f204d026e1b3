//! `backfill_channel`, `backfill_message` and `gap_unread`: what has to be read, what is held, and what was never read.

use std::collections::BTreeMap;

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker},
};

use crate::{
    pipeline::backfill::{Change, HeldMessage, Span, Unread},
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids::{ShardKey, from_db, to_db},
};

/// The channel of a row that stands for a whole guild.
const NO_CHANNEL: i64 = 0;

/// What earlier processes left to be read in the guilds of one shard.
#[derive(Debug, Default)]
pub struct Left {
    /// The channels; `None` for a guild whose channels are not yet known.
    pub channels: Vec<(Id<GuildMarker>, Option<Id<ChannelMarker>>, Span)>,
    /// The held messages.
    pub held: Vec<HeldMessage>,
}

/// Read what is left. The shard has already been taken, so no other process adds to it.
///
/// <https://discord.com/developers/docs/events/gateway#sharding> defines the guilds of a shard.
pub async fn left(store: &Store, shard: ShardKey) -> Result<Left, StoreError> {
    const CHANNELS: Statement = statement!(
        "backfill_channel_left",
        [INT8, INT8],
        "SELECT guild_id, channel_id, after_id, until_id FROM backfill_channel
         WHERE (guild_id >> 22) % $1 = $2 ORDER BY guild_id, channel_id"
    );
    const MESSAGES: Statement = statement!(
        "backfill_message_left",
        [INT8, INT8],
        "SELECT guild_id, message_id, channel_id, user_id, only_read FROM backfill_message
         WHERE (guild_id >> 22) % $1 = $2 ORDER BY guild_id, message_id"
    );
    let (count, id) = (i64::from(shard.count), i64::from(shard.id));
    let channels = store.query(CHANNELS, &[&count, &id]).await?;
    let messages = store.query(MESSAGES, &[&count, &id]).await?;
    let channels = channels.iter().filter_map(|row| {
        let span = Span {
            after: from_db(row.get(2))?,
            until: from_db(row.get(3))?,
        };
        Some((from_db(row.get(0))?, from_db(row.get(1)), span))
    });
    let held = messages.iter().filter_map(|row| {
        Some(HeldMessage {
            guild_id: from_db(row.get(0))?,
            id: from_db(row.get(1))?,
            channel_id: from_db(row.get(2))?,
            user_id: from_db(row.get(3))?,
            only_read: row.get(4),
        })
    });
    Ok(Left {
        channels: channels.collect(),
        held: held.collect(),
    })
}

/// Record the changes of a batch, in order. The caller's transaction moves the shard's checkpoint, so it happens once.
pub async fn record(tx: &Tx<'_>, shard: ShardKey, changes: &[Change]) -> Result<(), StoreError> {
    // A new session has thousands of guilds, so there is one statement per kind of change.
    for alike in changes.chunk_by(|a, b| std::mem::discriminant(a) == std::mem::discriminant(b)) {
        match alike[0] {
            Change::Await { .. } => await_guilds(tx, alike).await?,
            Change::Planned { .. } => plan(tx, alike).await?,
            Change::Held(_) => hold(tx, alike).await?,
            Change::Further { .. } => reach_further(tx, alike).await?,
            Change::Read { .. } => read(tx, shard, alike).await?,
            Change::Unread { .. } => leave_unread(tx, shard, alike).await?,
            Change::Ended { .. } => end(tx, alike).await?,
        }
    }
    Ok(())
}

async fn await_guilds(tx: &Tx<'_>, changes: &[Change]) -> Result<(), StoreError> {
    // An existing row has waited longer, and missed more.
    const AWAIT: Statement = statement!(
        "backfill_channel_await",
        [INT8_ARRAY, INT8_ARRAY],
        "INSERT INTO backfill_channel (guild_id, channel_id, after_id, until_id)
         SELECT guild_id, 0, after_id, after_id FROM unnest($1::int8[], $2::int8[]) AS a (guild_id, after_id)
         ON CONFLICT DO NOTHING"
    );
    let (guilds, after): (Vec<i64>, Vec<i64>) = changes
        .iter()
        .filter_map(|change| match change {
            Change::Await { guild_id, after } => Some((to_db(*guild_id), to_db(*after))),
            _ => None,
        })
        .unzip();
    tx.execute(AWAIT, &[&guilds, &after]).await.map(drop)
}

async fn plan(tx: &Tx<'_>, changes: &[Change]) -> Result<(), StoreError> {
    const KNOWN: Statement = statement!(
        "backfill_channel_known",
        [INT8_ARRAY],
        "DELETE FROM backfill_channel WHERE guild_id = ANY($1::int8[]) AND channel_id = 0"
    );
    const PLAN: Statement = statement!(
        "backfill_channel_plan",
        [INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY],
        "INSERT INTO backfill_channel (guild_id, channel_id, after_id, until_id)
         SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[])
         ON CONFLICT (guild_id, channel_id) DO UPDATE SET after_id = excluded.after_id, until_id = excluded.until_id"
    );
    let mut guilds = Vec::new();
    // By key, because PostgreSQL cannot update a row twice in one statement.
    let mut spans = BTreeMap::new();
    for change in changes {
        if let Change::Planned { guild_id, channels } = change {
            guilds.push(to_db(*guild_id));
            for (channel, span) in channels {
                spans.insert((*guild_id, *channel), *span);
            }
        }
    }
    tx.execute(KNOWN, &[&guilds]).await?;
    if spans.is_empty() {
        return Ok(());
    }
    let (guilds, channels): (Vec<i64>, Vec<i64>) = spans
        .keys()
        .map(|(guild, channel)| (to_db(*guild), to_db(*channel)))
        .unzip();
    let (after, until): (Vec<i64>, Vec<i64>) = spans
        .values()
        .map(|span| (to_db(span.after), to_db(span.until)))
        .unzip();
    tx.execute(PLAN, &[&guilds, &channels, &after, &until])
        .await
        .map(drop)
}

async fn hold(tx: &Tx<'_>, changes: &[Change]) -> Result<(), StoreError> {
    const HOLD: Statement = statement!(
        "backfill_message_hold",
        [INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, BOOL_ARRAY],
        "INSERT INTO backfill_message AS m (guild_id, message_id, channel_id, user_id, only_read)
         SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::bool[])
         ON CONFLICT (guild_id, message_id) DO UPDATE SET only_read = false
         WHERE m.only_read AND NOT excluded.only_read"
    );
    // By key, because PostgreSQL cannot update a row twice in one statement. A message from the gateway arrived after it was read.
    let mut messages = BTreeMap::new();
    for change in changes {
        if let Change::Held(held) = change {
            messages.extend(
                held.iter()
                    .map(|message| ((message.guild_id, message.id), message)),
            );
        }
    }
    let column = |of: fn(&HeldMessage) -> i64| messages.values().map(|held| of(held)).collect::<Vec<_>>();
    let only_read: Vec<bool> = messages.values().map(|held| held.only_read).collect();
    tx.execute(
        HOLD,
        &[
            &column(|held| to_db(held.guild_id)),
            &column(|held| to_db(held.id)),
            &column(|held| to_db(held.channel_id)),
            &column(|held| to_db(held.user_id)),
            &only_read,
        ],
    )
    .await
    .map(drop)
}

async fn reach_further(tx: &Tx<'_>, changes: &[Change]) -> Result<(), StoreError> {
    const FURTHER: Statement = statement!(
        "backfill_channel_further",
        [INT8_ARRAY, INT8_ARRAY, INT8_ARRAY],
        "UPDATE backfill_channel AS b SET until_id = f.until_id
         FROM unnest($1::int8[], $2::int8[], $3::int8[]) AS f (guild_id, channel_id, until_id)
         WHERE b.guild_id = f.guild_id AND b.channel_id = f.channel_id AND b.until_id < f.until_id"
    );
    let mut furthest = BTreeMap::new();
    for change in changes {
        if let Change::Further { guild_id, channels } = change {
            furthest.extend(
                channels
                    .iter()
                    .map(|(channel, until)| ((*guild_id, *channel), *until)),
            );
        }
    }
    let (guilds, channels): (Vec<i64>, Vec<i64>) = furthest
        .keys()
        .map(|(guild, channel)| (to_db(*guild), to_db(*channel)))
        .unzip();
    let until: Vec<i64> = furthest.values().map(|until| to_db(*until)).collect();
    tx.execute(FURTHER, &[&guilds, &channels, &until]).await.map(drop)
}

async fn read(tx: &Tx<'_>, shard: ShardKey, changes: &[Change]) -> Result<(), StoreError> {
    const MOVE: Statement = statement!(
        "backfill_channel_move",
        [INT8_ARRAY, INT8_ARRAY],
        "UPDATE backfill_channel AS b SET after_id = least(r.through, b.until_id)
         FROM unnest($1::int8[], $2::int8[]) AS r (guild_id, through)
         WHERE b.guild_id = r.guild_id AND b.channel_id <> 0 AND b.after_id < least(r.through, b.until_id)"
    );
    const COUNTED: Statement = statement!(
        "backfill_message_counted",
        [INT8_ARRAY, INT8_ARRAY],
        "DELETE FROM backfill_message AS m USING unnest($1::int8[], $2::int8[]) AS r (guild_id, through)
         WHERE m.guild_id = r.guild_id AND m.message_id <= r.through"
    );
    const ADD: Statement = statement!(
        "gap_read_back",
        [INT8, INT8, INT8],
        "UPDATE gap SET read_back = read_back + $3 WHERE shard_count = $1 AND shard_id = $2 AND gap_id = (
             SELECT max(gap_id) FROM gap WHERE shard_count = $1 AND shard_id = $2 AND reason NOT IN ('sequence', 'reshard'))"
    );
    let mut furthest = BTreeMap::new();
    let mut messages = 0;
    for change in changes {
        if let Change::Read {
            guild_id,
            through,
            read_back,
        } = change
        {
            let so_far = furthest.entry(*guild_id).or_insert(*through);
            *so_far = (*so_far).max(*through);
            messages += read_back;
        }
    }
    let (guilds, through): (Vec<i64>, Vec<i64>) = furthest
        .into_iter()
        .map(|(guild, through)| (to_db(guild), to_db(through)))
        .unzip();
    tx.execute(MOVE, &[&guilds, &through]).await?;
    tx.execute(COUNTED, &[&guilds, &through]).await?;
    if messages > 0 {
        let (count, id) = (i64::from(shard.count), i64::from(shard.id));
        tx.execute(ADD, &[&count, &id, &messages.cast_signed()]).await?;
    }
    Ok(())
}

async fn leave_unread(tx: &Tx<'_>, shard: ShardKey, changes: &[Change]) -> Result<(), StoreError> {
    const REMOVE: Statement = statement!(
        "backfill_channel_leave",
        [INT8_ARRAY, INT8_ARRAY],
        "DELETE FROM backfill_channel AS b USING unnest($1::int8[], $2::int8[]) AS u (guild_id, channel_id)
         WHERE b.guild_id = u.guild_id AND b.channel_id = u.channel_id"
    );
    // The backfill belongs to the newest gap caused by a lost session.
    const LEAVE: Statement = statement!(
        "gap_unread_leave",
        [
            INT8, INT8, INT8_ARRAY, INT8_ARRAY, TEXT_ARRAY, INT8_ARRAY, INT8_ARRAY
        ],
        "INSERT INTO gap_unread (gap_id, guild_id, channel_id, reason, after_id, until_id)
         SELECT g.gap_id, u.* FROM unnest($3::int8[], $4::int8[], $5::text[], $6::int8[], $7::int8[]) AS u
         CROSS JOIN (SELECT max(gap_id) AS gap_id FROM gap
                     WHERE shard_count = $1 AND shard_id = $2 AND reason NOT IN ('sequence', 'reshard')) AS g
         WHERE g.gap_id IS NOT NULL
         ON CONFLICT DO NOTHING"
    );
    let (mut guilds, mut channels, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    let (mut after, mut until) = (Vec::new(), Vec::new());
    for change in changes {
        if let Change::Unread {
            guild_id,
            channel_id,
            span,
            why,
        } = change
        {
            guilds.push(to_db(*guild_id));
            channels.push(channel_id.map_or(NO_CHANNEL, to_db));
            reasons.push(why.as_str());
            after.push(to_db(span.after));
            until.push(to_db(span.until));
        }
    }
    tx.execute(REMOVE, &[&guilds, &channels]).await?;
    let (count, id) = (i64::from(shard.count), i64::from(shard.id));
    tx.execute(
        LEAVE,
        &[&count, &id, &guilds, &channels, &reasons, &after, &until],
    )
    .await
    .map(drop)
}

/// Record guilds that have not become available as unread: the shards that waited for them have ended. Those of the new number have received
/// these guilds' messages since their own sessions began.
pub async fn await_no_guild(tx: &Tx<'_>, old: u32) -> Result<(), StoreError> {
    const LEAVE: Statement = statement!(
        "backfill_channel_await_none",
        [INT8, TEXT],
        "WITH awaited AS (DELETE FROM backfill_channel WHERE channel_id = 0 RETURNING guild_id, after_id, until_id)
         INSERT INTO gap_unread (gap_id, guild_id, channel_id, reason, after_id, until_id)
         SELECT g.gap_id, a.guild_id, 0, $2, a.after_id, a.until_id FROM awaited AS a
         CROSS JOIN LATERAL (SELECT max(gap_id) AS gap_id FROM gap
                             WHERE shard_count = $1 AND shard_id = (a.guild_id >> 22) % $1
                               AND reason NOT IN ('sequence', 'reshard')) AS g
         WHERE g.gap_id IS NOT NULL
         ON CONFLICT DO NOTHING"
    );
    tx.execute(LEAVE, &[&i64::from(old), &Unread::Unavailable.as_str()])
        .await
        .map(drop)
}

async fn end(tx: &Tx<'_>, changes: &[Change]) -> Result<(), StoreError> {
    const END: Statement = statement!(
        "backfill_channel_end",
        [INT8_ARRAY],
        "DELETE FROM backfill_channel WHERE guild_id = ANY($1::int8[])"
    );
    const RELEASED: Statement = statement!(
        "backfill_message_released",
        [INT8_ARRAY, INT8_ARRAY],
        "DELETE FROM backfill_message AS m USING unnest($1::int8[], $2::int8[]) AS r (guild_id, through)
         WHERE m.guild_id = r.guild_id AND m.message_id <= r.through"
    );
    let ended = || {
        changes.iter().filter_map(|change| match change {
            Change::Ended { guild_id, through } => Some((*guild_id, *through)),
            _ => None,
        })
    };
    let guilds: Vec<i64> = ended().map(|(guild, _)| to_db(guild)).collect();
    tx.execute(END, &[&guilds]).await?;
    let (guilds, through): (Vec<i64>, Vec<i64>) = ended()
        .filter_map(|(guild, through)| Some((to_db(guild), to_db(through?))))
        .unzip();
    if guilds.is_empty() {
        return Ok(());
    }
    tx.execute(RELEASED, &[&guilds, &through]).await.map(drop)
}

/// A channel of a gap that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadChannel {
    /// The gap.
    pub gap_id: i64,
    /// The guild.
    pub guild_id: i64,
    /// The channel; 0 for a whole guild.
    pub channel_id: i64,
    /// The reason why it was not read.
    pub reason: String,
}

/// The channels of gaps that were not read.
pub async fn unread(store: &Store, gaps: &[i64]) -> Result<Vec<UnreadChannel>, StoreError> {
    const UNREAD: Statement = statement!(
        "gap_unread_list",
        [INT8_ARRAY],
        "SELECT gap_id, guild_id, channel_id, reason FROM gap_unread WHERE gap_id = ANY($1::int8[])
         ORDER BY gap_id, guild_id, channel_id"
    );
    let rows = store.query(UNREAD, &[&gaps]).await?;
    Ok(rows
        .iter()
        .map(|row| UnreadChannel {
            gap_id: row.get(0),
            guild_id: row.get(1),
            channel_id: row.get(2),
            reason: row.get(3),
        })
        .collect())
}

/// The number of channels that are being read or have to be read, for all shards.
pub async fn under_way(store: &Store) -> Result<i64, StoreError> {
    const UNDER_WAY: Statement = statement!(
        "backfill_channel_under_way",
        [],
        "SELECT count(*) FROM backfill_channel WHERE channel_id <> 0 AND after_id < until_id"
    );
    let rows = store.query(UNDER_WAY, &[]).await?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}
