//! Leaderboards and ranks, read from `member_xp` by the counts of `board_place`: see the migration that makes it.
//!
//! Which members a page shows is known from the counts of the places above, so that only the page's own place is read and sorted.
//! Counts and rows are read by one statement, and so as of one moment.

use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::{Params, Statement, Store, StoreError, statement::statement};
use crate::{ledger::member_xp::MemberKey, snowflake};

/// What members are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// All XP.
    Xp,
    /// Messages.
    Messages,
    /// XP earned in the week of this number: see [`week_of`](crate::rules::week::week_of). Members who have earned in a later one are not
    /// in it any more.
    Week(i32),
}

/// A member and what they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The member.
    pub user_id: Id<UserMarker>,
    /// Their XP.
    pub xp: u64,
    /// Messages they wrote.
    pub message_count: u64,
}

/// A line of a leaderboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The member.
    pub standing: Standing,
    /// What the order counts: XP, messages, or the week's XP.
    pub value: u64,
    /// 1 for who has most; members with as much share it.
    pub rank: u64,
}

/// A part of a leaderboard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// At most as many as were asked for; none only if nobody stands on the board.
    pub lines: Vec<Line>,
    /// How many stand above the first line.
    pub skipped: u64,
    /// How many stand on the board.
    pub members: u64,
}

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// XP.
    pub xp: u64,
    /// Messages that count.
    pub messages: u64,
    /// 1 for the member with the most XP; members with the same XP share it.
    pub position: u64,
}

const PAGE_BY_XP: Statement = statement!(
    "leaderboard_page_by_xp",
    [INT8, INT8, INT8],
    "WITH places AS (
         SELECT place, members, (sum(members) OVER (ORDER BY place DESC))::int8 - members AS above
         FROM board_place WHERE guild_id = $1 AND board = 0 AND place > 0 AND members > 0
     ),
     total AS (SELECT COALESCE(sum(members), 0)::int8 AS members FROM places),
     first AS (SELECT LEAST($2, GREATEST(0, (members - 1) / $3 * $3)) AS at FROM total),
     hit AS (
         SELECT max(place) AS best, min(place) AS worst, min(above) AS above
         FROM places, first WHERE above < at + $3 AND above + members > at
     )
     SELECT m.user_id, m.xp, m.message_count, m.xp,
            (SELECT above FROM hit) + rank() OVER (ORDER BY m.by_xp DESC, m.xp DESC),
            (SELECT members FROM total), (SELECT at FROM first)
     FROM member_xp AS m
     WHERE m.guild_id = $1 AND m.by_xp <= (SELECT best FROM hit) AND m.by_xp >= (SELECT worst FROM hit)
     ORDER BY m.by_xp DESC, m.xp DESC, m.user_id
     OFFSET (SELECT at FROM first) - (SELECT above FROM hit) LIMIT $3"
);

const PAGE_BY_MESSAGES: Statement = statement!(
    "leaderboard_page_by_messages",
    [INT8, INT8, INT8],
    "WITH places AS (
         SELECT place, members, (sum(members) OVER (ORDER BY place DESC))::int8 - members AS above
         FROM board_place WHERE guild_id = $1 AND board = 1 AND place > 0 AND members > 0
     ),
     total AS (SELECT COALESCE(sum(members), 0)::int8 AS members FROM places),
     first AS (SELECT LEAST($2, GREATEST(0, (members - 1) / $3 * $3)) AS at FROM total),
     hit AS (
         SELECT max(place) AS best, min(place) AS worst, min(above) AS above
         FROM places, first WHERE above < at + $3 AND above + members > at
     )
     SELECT m.user_id, m.xp, m.message_count, m.message_count,
            (SELECT above FROM hit) + rank() OVER (ORDER BY m.by_messages DESC, m.message_count DESC),
            (SELECT members FROM total), (SELECT at FROM first)
     FROM member_xp AS m
     WHERE m.guild_id = $1 AND m.by_messages <= (SELECT best FROM hit) AND m.by_messages >= (SELECT worst FROM hit)
     ORDER BY m.by_messages DESC, m.message_count DESC, m.user_id
     OFFSET (SELECT at FROM first) - (SELECT above FROM hit) LIMIT $3"
);

