//! `member_xp`: the XP and message counts of members.

pub mod giving;
pub mod moving;

use std::{collections::HashMap, time::SystemTime};

use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};
use twilight_model::id::{Id, marker::InteractionMarker};

use super::rank_buckets;
use crate::{
    features::levels::pending::{LastAward, MemberDelta},
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    settings::values::curve::Curve,
    support::ids::{self, MemberKey, Millis},
};

/// Everything except the column from which ranks are counted.
pub(crate) const EXPORT: Statement = statement!(
    "export_member_xp",
    [INT8, INT8],
    "SELECT jsonb_pretty(coalesce(jsonb_agg(to_jsonb(t) - 'xp_tier'), '[]')) FROM member_xp AS t WHERE guild_id = $1 AND user_id = $2"
);

/// A member's row after a flush, with the XP before and after.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// The member.
    pub key: MemberKey,
    /// XP before.
    pub xp_before: u64,
    /// XP after.
    pub xp_after: u64,
}

impl Written {
    /// The levels before and after on this curve, if they differ.
    pub fn passed_on(&self, curve: Curve) -> Option<(u32, u32)> {
        if self.xp_before == self.xp_after {
            return None;
        }
        let (before, after) = (curve.level_of(self.xp_before), curve.level_of(self.xp_after));
        (before != after).then_some((before, after))
    }
}

/// The stored data of a member that a flush needs before it writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The stored last award, whose presence also shows that there is a row. `None` without a row, or if it was not requested.
    pub last_award: Option<LastAward>,
    /// When the member last had their data erased.
    pub erased_at: Option<Millis>,
    /// Whether the guild's members have rank buckets.
    pub is_ranked: bool,
}

/// Read the stored data of `keys`, each with a flag whether its last award is needed. Members without any relevant data are not in the
/// result.
///
/// After this call, no guild of `keys` becomes a ranked one before the transaction ends: see [`rank_buckets`].
pub async fn stored(
    tx: &Tx<'_>,
    keys: impl Iterator<Item = (MemberKey, bool)>,
) -> Result<HashMap<MemberKey, Stored>, StoreError> {
    // A member whose award is cached has no second ID, and their row is not looked up.
    const STORED: Statement = statement!(
        "member_xp_stored",
        [INT8_ARRAY, INT8_ARRAY, INT8_ARRAY],
        "SELECT k.guild_id, k.user_id, m.user_id IS NOT NULL, m.last_award_at, e.interaction_id, r.guild_id IS NOT NULL
         FROM unnest($1::int8[], $2::int8[], $3::int8[]) AS k (guild_id, user_id, unknown_id)
         LEFT JOIN member_xp AS m ON m.guild_id = k.guild_id AND m.user_id = k.unknown_id
         LEFT JOIN erased AS e ON e.guild_id = k.guild_id AND e.user_id = k.user_id AND NOT e.is_over
         LEFT JOIN ranked_guild AS r ON r.guild_id = k.guild_id
         WHERE m.user_id IS NOT NULL OR e.user_id IS NOT NULL OR r.guild_id IS NOT NULL"
    );
    let (mut guilds, mut users, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for (key, asks_for_award) in keys {
        let user = ids::to_db(key.user_id);
        guilds.push(ids::to_db(key.guild_id));
        users.push(user);
        unknown.push(asks_for_award.then_some(user));
    }
    let rows = tx.query(STORED, &[&guilds, &users, &unknown]).await?;
    let mut stored: HashMap<MemberKey, Stored> = HashMap::with_capacity(rows.len());
    for row in &rows {
        let Some(key) = key_of(row) else { continue };
        let erased: Option<Id<InteractionMarker>> = row.get::<_, Option<i64>>(4).and_then(ids::from_db);
        let last_award = row
            .get::<_, bool>(2)
            .then(|| row.get::<_, Option<SystemTime>>(3).map(ids::to_millis));
        // A member appears twice in `keys` while a guild moves between shards, one of which may have the award cached.
        let member = stored.entry(key).or_default();
        member.last_award = member.last_award.or(last_award);
        member.erased_at = erased.map(ids::millis);
        member.is_ranked = row.get(5);
    }
    Ok(stored)
}

/// Lock these members' rows until the transaction ends, and return their XP. Members without a row are not in the result.
///
/// In the order that every writer of the table uses: rows of unranked guilds first, each group in key order, and before new rows are
/// inserted.
pub async fn lock(tx: &Tx<'_>, keys: &[MemberKey]) -> Result<HashMap<MemberKey, u64>, StoreError> {
    const LOCK: Statement = statement!(
        "member_xp_lock_members",
        [INT8_ARRAY, INT8_ARRAY],
        "SELECT m.guild_id, m.user_id, m.xp
         FROM unnest($1::int8[], $2::int8[]) AS k (guild_id, user_id)
         JOIN member_xp AS m ON m.guild_id = k.guild_id AND m.user_id = k.user_id
         LEFT JOIN ranked_guild AS r ON r.guild_id = k.guild_id
         ORDER BY r.guild_id IS NOT NULL, k.guild_id, k.user_id FOR NO KEY UPDATE OF m"
    );
    let (guilds, users): (Vec<i64>, Vec<i64>) = keys
        .iter()
        .map(|key| (ids::to_db(key.guild_id), ids::to_db(key.user_id)))
        .unzip();
    let rows = tx.query(LOCK, &[&guilds, &users]).await?;
    let read = rows
        .iter()
        .filter_map(|row| Some((key_of(row)?, row.get::<_, i64>(2).cast_unsigned())));
    Ok(read.collect())
}

/// The change of a member's row by a flush.
#[derive(Clone, Copy, Debug)]
pub struct Addition {
    /// The member.
    pub key: MemberKey,
    /// The amounts to add.
    pub delta: MemberDelta,
    /// Whether there was no row at the time of the lookup.
    pub is_new: bool,
    /// Whether the guild's members have rank buckets.
    pub is_ranked: bool,
}

/// How missing rows are inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// With COPY where that pays off. Fails with a [unique violation](StoreError::is_unique_violation) if another transaction inserts one
    /// of the rows meanwhile.
    Copied,
    /// With an upsert, which adds to rows that exist by now.
    Upserted,
}

