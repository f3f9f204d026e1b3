//! Leaderboards of the website and of the API: without members who have chosen to be hidden, and page by page from a member on.
//!
//! As in [`leaderboard`](super::leaderboard), members of ranked guilds have buckets, in whose order their index has them: a page reads
//! only the buckets that it needs. Ranks count the members above who are shown, so they do not reveal that others are hidden.

use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::leaderboard::{self, Line, Order, standing_of};
use crate::{
    postgres::{Params, Statement, Store, StoreError, statement::statement},
    support::ids::{self, MemberKey},
};

/// Where a page begins: after or before a member with this value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum From {
    Start,
    After(u64, Id<UserMarker>),
    Before(u64, Id<UserMarker>),
}

impl From {
    /// After the member with this key.
    pub(crate) fn after(key: &str) -> Option<Self> {
        let (value, user_id) = parse(key)?;
        Some(Self::After(value, user_id))
    }

    /// Before the member with this key.
    pub(crate) fn before(key: &str) -> Option<Self> {
        let (value, user_id) = parse(key)?;
        Some(Self::Before(value, user_id))
    }

    /// The key of a member in queries: the value and the ID.
    pub(crate) fn key(line: &Line) -> String {
        format!("{}-{}", line.value, line.standing.user_id)
    }
}

fn parse(key: &str) -> Option<(u64, Id<UserMarker>)> {
    let (value, user_id) = key.split_once('-')?;
    Some((value.parse().ok()?, ids::written(user_id)?))
}

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) lines: Vec<Line>,
    /// Whether there are members above and below it.
    pub(crate) has_above: bool,
    pub(crate) has_below: bool,
    /// Whether the guild is large, so its members have rank buckets.
    pub(crate) is_ranked: bool,
}

/// The statements of a leaderboard.
struct Board {
    /// For ranked guilds: down from a member, and up.
    down: Statement,
    up: Statement,
    /// For others, by sorting all members.
    sorted_down: Statement,
    sorted_up: Statement,
    /// These members, as far as they are shown.
    these: Statement,
    /// How many hidden members are above a member: with a higher value, and in all.
    hidden_above: Statement,
}

/// The parameters of the pages are the guild, a value, a member and the number of lines, and then the week, if any. The planner knows no
/// parameters, so the largest number of lines is in the text: it must not sort all members.
macro_rules! board {
    (
        $down:literal $up:literal $sorted_down:literal $sorted_up:literal $these:literal $hidden_above:literal,
        week: [$($type:ident)?] $of_page:literal $of_these:literal $of_hidden:literal,
        bucket: $bucket:literal $function:literal, value: $value:literal
    ) => {
        Board {
            down: statement!(
                $down,
                [INT8, INT8, INT8, INT8 $(, $type)?],
                "SELECT * FROM (SELECT m.user_id, m.xp, m.message_count, ", $value, " AS value, 0::int8
                 FROM member_xp AS m
                 WHERE m.guild_id = $1", $of_page, " AND m.", $bucket, " > 0 AND m.", $bucket, " <= ", $function, "($2)
                   AND (", $value, " < $2 OR (", $value, " = $2 AND m.user_id > $3))
                   AND m.user_id NOT IN (SELECT user_id FROM board_opt_out WHERE guild_id = $1)
                 ORDER BY m.", $bucket, " DESC, ", $value, " DESC, m.user_id LIMIT 101) AS p LIMIT $4"
            ),
            up: statement!(
                $up,
                [INT8, INT8, INT8, INT8 $(, $type)?],
                "SELECT * FROM (SELECT m.user_id, m.xp, m.message_count, ", $value, " AS value, 0::int8
                 FROM member_xp AS m
                 WHERE m.guild_id = $1", $of_page, " AND m.", $bucket, " >= ", $function, "($2) AND m.", $bucket, " > 0
                   AND (", $value, " > $2 OR (", $value, " = $2 AND m.user_id < $3))
                   AND m.user_id NOT IN (SELECT user_id FROM board_opt_out WHERE guild_id = $1)
                 ORDER BY m.", $bucket, ", ", $value, ", m.user_id DESC LIMIT 101) AS p LIMIT $4"
            ),
            sorted_down: statement!(
                $sorted_down,
                [INT8, INT8, INT8, INT8 $(, $type)?],
                "SELECT m.user_id, m.xp, m.message_count, ", $value, ", count(*) OVER ()
                 FROM member_xp AS m
                 WHERE m.guild_id = $1", $of_page, " AND m.by_xp >= 0 AND ", $value, " > 0
                   AND (", $value, " < $2 OR (", $value, " = $2 AND m.user_id > $3))
                   AND m.user_id NOT IN (SELECT user_id FROM board_opt_out WHERE guild_id = $1)
                 ORDER BY ", $value, " DESC, m.user_id LIMIT $4"
            ),
            sorted_up: statement!(
                $sorted_up,
                [INT8, INT8, INT8, INT8 $(, $type)?],
                "SELECT m.user_id, m.xp, m.message_count, ", $value, ", count(*) OVER ()
                 FROM member_xp AS m
                 WHERE m.guild_id = $1", $of_page, " AND m.by_xp >= 0 AND ", $value, " > 0
                   AND (", $value, " > $2 OR (", $value, " = $2 AND m.user_id < $3))
                   AND m.user_id NOT IN (SELECT user_id FROM board_opt_out WHERE guild_id = $1)
                 ORDER BY ", $value, ", m.user_id DESC LIMIT $4"
            ),
            these: statement!(
                $these,
                [INT8, INT8_ARRAY $(, $type)?],
                "SELECT m.user_id, m.xp, m.message_count, ", $value, " AS value, 0::int8
                 FROM member_xp AS m
                 WHERE m.guild_id = $1 AND m.user_id = ANY ($2)", $of_these, " AND m.by_xp >= 0 AND ", $value, " > 0
                   AND m.user_id NOT IN (SELECT user_id FROM board_opt_out WHERE guild_id = $1)
                 ORDER BY ", $value, " DESC, m.user_id"
            ),
            hidden_above: statement!(
                $hidden_above,
                [INT8, INT8, INT8 $(, $type)?],
                "SELECT count(*) FILTER (WHERE ", $value, " > $2), count(*)
                 FROM board_opt_out AS h
                 JOIN member_xp AS m ON m.guild_id = h.guild_id AND m.user_id = h.user_id
                 WHERE h.guild_id = $1", $of_hidden, " AND m.by_xp >= 0 AND ", $value, " > 0
                   AND (", $value, " > $2 OR (", $value, " = $2 AND m.user_id < $3))"
            ),
        }
    };
}

