//! What nobody may learn: servers and members that are not shown.

use discord_simulator::InteractionRequest;
use serde_json::json;

use super::{
    board,
    boards::{lines, way},
    browser, give_xp, show_board, username, website,
};
use crate::support::{
    asking::text,
    browser::{Browser, Shown, encoded},
    until,
};

/// A guild and a user that do not exist.
const NOBODY: u64 = 999_999_999_999_999_999;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_shows_nothing_looks_like_none() {
    let here = website().await;
    give_xp(&here, 3).await;
    let (guild, member) = (here.guild(), here.member(0));
    let mut visitor = browser(&here);
    let nothing = visitor.get("/nothing").await;
    assert_eq!(nothing.status, 404);
    let assert_nothing = async |visitor: &mut Browser| {
        for path in [
            format!("/servers/{guild}/leaderboard"),
            format!("/servers/{guild}/leaderboard?by=week&q=a"),
            format!("/servers/{guild}/members/{member}"),
            format!("/servers/{guild}/members/{member}/card.png"),
            format!("/servers/{NOBODY}/leaderboard"),
            format!("/servers/{NOBODY}/members/{member}"),
            "/servers/x/leaderboard".to_owned(),
            "/servers/0/leaderboard".to_owned(),
        ] {
            let shown = visitor.get(&path).await;
            assert_eq!(shown.status, 404, "{path}");
            let own = |shown: &Shown| (shown.text().to_owned(), shown.headers.len());
            assert_eq!(own(&shown), own(&nothing), "{path}");
        }
    };
    assert_nothing(&mut visitor).await;
    // For members only.
    show_board(&here, "members").await;
    assert_nothing(&mut visitor).await;
    // A public server without this member, and one that the bot is not in any more.
    show_board(&here, "public").await;
    for user in [here.member(50), NOBODY] {
        let shown = visitor.get(&format!("/servers/{guild}/members/{user}")).await;
        assert_eq!((shown.status, shown.text()), (404, nothing.text()));
    }
    assert!(here.discord.control().kick_bot(guild));
    until("the server is gone", async || {
        (visitor.get(&board(&here)).await.status == 404).then_some(())
    })
    .await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaderboard_for_members_is_for_members() {
    let here = website().await;
    give_xp(&here, 3).await;
    show_board(&here, "members").await;
    let mut member = browser(&here);
    member.sign_in(&here, here.member(5)).await;
    let shown = member.get(&board(&here)).await;
    assert_eq!((shown.status, lines(&shown).len()), (200, 3));
    assert!(
        !shown.text().contains("og:title"),
        "no preview of what is not public"
    );
    // The same user after leaving, as soon as that is known.
    let guild = here.guild();
    assert!(
        here.discord
            .control()
            .set_member_left(guild, here.member(6), true)
    );
    let mut other = browser(&here);
    other.sign_in(&here, here.member(6)).await;
    assert_eq!(other.get(&board(&here)).await.status, 404);
    // Off is for those who can change it.
    show_board(&here, "off").await;
    assert_eq!(member.get(&board(&here)).await.status, 404);
    let mut manager = browser(&here);
    manager.sign_in(&here, here.next_member()).await;
    let shown = manager.get(&board(&here)).await;
    assert_eq!(shown.status, 200);
    assert!(shown.text().contains("class=\"note\""), "{}", shown.text());
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_hides_leaves_no_trace() {
    let here = website().await;
    give_xp(&here, 30).await;
    show_board(&here, "public").await;
    let mut visitor = browser(&here);
    let hidden = [here.member(0), here.member(27)];
    let set = async |user: u64, path: &str| {
        let mut request = here.managing("privacy", path, json!([]), json!({}));
        request.user_id = user;
        let request: InteractionRequest = request;
        text(&here.ask(&request).await)
    };
    for user in hidden {
        set(user, "hide").await;
    }
    let (first, rest) = (visitor.get(&board(&here)).await, async |visitor: &mut Browser| {
        let shown = visitor.get(&board(&here)).await;
        visitor.get(&way(&shown, "next").expect("more")).await
    });
    let mut shown = lines(&first);
    shown.extend(lines(&rest(&mut visitor).await));
    let ranks: Vec<u64> = shown.iter().map(|(rank, _)| *rank).collect();
    // The second and the third have the same XP, and there is no gap for those who hide.
    let expected: Vec<u64> = [1, 1].into_iter().chain(3..=28).collect();
    assert_eq!(ranks, expected);
    assert!(shown.iter().all(|(_, member)| !hidden.contains(member)));
    let nothing = visitor.get("/nothing").await;
    for user in hidden {
        for path in ["", "/card.png"] {
            let shown = visitor
                .get(&format!("/servers/{}/members/{user}{path}", here.guild()))
                .await;
            assert_eq!((shown.status, shown.text()), (404, nothing.text()));
        }
        let name = username(&here, user).await;
        let found = visitor
            .get(&format!("{}?{}", board(&here), encoded(&[("q", &name)])))
            .await;
        assert!(lines(&found).iter().all(|(_, member)| *member != user));
    }
    // An erasure does not show them again; they do so themselves.
    set(hidden[0], "show").await;
    assert_eq!(lines(&visitor.get(&board(&here)).await)[0], (1, hidden[0]));
    here.end().await;
}