/// The number of new rows from which COPY costs less than INSERT. COPY takes two round trips, and writes half as much WAL: all rows of a
/// page in one record, and no records that confirm free keys.
const COPY_FROM: usize = 4;

/// Add to members' rows, and insert missing ones. Members hidden from leaderboards are shown again. Sums saturate at 2^63 - 1.
///
/// `additions` must be sorted by key and unique. Existing rows are locked before rows are inserted, both in key order, as in every writer
/// of the table: two transactions that touch the same members in different orders would deadlock.
pub async fn write(tx: &Tx<'_>, additions: &[Addition], making: Making) -> Result<Vec<Written>, StoreError> {
    debug_assert!(
        additions.is_sorted_by(|a, b| a.key < b.key),
        "sorted, each key once"
    );
    let (new, there): (Vec<usize>, Vec<usize>) =
        (0..additions.len()).partition(|place| additions[*place].is_new);
    let mut after: Vec<Option<u64>> = vec![None; additions.len()];
    // One statement locks the rows of unranked guilds, a second one those of ranked guilds, each in key order.
    for is_ranked in [false, true] {
        let there: Vec<usize> = there
            .iter()
            .copied()
            .filter(|place| additions[*place].is_ranked == is_ranked)
            .collect();
        if !there.is_empty() {
            for (place, xp) in update(tx, additions, &there, is_ranked).await? {
                after[place] = Some(xp);
            }
        }
    }
    // A row of a ranked guild starts with its buckets, which SQL calculates.
    let copied: Vec<usize> = new
        .into_iter()
        .filter(|place| !additions[*place].is_ranked)
        .collect();
    if making == Making::Copied && copied.len() >= COPY_FROM && tx.can_copy() {
        copy(tx, copied.iter().map(|place| &additions[*place])).await?;
        for place in copied {
            after[place] = Some(additions[place].delta.xp);
        }
    }
    // New rows that were not copied, and rows deleted since the lookup.
    let left: Vec<usize> = (0..additions.len())
        .filter(|place| after[*place].is_none())
        .collect();
    if !left.is_empty() {
        let deltas: Vec<(MemberKey, MemberDelta)> = left
            .iter()
            .map(|place| (additions[*place].key, additions[*place].delta))
            .collect();
        for (place, written) in left.into_iter().zip(add(tx, &deltas).await?) {
            after[place] = Some(written.xp_after);
        }
    }
    let written = additions.iter().zip(after).map(|(addition, after)| {
        let xp_after = after.expect("each was updated, copied or added");
        Written {
            key: addition.key,
            xp_before: xp_after.saturating_sub(addition.delta.xp),
            xp_after,
        }
    });
    Ok(written.collect())
}