const BY_XP: Board = board! {
    "public_board_by_xp" "public_board_up_by_xp" "public_board_sorted_by_xp" "public_board_sorted_up_by_xp"
    "public_board_these_by_xp" "public_board_hidden_by_xp",
    week: [] "" "" "",
    bucket: "by_xp" "xp_place", value: "m.xp"
};

const BY_MESSAGES: Board = board! {
    "public_board_by_messages" "public_board_up_by_messages" "public_board_sorted_by_messages" "public_board_sorted_up_by_messages"
    "public_board_these_by_messages" "public_board_hidden_by_messages",
    week: [] "" "" "",
    bucket: "by_messages" "message_place", value: "m.message_count"
};

const BY_WEEK: Board = board! {
    "public_board_by_week" "public_board_up_by_week" "public_board_sorted_by_week" "public_board_sorted_up_by_week"
    "public_board_these_by_week" "public_board_hidden_by_week",
    week: [INT4] " AND m.week = $5" " AND m.week = $3" " AND m.week = $4",
    bucket: "by_week" "week_place", value: "(m.xp - m.week_base)"
};

const fn board_of(order: Order) -> &'static Board {
    match order {
        Order::Xp => &BY_XP,
        Order::Messages => &BY_MESSAGES,
        Order::Week(_) => &BY_WEEK,
    }
}

/// A page of this many lines, at most 100.
pub(crate) async fn page(
    store: &Store,
    guild_id: Id<GuildMarker>,
    order: Order,
    from: From,
    limit: u32,
) -> Result<Page, StoreError> {
    let board = board_of(order);
    let (value, user) = match from {
        From::Start => (i64::MAX, 0),
        From::After(value, user_id) | From::Before(value, user_id) => (to_db(value), ids::to_db(user_id)),
    };
    let is_up = matches!(from, From::Before(..));
    let is_ranked = is_ranked(store, guild_id).await?;
    let statement = match (is_ranked, is_up) {
        (true, false) => board.down,
        (true, true) => board.up,
        (false, false) => board.sorted_down,
        (false, true) => board.sorted_up,
    };
    // One more shows whether there is another page.
    let (guild, most) = (ids::to_db(guild_id), i64::from(limit) + 1);
    let params: Params<'_> = match &order {
        Order::Xp | Order::Messages => &[&guild, &value, &user, &most],
        Order::Week(week) => &[&guild, &value, &user, &most, week],
    };
    let rows = store.read(statement, params).await?;
    if !is_ranked {
        // Large guilds become ranked ones.
        let members = rows.first().map_or(0, |row| row.get::<_, i64>(4).cast_unsigned());
        store.was_sorted(guild_id, members);
    }
    let mut lines: Vec<Line> = rows.iter().filter_map(line_of).collect();
    let has_more = lines.len() > limit as usize;
    lines.truncate(limit as usize);
    if is_up {
        lines.reverse();
    }
    let mut above = 0;
    if let (true, Some(first)) = (from != From::Start, lines.first()) {
        let user_id = first.standing.user_id;
        let place = place(store, MemberKey { guild_id, user_id }, order, first.value).await?;
        // It has left the leaderboard meanwhile.
        let Some(place) = place else {
            return Ok(Page::default());
        };
        lines[0].rank = place.rank;
        above = place.above;
    }
    rank(&mut lines, above);
    Ok(Page {
        has_above: if is_up { has_more } else { above > 0 },
        has_below: if is_up { !lines.is_empty() } else { has_more },
        lines,
        is_ranked,
    })
}

