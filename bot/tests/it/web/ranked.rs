//! Leaderboards of servers with so many members that they have rank buckets.

use super::{
    board,
    boards::{lines, way},
    browser, database, show_board, website,
};
use crate::support::{asking::Here, boards::assert_counted, browser::Browser, until};

/// Enough for rank buckets.
const MEMBERS: u64 = 3_000;
/// The first member's ID.
const FIRST: u64 = 300_000_000_000_000_000;

/// The pages of a leaderboard from the start, with the one before the last as its way back shows it.
async fn pages(visitor: &mut Browser, here: &Here, by: &str, most: usize) -> Vec<Vec<(u64, u64)>> {
    let mut path = Some(format!("{}?by={by}", board(here)));
    let (mut pages, mut back) = (Vec::new(), None);
    while let Some(next) = path.filter(|_| pages.len() < most) {
        let shown = visitor.get(&next).await;
        assert_eq!(shown.status, 200);
        pages.push(lines(&shown));
        path = way(&shown, "next");
        back = way(&shown, "prev");
    }
    let shown = visitor.get(&back.expect("several pages")).await;
    assert_eq!(lines(&shown), pages[pages.len() - 2], "{by}");
    pages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buckets_show_the_same_pages() {
    let here = website().await;
    let (session, guild) = (database(&here).await, here.guild());
    let week = eventide::features::levels::rules::week::week_of(eventide::support::ids::to_millis(
        here.bot.rest.clock().now(),
    ));
    // Many members with the same XP, and XP from little to much.
    let sql = format!(
        "INSERT INTO member_xp (guild_id, user_id, xp, message_count, week, week_base)
         SELECT {guild}, {FIRST} + n, n * n / 7 + 1, 1 + n % 97, {week}, n * n / 14 FROM generate_series(1, {MEMBERS}) AS n;
         INSERT INTO board_opt_out (guild_id, user_id) SELECT {guild}, {FIRST} + {MEMBERS} - n * n FROM generate_series(1, 20) AS n"
    );
    session.execute(&sql).await;
    let mut visitor = browser(&here);
    // Whether the guild is ranked by now or not.
    show_board(&here, "public").await;
    let orders = ["xp", "messages", "week"];
    let mut before = Vec::new();
    for by in orders {
        before.push(pages(&mut visitor, &here, by, 6).await);
    }
    until("the guild is ranked", async || {
        visitor.get(&board(&here)).await;
        let placed = "SELECT FROM ranked_guild WHERE placed";
        let rows = session.client.query(placed, &[]).await.expect("read");
        (!rows.is_empty()).then_some(())
    })
    .await;
    assert_counted(&session.client).await;
    for (by, before) in orders.into_iter().zip(before) {
        assert_eq!(pages(&mut visitor, &here, by, 6).await, before, "{by}");
        let ranks: Vec<u64> = before.iter().flatten().map(|(rank, _)| *rank).collect();
        assert!(
            ranks.is_sorted() && ranks[0] == 1 && ranks.len() == 150,
            "{ranks:?}"
        );
    }
    here.end().await;
}