/// The columns of `member_xp` after adding `excluded`. A new row's `week_base` is the XP earned before its latest week. XP of an older week
/// than the row's raises `week_base` along with `xp`. The argument is an SQL condition for ranked guilds; in an unranked guild buckets do
/// not change, except that a hidden member is shown.
macro_rules! added {
    ($is_ranked:literal) => {
        concat!(
            "xp = LEAST(member_xp.xp, 9223372036854775807 - excluded.xp) + excluded.xp,
             message_count = LEAST(member_xp.message_count, 9223372036854775807 - excluded.message_count) + excluded.message_count,
             last_award_at = GREATEST(member_xp.last_award_at, excluded.last_award_at),
             week = GREATEST(member_xp.week, excluded.week),
             week_base = CASE
                 WHEN excluded.week > member_xp.week THEN LEAST(member_xp.xp, 9223372036854775807 - excluded.xp) + excluded.week_base
                 WHEN excluded.week = member_xp.week
                 THEN LEAST(member_xp.week_base, 9223372036854775807 - excluded.xp) + excluded.week_base
                 ELSE LEAST(member_xp.week_base, 9223372036854775807 - excluded.xp) + excluded.xp END,
             by_xp = CASE WHEN ", $is_ranked, "
                 THEN xp_place(LEAST(member_xp.xp, 9223372036854775807 - excluded.xp) + excluded.xp)
                 ELSE GREATEST(member_xp.by_xp, 0::smallint) END,
             by_messages = CASE WHEN ", $is_ranked, "
                 THEN message_place(
                     LEAST(member_xp.message_count, 9223372036854775807 - excluded.message_count) + excluded.message_count)
                 ELSE GREATEST(member_xp.by_messages, 0::smallint) END,
             by_week = CASE WHEN ", $is_ranked, "
                 THEN week_place(
                     CASE WHEN excluded.week >= member_xp.week THEN excluded.xp - excluded.week_base ELSE 0 END
                     + CASE WHEN member_xp.week > 0 AND excluded.week <= member_xp.week
                       THEN LEAST(member_xp.xp, 9223372036854775807 - excluded.xp)
                            - LEAST(member_xp.week_base, 9223372036854775807 - excluded.xp)
                       ELSE 0 END)
                 ELSE GREATEST(member_xp.by_week, 0::smallint) END"
        )
    };
}

/// Additions as arrays, one per column.
struct Columns {
    guilds: Vec<i64>,
    users: Vec<i64>,
    xp: Vec<i64>,
    messages: Vec<i64>,
    awards: Vec<Option<SystemTime>>,
    weeks: Vec<i32>,
    before_week: Vec<i64>,
}

impl Columns {
    fn of<'a>(deltas: impl Iterator<Item = (&'a MemberKey, &'a MemberDelta)>) -> Self {
        let size = deltas.size_hint().0;
        let mut columns = Self {
            guilds: Vec::with_capacity(size),
            users: Vec::with_capacity(size),
            xp: Vec::with_capacity(size),
            messages: Vec::with_capacity(size),
            awards: Vec::with_capacity(size),
            weeks: Vec::with_capacity(size),
            before_week: Vec::with_capacity(size),
        };
        for (key, delta) in deltas {
            columns.guilds.push(ids::to_db(key.guild_id));
            columns.users.push(ids::to_db(key.user_id));
            columns.xp.push(delta.xp.cast_signed());
            columns.messages.push(delta.messages.cast_signed());
            columns.awards.push(delta.last_award.map(ids::to_time));
            columns.weeks.push(delta.week);
            columns.before_week.push((delta.xp - delta.week_xp).cast_signed());
        }
        columns
    }

    /// All columns, as the parameters of a statement in this order.
    fn params(&self) -> [&(dyn ToSql + Sync); 7] {
        [
            &self.guilds,
            &self.users,
            &self.xp,
            &self.messages,
            &self.awards,
            &self.weeks,
            &self.before_week,
        ]
    }
}

