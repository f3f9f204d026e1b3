//! Leaderboards and ranks, read from `member_xp`.
//!
//! In most guilds the members are sorted. In ranked guilds members have buckets (see [`rank_buckets`](super::rank_buckets)): the counts of
//! the higher buckets show which bucket a page is in, and only that one is read and sorted. One statement reads counts and rows, and so
//! from one snapshot; it also reads whether the guild is ranked, because a replica learns that later.

use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use crate::{
    postgres::{Params, Statement, Store, StoreError, statement::statement},
    support::ids::{self, MemberKey},
};

/// The orders of a leaderboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Total XP.
    Xp,
    /// Messages.
    Messages,
    /// XP earned in the week with this number: see [`week_of`](crate::features::levels::rules::week::week_of). Members who have earned XP
    /// in a later week no longer appear in it.
    Week(i32),
}

/// A member's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The member.
    pub user_id: Id<UserMarker>,
    /// Total XP.
    pub xp: u64,
    /// The number of messages.
    pub message_count: u64,
}

/// A line of a leaderboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The member.
    pub standing: Standing,
    /// The value that determines the order: XP, messages, or the week's XP.
    pub value: u64,
    /// 1 for the highest value; members with equal values share a rank.
    pub rank: u64,
}

/// One page of a leaderboard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// At most the requested number of lines; empty only if the leaderboard is empty.
    pub lines: Vec<Line>,
    /// The number of members above the first line.
    pub skipped: u64,
    /// The number of members on the leaderboard.
    pub members: u64,
}

/// A member's rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Total XP.
    pub xp: u64,
    /// Counted messages.
    pub messages: u64,
    /// 1 for the member with the most XP; members with equal XP share a rank.
    pub position: u64,
}

/// The statements of a leaderboard.
struct Board {
    /// For ranked guilds: uses the counts to find the buckets of a page. Returns no rows for other guilds.
    page: Statement,
    /// For any guild, by sorting all members.
    sorted_page: Statement,
    /// For ranked guilds. Returns no rows for other guilds.
    position: Statement,
    /// For any guild, by counting all members.
    sorted_position: Statement,
}

