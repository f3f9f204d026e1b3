//! The chart of a member's XP by week.

use super::{browser, database, give_xp, show_board, website};
use crate::support::{browser::Shown, session::Session};

/// The running week in SQL.
const WEEK: &str = "floor((extract(epoch FROM now()) / 86400 + 3) / 7)::int4";

/// The Monday on which a week begins, which is this many weeks from now.
async fn monday(session: &Session, week: i32) -> String {
    let sql = format!(
        "SELECT to_char(to_timestamp((({WEEK} + {week}) * 7 - 3) * 86400.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
    );
    session.client.query_one(&sql, &[]).await.expect("a day").get(0)
}

/// The rows of the chart's table.
fn table(shown: &Shown) -> Vec<String> {
    let rows = shown.is(200).between("<tr><th scope=\"row\">", "</td></tr>");
    rows.into_iter()
        .map(|row| row.replace("</th><td class=\"number\">", ": "))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_a_member_has_the_weeks_that_are_known() {
    let here = website().await;
    give_xp(&here, 2).await;
    show_board(&here, "public").await;
    let (guild, user) = (here.guild(), here.member(0));
    let path = format!("/servers/{guild}/members/{user}");
    let mut visitor = browser(&here);
    visitor.get(&path).await.is(200).hides("<figure");
    // The running week alone is no history.
    let session = database(&here).await;
    session
        .execute(&format!(
            "UPDATE member_xp SET week = {WEEK}, week_base = 900 WHERE guild_id = {guild} AND user_id = {user}"
        ))
        .await;
    visitor.get(&path).await.is(200).hides("<figure");
    // The beginning of one week is unknown, and that of the running one is only in the member's row.
    session
        .execute(&format!(
            "INSERT INTO guild_week (guild_id, week, after_user)
             VALUES ({guild}, {WEEK} - 27, NULL), ({guild}, {WEEK} - 26, NULL), ({guild}, {WEEK} - 25, NULL), ({guild}, {WEEK} - 4, NULL),
                    ({guild}, {WEEK} - 3, NULL), ({guild}, {WEEK} - 2, 5), ({guild}, {WEEK} - 1, NULL), ({guild}, {WEEK}, 5);
             INSERT INTO member_week (guild_id, user_id, week, xp)
             VALUES ({guild}, {user}, {WEEK} - 27, 30), ({guild}, {user}, {WEEK} - 26, 50), ({guild}, {user}, {WEEK} - 25, 60),
                    ({guild}, {user}, {WEEK} - 4, 100), ({guild}, {user}, {WEEK} - 3, 350), ({guild}, {user}, {WEEK} - 1, 600)"
        ))
        .await;
    let (oldest, other) = (monday(&session, -26).await, monday(&session, -4).await);
    let (last, running) = (monday(&session, -1).await, monday(&session, 0).await);
    let shown = visitor.get(&path).await;
    let expected = [
        format!("{oldest}: 10"),
        format!("{other}: 250"),
        format!("{last}: 300"),
        format!("{running} (so far): 100"),
    ];
    assert_eq!(table(&shown), expected);
    assert_eq!(shown.text().matches("<rect class=\"bar\"").count(), 4);
    // Once it is copied, the copy is what counts: staff have changed XP since.
    session
        .execute(&format!(
            "UPDATE guild_week SET after_user = NULL WHERE guild_id = {guild} AND week = {WEEK};
             INSERT INTO member_week (guild_id, user_id, week, xp) VALUES ({guild}, {user}, {WEEK}, 880)"
        ))
        .await;
    let shown = visitor.get(&path).await;
    let expected = [format!("{last}: 280"), format!("{running} (so far): 120")];
    assert_eq!(table(&shown)[2..], expected);

    // As the leaderboard: only the staff sees it if it is off, and nobody if the member hides.
    show_board(&here, "off").await;
    let nothing = visitor.get("/nothing").await;
    let hidden = visitor.get(&path).await;
    assert_eq!((hidden.status, hidden.text()), (404, nothing.text()));
    let mut manager = browser(&here);
    manager.sign_in(&here, here.next_member()).await;
    assert_eq!(table(&manager.get(&path).await).len(), 4);
    session
        .execute(&format!(
            "INSERT INTO board_opt_out (guild_id, user_id) VALUES ({guild}, {user})"
        ))
        .await;
    manager.get(&path).await.is(404).hides("<figure");
    here.end().await;
}