/// These members with their ranks, as far as they are shown on the leaderboard, the highest first.
pub(crate) async fn these(
    store: &Store,
    guild_id: Id<GuildMarker>,
    order: Order,
    users: &[Id<UserMarker>],
) -> Result<Vec<Line>, StoreError> {
    let (guild, users) = (ids::to_db(guild_id), users.iter().copied().map(ids::to_db));
    let users: Vec<i64> = users.collect();
    let params: Params<'_> = match &order {
        Order::Xp | Order::Messages => &[&guild, &users],
        Order::Week(week) => &[&guild, &users, week],
    };
    let rows = store.read(board_of(order).these, params).await?;
    let mut lines = Vec::new();
    for mut line in rows.iter().filter_map(line_of) {
        let user_id = line.standing.user_id;
        let place = place(store, MemberKey { guild_id, user_id }, order, line.value).await?;
        if let Some(place) = place {
            line.rank = place.rank;
            lines.push(line);
        }
    }
    Ok(lines)
}

/// A member's place among those who are shown.
#[derive(Clone, Copy, Debug)]
struct Place {
    rank: u64,
    /// The members above.
    above: u64,
}

async fn place(store: &Store, key: MemberKey, order: Order, value: u64) -> Result<Option<Place>, StoreError> {
    let Some((better, above)) = leaderboard::place(store, key, order).await? else {
        return Ok(None);
    };
    let (guild, user, value) = (ids::to_db(key.guild_id), ids::to_db(key.user_id), to_db(value));
    let params: Params<'_> = match &order {
        Order::Xp | Order::Messages => &[&guild, &value, &user],
        Order::Week(week) => &[&guild, &value, &user, week],
    };
    let rows = store.read(board_of(order).hidden_above, params).await?;
    let hidden = |column| {
        rows.first()
            .map_or(0, |row| row.get::<_, i64>(column).cast_unsigned())
    };
    Ok(Some(Place {
        rank: 1 + better.saturating_sub(hidden(0)),
        above: above.saturating_sub(hidden(1)),
    }))
}

/// Give lines their ranks after `above` others. The first has its rank already, unless there are none above.
fn rank(lines: &mut [Line], above: u64) {
    let mut before: Option<(u64, u64)> = None;
    for (at, line) in (above..).zip(lines) {
        line.rank = match before {
            Some((value, rank)) if value == line.value => rank,
            None if above > 0 => line.rank,
            _ => at + 1,
        };
        before = Some((line.value, line.rank));
    }
}

async fn is_ranked(store: &Store, guild_id: Id<GuildMarker>) -> Result<bool, StoreError> {
    const IS_RANKED: Statement = statement!(
        "public_board_is_ranked",
        [INT8],
        "SELECT FROM ranked_guild WHERE guild_id = $1 AND placed"
    );
    let rows = store.read(IS_RANKED, &[&ids::to_db(guild_id)]).await?;
    Ok(!rows.is_empty())
}

fn line_of(row: &Row) -> Option<Line> {
    Some(Line {
        standing: standing_of(row)?,
        value: row.get::<_, i64>(3).cast_unsigned(),
        rank: 0,
    })
}

fn to_db(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::{Line, rank};
    use crate::features::levels::rows::leaderboard::Standing;

    fn lines(values: &[u64]) -> Vec<Line> {
        let line = |value: &u64| Line {
            standing: Standing {
                user_id: Id::new(1),
                xp: *value,
                message_count: 1,
            },
            value: *value,
            rank: 0,
        };
        values.iter().map(line).collect()
    }

    #[test]
    fn equal_values_share_a_rank() {
        let ranks = |values: &[u64], above, first| {
            let mut lines = lines(values);
            lines[0].rank = first;
            rank(&mut lines, above);
            lines.iter().map(|line| line.rank).collect::<Vec<_>>()
        };
        assert_eq!(ranks(&[9, 9, 7, 5], 0, 0), [1, 1, 3, 4]);
        // The first shares its rank with two on the page before.
        assert_eq!(ranks(&[9, 9, 7], 10, 9), [9, 9, 13]);
        assert_eq!(ranks(&[9, 8], 10, 11), [11, 12]);
    }
}