const PAGE_BY_WEEK: Statement = statement!(
    "leaderboard_page_by_week",
    [INT8, INT8, INT8, INT4],
    "WITH places AS (
         SELECT place, members, (sum(members) OVER (ORDER BY place DESC))::int8 - members AS above
         FROM board_place WHERE guild_id = $1 AND board = $4 AND place > 0 AND members > 0
     ),
     total AS (SELECT COALESCE(sum(members), 0)::int8 AS members FROM places),
     first AS (SELECT LEAST($2, GREATEST(0, (members - 1) / $3 * $3)) AS at FROM total),
     hit AS (
         SELECT max(place) AS best, min(place) AS worst, min(above) AS above
         FROM places, first WHERE above < at + $3 AND above + members > at
     )
     SELECT m.user_id, m.xp, m.message_count, m.xp - m.week_base,
            (SELECT above FROM hit) + rank() OVER (ORDER BY m.by_week DESC, m.xp - m.week_base DESC),
            (SELECT members FROM total), (SELECT at FROM first)
     FROM member_xp AS m
     WHERE m.guild_id = $1 AND m.week = $4 AND m.by_week <= (SELECT best FROM hit) AND m.by_week >= (SELECT worst FROM hit)
     ORDER BY m.by_week DESC, m.xp - m.week_base DESC, m.user_id
     OFFSET (SELECT at FROM first) - (SELECT above FROM hit) LIMIT $3"
);

const POSITION_BY_XP: Statement = statement!(
    "leaderboard_position_by_xp",
    [INT8, INT8],
    "SELECT m.xp, m.message_count, 1 + a.members + o.better, a.members + o.better + o.before, m.by_xp > 0
     FROM member_xp AS m
     CROSS JOIN LATERAL (
         SELECT COALESCE(sum(b.members), 0)::int8 AS members FROM board_place AS b
         WHERE b.guild_id = $1 AND b.board = 0 AND b.place > xp_place(m.xp) AND b.place > 0
     ) AS a
     CROSS JOIN LATERAL (
         SELECT count(*) FILTER (WHERE o.xp > m.xp) AS better,
                count(*) FILTER (WHERE o.xp = m.xp AND o.user_id < m.user_id) AS before
         FROM member_xp AS o
         WHERE o.guild_id = $1 AND o.by_xp = xp_place(m.xp)
     ) AS o
     WHERE m.guild_id = $1 AND m.user_id = $2"
);

const POSITION_BY_MESSAGES: Statement = statement!(
    "leaderboard_position_by_messages",
    [INT8, INT8],
    "SELECT m.xp, m.message_count, 1 + a.members + o.better, a.members + o.better + o.before, m.by_messages > 0
     FROM member_xp AS m
     CROSS JOIN LATERAL (
         SELECT COALESCE(sum(b.members), 0)::int8 AS members FROM board_place AS b
         WHERE b.guild_id = $1 AND b.board = 1 AND b.place > message_place(m.message_count) AND b.place > 0
     ) AS a
     CROSS JOIN LATERAL (
         SELECT count(*) FILTER (WHERE o.message_count > m.message_count) AS better,
                count(*) FILTER (WHERE o.message_count = m.message_count AND o.user_id < m.user_id) AS before
         FROM member_xp AS o
         WHERE o.guild_id = $1 AND o.by_messages = message_place(m.message_count)
     ) AS o
     WHERE m.guild_id = $1 AND m.user_id = $2"
);