/// The statements of a leaderboard. `board` is its number in `bucket_count`. Value expressions exist for the member `m` and for another
/// member `o`. The parameters are the guild; then the first line and the number of lines, or the member; then the week, if any.
macro_rules! board {
    (
        page: $page:literal $sorted_page:literal, position: $position:literal $sorted_position:literal,
        week: [$($type:ident)?] $page_week:literal $of_page:literal, $position_week:literal $of_m:literal $of_o:literal,
        bucket: $bucket:literal $function:literal, value: $value:literal $others:literal
    ) => {
        Board {
            page: statement!(
                $page,
                [INT8, INT8, INT8 $(, $type)?],
                "WITH counts AS (
                     SELECT bucket, sum(members)::int8 AS members, count(*) AS changes
                     FROM bucket_count WHERE guild_id = $1 AND board = ", $page_week, " AND bucket > 0
                       AND EXISTS (SELECT FROM ranked_guild WHERE guild_id = $1 AND placed)
                     GROUP BY bucket
                 ),
                 buckets AS (
                     SELECT bucket, members, (sum(members) OVER (ORDER BY bucket DESC))::int8 - members AS above
                     FROM counts WHERE members > 0
                 ),
                 total AS (
                     SELECT COALESCE(sum(members), 0)::int8 AS members, COALESCE(sum(changes), 0)::int8 AS changes FROM counts
                 ),
                 first AS (SELECT LEAST($2, GREATEST(0, (members - 1) / $3 * $3)) AS at FROM total),
                 hit AS (
                     SELECT max(bucket) AS best, min(bucket) AS worst, min(above) AS above
                     FROM buckets, first WHERE above < at + $3 AND above + members > at
                 )
                 SELECT m.user_id, m.xp, m.message_count, ", $value, ",
                        (SELECT above FROM hit) + rank() OVER (ORDER BY m.", $bucket, " DESC, ", $value, " DESC),
                        (SELECT members FROM total), (SELECT at FROM first), (SELECT changes FROM total)
                 FROM member_xp AS m
                 WHERE m.guild_id = $1", $of_page, " AND m.", $bucket, " > 0
                   AND m.", $bucket, " <= (SELECT best FROM hit) AND m.", $bucket, " >= (SELECT worst FROM hit)
                 ORDER BY m.", $bucket, " DESC, ", $value, " DESC, m.user_id
                 OFFSET (SELECT at FROM first) - (SELECT above FROM hit) LIMIT $3"
            ),
            sorted_page: statement!(
                $sorted_page,
                [INT8, INT8, INT8 $(, $type)?],
                "WITH shown AS (
                     SELECT m.user_id, m.xp, m.message_count, ", $value, " AS value
                     FROM member_xp AS m WHERE m.guild_id = $1", $of_page, " AND m.by_xp >= 0 AND ", $value, " > 0
                 ),
                 total AS (SELECT count(*) AS members FROM shown),
                 first AS (SELECT LEAST($2, GREATEST(0, (members - 1) / $3 * $3)) AS at FROM total)
                 SELECT user_id, xp, message_count, value, rank() OVER (ORDER BY value DESC),
                        (SELECT members FROM total), (SELECT at FROM first)
                 FROM shown
                 ORDER BY value DESC, user_id
                 OFFSET (SELECT at FROM first) LIMIT $3"
            ),
            position: statement!(
                $position,
                [INT8, INT8 $(, $type)?],
                "SELECT m.xp, m.message_count, 1 + a.members + o.better, a.members + o.better + o.before, m.", $bucket, " > 0, a.changes
                 FROM member_xp AS m
                 CROSS JOIN LATERAL (
                     SELECT COALESCE(sum(b.members), 0)::int8 AS members, count(*) AS changes FROM bucket_count AS b
                     WHERE b.guild_id = $1 AND b.board = ", $position_week, " AND b.bucket > ", $function, "(", $value, ") AND b.bucket > 0
                 ) AS a
                 CROSS JOIN LATERAL (
                     SELECT count(*) FILTER (WHERE ", $others, " > ", $value, ") AS better,
                            count(*) FILTER (WHERE ", $others, " = ", $value, " AND o.user_id < m.user_id) AS before
                     FROM member_xp AS o
                     WHERE o.guild_id = $1", $of_o, " AND o.", $bucket, " = ", $function, "(", $value, ") AND o.", $bucket, " > 0
                 ) AS o
                 WHERE m.guild_id = $1 AND m.user_id = $2", $of_m, "
                   AND EXISTS (SELECT FROM ranked_guild WHERE guild_id = $1 AND placed)"
            ),
            sorted_position: statement!(
                $sorted_position,
                [INT8, INT8 $(, $type)?],
                "SELECT m.xp, m.message_count, 1 + o.better, o.better + o.before, m.by_xp >= 0 AND ", $value, " > 0, o.members
                 FROM member_xp AS m
                 CROSS JOIN LATERAL (
                     SELECT count(*) AS members,
                            count(*) FILTER (WHERE ", $others, " > ", $value, ") AS better,
                            count(*) FILTER (WHERE ", $others, " = ", $value, " AND o.user_id < m.user_id) AS before
                     FROM member_xp AS o
                     WHERE o.guild_id = $1", $of_o, " AND o.by_xp >= 0
                 ) AS o
                 WHERE m.guild_id = $1 AND m.user_id = $2", $of_m
            ),
        }
    };
}

const BY_XP: Board = board! {
    page: "leaderboard_page_by_xp" "leaderboard_sorted_page_by_xp",
    position: "leaderboard_position_by_xp" "leaderboard_sorted_position_by_xp",
    week: [] "0" "", "0" "" "",
    bucket: "by_xp" "xp_place", value: "m.xp" "o.xp"
};

const BY_MESSAGES: Board = board! {
    page: "leaderboard_page_by_messages" "leaderboard_sorted_page_by_messages",
    position: "leaderboard_position_by_messages" "leaderboard_sorted_position_by_messages",
    week: [] "1" "", "1" "" "",
    bucket: "by_messages" "message_place", value: "m.message_count" "o.message_count"
};

const BY_WEEK: Board = board! {
    page: "leaderboard_page_by_week" "leaderboard_sorted_page_by_week",
    position: "leaderboard_position_by_week" "leaderboard_sorted_position_by_week",
    week: [INT4] "$4" " AND m.week = $4", "$3" " AND m.week = $3" " AND o.week = $3",
    bucket: "by_week" "week_place", value: "(m.xp - m.week_base)" "(o.xp - o.week_base)"
};

impl Order {
    const fn board(self) -> &'static Board {
        match self {
            Self::Xp => &BY_XP,
            Self::Messages => &BY_MESSAGES,
            Self::Week(_) => &BY_WEEK,
        }
    }
}