/// Update existing rows, of ranked guilds or of others. Returns the indexes of the rows that existed, with their XP.
async fn update(
    tx: &Tx<'_>,
    additions: &[Addition],
    places: &[usize],
    is_ranked: bool,
) -> Result<Vec<(usize, u64)>, StoreError> {
    const UPDATE: Statement = statement!(
        "member_xp_update",
        [INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, TIMESTAMPTZ_ARRAY, INT4_ARRAY, INT8_ARRAY],
        "UPDATE member_xp SET ", added!("false"), "
         FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::timestamptz[], $6::int4[], $7::int8[])
              WITH ORDINALITY
              AS excluded (guild_id, user_id, xp, message_count, last_award_at, week, week_base, place)
         WHERE member_xp.guild_id = excluded.guild_id AND member_xp.user_id = excluded.user_id
         RETURNING excluded.place, member_xp.xp"
    );
    // Counts the members who change their bucket once for all rows. The trigger would append several counts per member, and every reader of
    // the leaderboard has to add up appended counts.
    const UPDATE_RANKED: Statement = statement!(
        "member_xp_update_ranked",
        [INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, TIMESTAMPTZ_ARRAY, INT4_ARRAY, INT8_ARRAY],
        "WITH locked AS MATERIALIZED (
             SELECT d.*, m.by_xp AS was_by_xp, m.by_messages AS was_by_messages, m.week AS was_week, m.by_week AS was_by_week
             FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::timestamptz[], $6::int4[], $7::int8[])
                  WITH ORDINALITY
                  AS d (guild_id, user_id, xp, message_count, last_award_at, week, week_base, place)
             JOIN member_xp AS m ON m.guild_id = d.guild_id AND m.user_id = d.user_id
             ORDER BY d.place FOR NO KEY UPDATE OF m
         ), updated AS (
             UPDATE member_xp SET ", added!("true"), "
             FROM locked AS excluded
             WHERE member_xp.guild_id = excluded.guild_id AND member_xp.user_id = excluded.user_id
             RETURNING excluded.place, member_xp.guild_id, member_xp.xp,
                       excluded.was_by_xp, excluded.was_by_messages, excluded.was_week, excluded.was_by_week,
                       member_xp.by_xp, member_xp.by_messages, member_xp.week, member_xp.by_week
         ), counted AS (
             INSERT INTO bucket_count (guild_id, board, bucket, members)
             SELECT u.guild_id, c.board, c.bucket, sum(c.by)
             FROM updated AS u
             CROSS JOIN LATERAL (VALUES
                 (0, u.was_by_xp, -1), (0, u.by_xp, 1),
                 (1, u.was_by_messages, -1), (1, u.by_messages, 1),
                 (u.was_week, CASE WHEN u.was_week > 1 THEN u.was_by_week END, -1),
                 (u.week, CASE WHEN u.week > 1 THEN u.by_week END, 1)
             ) AS c (board, bucket, by)
             WHERE c.bucket > 0 AND (c.board < 2 OR c.board > u.week - 2)
             GROUP BY u.guild_id, c.board, c.bucket HAVING sum(c.by) <> 0
         )
         SELECT place, xp FROM updated"
    );
    let columns = Columns::of(places.iter().map(|place| {
        let addition = &additions[*place];
        (&addition.key, &addition.delta)
    }));
    let params = columns.params();
    let rows = if is_ranked {
        rank_buckets::set_counted_by_statements(tx, true).await?;
        let rows = tx.query(UPDATE_RANKED, &params).await?;
        rank_buckets::set_counted_by_statements(tx, false).await?;
        rows
    } else {
        tx.query(UPDATE, &params).await?
    };
    let written = rows.iter().filter_map(|row| {
        let nth = usize::try_from(row.get::<_, i64>(0) - 1).ok()?;
        Some((*places.get(nth)?, row.get::<_, i64>(1).cast_unsigned()))
    });
    Ok(written.collect())
}

/// The COPY used by flushes. PostgreSQL waits for the client's data without any timeout: see `fleet::end_stalled_copies`.
pub(crate) const COPY: Statement = statement!(
    "member_xp_copy",
    [],
    "COPY member_xp (guild_id, user_id, xp, message_count, last_award_at, week, week_base) FROM STDIN (FORMAT binary)"
);