const POSITION_BY_WEEK: Statement = statement!(
    "leaderboard_position_by_week",
    [INT8, INT8, INT4],
    "SELECT m.xp, m.message_count, 1 + a.members + o.better, a.members + o.better + o.before, m.by_week > 0
     FROM member_xp AS m
     CROSS JOIN LATERAL (
         SELECT COALESCE(sum(b.members), 0)::int8 AS members FROM board_place AS b
         WHERE b.guild_id = $1 AND b.board = $3 AND b.place > week_place(m.xp - m.week_base) AND b.place > 0
     ) AS a
     CROSS JOIN LATERAL (
         SELECT count(*) FILTER (WHERE o.xp - o.week_base > m.xp - m.week_base) AS better,
                count(*) FILTER (WHERE o.xp - o.week_base = m.xp - m.week_base AND o.user_id < m.user_id) AS before
         FROM member_xp AS o
         WHERE o.guild_id = $1 AND o.week = $3 AND o.by_week = week_place(m.xp - m.week_base)
     ) AS o
     WHERE m.guild_id = $1 AND m.user_id = $2 AND m.week = $3"
);

/// The part of a guild's leaderboard that begins after `skip` members, or its last one if there are not so many. `limit` is at least 1.
pub async fn page(
    store: &Store,
    guild_id: Id<GuildMarker>,
    order: Order,
    skip: u64,
    limit: u32,
) -> Result<Page, StoreError> {
    let (guild, limit) = (snowflake::to_db(guild_id), i64::from(limit.max(1)));
    let skip = i64::try_from(skip).unwrap_or(i64::MAX / 2).min(i64::MAX / 2);
    let rows = match order {
        Order::Xp => store.read(PAGE_BY_XP, &[&guild, &skip, &limit]).await?,
        Order::Messages => store.read(PAGE_BY_MESSAGES, &[&guild, &skip, &limit]).await?,
        Order::Week(week) => store.read(PAGE_BY_WEEK, &[&guild, &skip, &limit, &week]).await?,
    };
    let number = |row: &Row, column| row.get::<_, i64>(column).cast_unsigned();
    Ok(Page {
        skipped: rows.first().map_or(0, |row| number(row, 6)),
        members: rows.first().map_or(0, |row| number(row, 5)),
        lines: rows
            .iter()
            .filter_map(|row| {
                Some(Line {
                    standing: standing_of(row)?,
                    value: number(row, 3),
                    rank: number(row, 4),
                })
            })
            .collect(),
    })
}

/// How many stand above a member on a leaderboard; `None` if the member is not on it.
pub async fn position(store: &Store, key: MemberKey, order: Order) -> Result<Option<u64>, StoreError> {
    let (guild, user) = (snowflake::to_db(key.guild_id), snowflake::to_db(key.user_id));
    let (statement, params): (Statement, Params<'_>) = match &order {
        Order::Xp => (POSITION_BY_XP, &[&guild, &user]),
        Order::Messages => (POSITION_BY_MESSAGES, &[&guild, &user]),
        Order::Week(week) => (POSITION_BY_WEEK, &[&guild, &user, week]),
    };
    let rows = store.read(statement, params).await?;
    let shown = rows.first().filter(|row| row.get::<_, bool>(4));
    Ok(shown.map(|row| row.get::<_, i64>(3).cast_unsigned()))
}

/// Where a member stands; `None` without a row. Who is hidden from leaderboards is told where they would stand.
pub async fn rank_of(store: &Store, key: MemberKey) -> Result<Option<Rank>, StoreError> {
    let (guild, user) = (snowflake::to_db(key.guild_id), snowflake::to_db(key.user_id));
    let rows = store.query(POSITION_BY_XP, &[&guild, &user]).await?;
    Ok(rows.first().map(|row| Rank {
        xp: row.get::<_, i64>(0).cast_unsigned(),
        messages: row.get::<_, i64>(1).cast_unsigned(),
        position: row.get::<_, i64>(2).cast_unsigned(),
    }))
}

/// The members of a guild with the most XP.
pub async fn top(store: &Store, guild_id: Id<GuildMarker>, limit: u32) -> Result<Vec<Standing>, StoreError> {
    let page = page(store, guild_id, Order::Xp, 0, limit).await?;
    Ok(page.lines.iter().map(|line| line.standing).collect())
}

pub(super) fn standing_of(row: &Row) -> Option<Standing> {
    Some(Standing {
        user_id: snowflake::from_db(row.get(0))?,
        xp: row.get::<_, i64>(1).cast_unsigned(),
        message_count: row.get::<_, i64>(2).cast_unsigned(),
    })
}