/// The page of a guild's leaderboard after `skip` members, or the last page if there are fewer. `limit` is at least 1.
pub async fn page(
    store: &Store,
    guild_id: Id<GuildMarker>,
    order: Order,
    skip: u64,
    limit: u32,
) -> Result<Page, StoreError> {
    let (guild, limit) = (ids::to_db(guild_id), i64::from(limit.max(1)));
    let skip = i64::try_from(skip).unwrap_or(i64::MAX / 2).min(i64::MAX / 2);
    let params: Params<'_> = match &order {
        Order::Xp | Order::Messages => &[&guild, &skip, &limit],
        Order::Week(week) => &[&guild, &skip, &limit, week],
    };
    let board = order.board();
    let mut rows = store.read(board.page, params).await?;
    let number = |row: &Row, column| row.get::<_, i64>(column).cast_unsigned();
    if rows.is_empty() {
        rows = store.read(board.sorted_page, params).await?;
        let members = rows.first().map_or(0, |row| number(row, 5));
        store.was_sorted(guild_id, members);
    } else {
        store.was_added_up(guild_id, number(&rows[0], 7));
    }
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

/// The number of members above a member on a leaderboard; `None` if the member is not on it.
pub async fn position(store: &Store, key: MemberKey, order: Order) -> Result<Option<u64>, StoreError> {
    let row = position_of(store, key, order, Age::MayLag).await?;
    let shown = row.filter(|row| row.get::<_, bool>(4));
    Ok(shown.map(|row| row.get::<_, i64>(3).cast_unsigned()))
}

/// How many members have a higher value than a member on a leaderboard, and how many are above; `None` if the member is not on it.
pub(crate) async fn place(
    store: &Store,
    key: MemberKey,
    order: Order,
) -> Result<Option<(u64, u64)>, StoreError> {
    let row = position_of(store, key, order, Age::MayLag).await?;
    let number = |row: &Row, column| row.get::<_, i64>(column).cast_unsigned();
    let shown = row.filter(|row| row.get::<_, bool>(4));
    Ok(shown.map(|row| (number(&row, 2).saturating_sub(1), number(&row, 3))))
}

/// A member's rank; `None` without a row. Members hidden from leaderboards get the rank that they would have.
pub async fn rank_of(store: &Store, key: MemberKey) -> Result<Option<Rank>, StoreError> {
    let row = position_of(store, key, Order::Xp, Age::Newest).await?;
    Ok(row.map(|row| Rank {
        xp: row.get::<_, i64>(0).cast_unsigned(),
        messages: row.get::<_, i64>(1).cast_unsigned(),
        position: row.get::<_, i64>(2).cast_unsigned(),
    }))
}

/// The acceptable age of a result.
#[derive(Clone, Copy, Debug)]
enum Age {
    /// As stale as a replica may be.
    MayLag,
    Newest,
}

async fn position_of(
    store: &Store,
    key: MemberKey,
    order: Order,
    age: Age,
) -> Result<Option<Row>, StoreError> {
    let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
    let params: Params<'_> = match &order {
        Order::Xp | Order::Messages => &[&guild, &user],
        Order::Week(week) => &[&guild, &user, week],
    };
    let ask = async |statement| match age {
        Age::MayLag => store.read(statement, params).await,
        Age::Newest => store.query(statement, params).await,
    };
    let board = order.board();
    let number = |row: &Row| row.get::<_, i64>(5).cast_unsigned();
    if let Some(row) = ask(board.position).await?.pop() {
        store.was_added_up(key.guild_id, number(&row));
        return Ok(Some(row));
    }
    let row = ask(board.sorted_position).await?.pop();
    store.was_sorted(key.guild_id, row.as_ref().map_or(0, number));
    Ok(row)
}

/// The members of a guild with the most XP.
pub async fn top(store: &Store, guild_id: Id<GuildMarker>, limit: u32) -> Result<Vec<Standing>, StoreError> {
    let page = page(store, guild_id, Order::Xp, 0, limit).await?;
    Ok(page.lines.iter().map(|line| line.standing).collect())
}

pub(crate) fn standing_of(row: &Row) -> Option<Standing> {
    Some(Standing {
        user_id: ids::from_db(row.get(0))?,
        xp: row.get::<_, i64>(1).cast_unsigned(),
        message_count: row.get::<_, i64>(2).cast_unsigned(),
    })
}