/// Insert missing rows, without buckets.
async fn copy(tx: &Tx<'_>, additions: impl Iterator<Item = &Addition>) -> Result<(), StoreError> {
    const TYPES: &[Type; 7] = &[
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::TIMESTAMPTZ,
        Type::INT4,
        Type::INT8,
    ];
    let columns = Columns::of(additions.map(|addition| (&addition.key, &addition.delta)));
    let rows = (0..columns.guilds.len()).map(|nth| {
        [
            &columns.guilds[nth] as &(dyn ToSql + Sync),
            &columns.users[nth],
            &columns.xp[nth],
            &columns.messages[nth],
            &columns.awards[nth],
            &columns.weeks[nth],
            &columns.before_week[nth],
        ]
    });
    tx.copy_in(COPY, TYPES, rows).await.map(drop)
}

/// Upsert members' rows.
///
/// `deltas` must be sorted by key and unique: PostgreSQL refuses to update a row twice in one statement.
async fn add(tx: &Tx<'_>, deltas: &[(MemberKey, MemberDelta)]) -> Result<Vec<Written>, StoreError> {
    const ADD: Statement = statement!(
        "member_xp_add",
        [INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, TIMESTAMPTZ_ARRAY, INT4_ARRAY, INT8_ARRAY],
        "INSERT INTO member_xp (guild_id, user_id, xp, message_count, last_award_at, week, week_base, by_xp, by_messages, by_week)
         SELECT d.*, CASE WHEN r.guild_id IS NULL THEN 0 ELSE xp_place(d.xp) END,
                CASE WHEN r.guild_id IS NULL THEN 0 ELSE message_place(d.messages) END,
                CASE WHEN r.guild_id IS NULL THEN 0 ELSE week_place(d.xp - d.week_base) END
         FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::timestamptz[], $6::int4[], $7::int8[])
              AS d (guild_id, user_id, xp, messages, last_award_at, week, week_base)
         LEFT JOIN ranked_guild AS r ON r.guild_id = d.guild_id
         ORDER BY d.guild_id, d.user_id
         ON CONFLICT (guild_id, user_id) DO UPDATE
         SET ", added!("EXISTS (SELECT FROM ranked_guild AS r WHERE r.guild_id = excluded.guild_id)"), "
         RETURNING member_xp.guild_id, member_xp.user_id, member_xp.xp"
    );
    let columns = Columns::of(deltas.iter().map(|(key, delta)| (key, delta)));
    let rows = tx.query(ADD, &columns.params()).await?;
    let mut written: Vec<Written> = rows
        .iter()
        .filter_map(|row| {
            let key = key_of(row)?;
            let nth = deltas.binary_search_by(|(other, _)| other.cmp(&key)).ok()?;
            let xp_after = row.get::<_, i64>(2).cast_unsigned();
            Some(Written {
                key,
                xp_before: xp_after.saturating_sub(deltas[nth].1.xp),
                xp_after,
            })
        })
        .collect();
    written.sort_unstable_by_key(|written| written.key);
    debug_assert_eq!(written.len(), deltas.len());
    Ok(written)
}

/// A member's XP; 0 without a row.
pub async fn xp_of(store: &Store, key: MemberKey) -> Result<u64, StoreError> {
    const XP: Statement = statement!(
        "member_xp_of",
        [INT8, INT8],
        "SELECT xp FROM member_xp WHERE guild_id = $1 AND user_id = $2"
    );
    let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
    let rows = store.query(XP, &[&guild, &user]).await?;
    Ok(rows.first().map_or(0, |row| row.get::<_, i64>(0).cast_unsigned()))
}

/// Every member of every guild, for reconciliation. Not for the path of an event: it reads the whole table.
pub async fn all(store: &Store) -> Result<Vec<(MemberKey, MemberDelta)>, StoreError> {
    const ALL: Statement = statement!(
        "member_xp_all",
        [],
        "SELECT guild_id, user_id, xp, message_count, last_award_at, week, xp - week_base FROM member_xp"
    );
    let rows = store.query(ALL, &[]).await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            let total = MemberDelta {
                xp: row.get::<_, i64>(2).cast_unsigned(),
                messages: row.get::<_, i64>(3).cast_unsigned(),
                last_award: row.get::<_, Option<SystemTime>>(4).map(ids::to_millis),
                week: row.get(5),
                week_xp: if row.get::<_, i32>(5) == 0 {
                    0
                } else {
                    row.get::<_, i64>(6).cast_unsigned()
                },
                channel_id: None,
            };
            Some((key_of(row)?, total))
        })
        .collect())
}

fn key_of(row: &Row) -> Option<MemberKey> {
    Some(MemberKey {
        guild_id: ids::from_db(row.get(0))?,
        user_id: ids::from_db(row.get(1))?,
    })
}
