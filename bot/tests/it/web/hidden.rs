//! What nobody may learn: servers and members that are not shown.

use discord_simulator::InteractionRequest;
use serde_json::{Value, json};

use super::{
    board,
    boards::{lines, way},
    browser, database, give_xp, show_board, username, website,
};
use crate::support::{
    asking::{Here, text},
    browser::{Browser, Shown, encoded},
    until,
};

/// The ID before those of members who are in the database only.
const FIRST: u64 = 300_000_000_000_000_000;
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

/// A member uses `/privacy hide` or `/privacy show`.
async fn set(here: &Here, user: u64, path: &str) {
    let mut request: InteractionRequest = here.managing("privacy", path, json!([]), json!({}));
    request.user_id = user;
    text(&here.ask(&request).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_hides_leaves_no_trace() {
    let here = website().await;
    give_xp(&here, 30).await;
    show_board(&here, "public").await;
    let mut visitor = browser(&here);
    let hidden = [here.member(0), here.member(27)];
    for user in hidden {
        set(&here, user, "hide").await;
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
    set(&here, hidden[0], "show").await;
    assert_eq!(lines(&visitor.get(&board(&here)).await)[0], (1, hidden[0]));
    here.end().await;
}

/// A token is made by the staff, but what a program shows is often public.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_do_not_learn_of_members_who_hide() {
    let here = website().await;
    // More than an answer has; the three that hide are at its start, at its end and after it.
    let rows = format!(
        "INSERT INTO member_xp (guild_id, user_id, xp, message_count)
         SELECT {}, {FIRST} + n, 1000 - n, 2000 - n FROM generate_series(1, 130) AS n",
        here.guild()
    );
    database(&here).await.execute(&rows).await;
    let hidden = [FIRST + 1, FIRST + 100, FIRST + 120];
    for user in hidden {
        let sql = format!(
            "INSERT INTO board_opt_out (guild_id, user_id) VALUES ({}, {user})",
            here.guild()
        );
        database(&here).await.execute(&sql).await;
    }
    let mut manager = browser(&here);
    manager.sign_in(&here, here.next_member()).await;
    let fields = [("do", "create"), ("name", "board"), ("part", "leaderboard")];
    let made = manager
        .submit(&format!("/servers/{}/api", here.guild()), &fields)
        .await;
    let token = made.is(200).between("<p><code>", "<")[0].to_owned();
    let read = async |guild: u64, query: &str| {
        let path = format!("/api/v1/servers/{guild}/leaderboard?{query}");
        browser(&here).read(&path, &token).await
    };
    let page = async |query: &str| -> Value {
        let shown = read(here.guild(), query).await;
        serde_json::from_str(shown.is(200).text()).expect("JSON")
    };
    for by in ["xp", "messages"] {
        let first = page(&format!("by={by}")).await;
        let next = first["next"].as_str().expect("more").to_owned();
        let last = page(&format!("by={by}&after={next}")).await;
        assert_eq!(last["next"], Value::Null);
        let of = |page: &Value| page["members"].as_array().expect("members").clone();
        let members = [of(&first), of(&last)].concat();
        assert_eq!((of(&first).len(), members.len()), (100, 127), "{by}");
        // No gap shows that there are others.
        let ranks: Vec<u64> = members
            .iter()
            .filter_map(|member| member["rank"].as_u64())
            .collect();
        let expected: Vec<u64> = (1..=127).collect();
        assert_eq!(ranks, expected, "{by}");
        for user in hidden {
            let id = user.to_string();
            let is_there = |member: &Value| member["user_id"] == id;
            assert!(!members.iter().any(is_there), "{by}");
        }
    }
    // A server with the bot, and one that does not exist.
    let other = here.discord.world().guilds()[1].id();
    let (other, nobody) = (read(other, "").await, read(NOBODY, "").await);
    assert_eq!((other.status, other.text()), (401, nobody.text()));
    assert_eq!(nobody.status, 401);
    here.end().await;
}

/// Nothing that a visitor or the staff can open on the way from the leaderboard has the ID of a member who hides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_has_the_id_of_a_member_who_hides() {
    let here = website().await;
    give_xp(&here, 30).await;
    show_board(&here, "public").await;
    let hidden = here.member(0);
    set(&here, hidden, "hide").await;
    let (id, guild) = (hidden.to_string(), here.guild());
    let mut manager = browser(&here);
    manager.sign_in(&here, here.next_member()).await;
    for visitor in [&mut browser(&here), &mut manager] {
        for by in ["xp", "messages", "week"] {
            let mut path = Some(format!("{}?by={by}", board(&here)));
            while let Some(next) = path {
                let shown = visitor.get(&next).await;
                shown.is(200).hides(&id);
                path = way(&shown, "next");
            }
        }
        let neighbour = visitor
            .get(&format!("/servers/{guild}/members/{}", here.member(2)))
            .await;
        neighbour.is(200).hides(&id).shows("og:description").shows("#1");
        // From the place of the member who hides, the page is that of the others.
        let around = visitor
            .get(&format!("{}?by=xp&after=1000-{id}", board(&here)))
            .await;
        let members = lines(around.is(200));
        assert!(members.iter().all(|(_, member)| *member != hidden), "{members:?}");
    }
    for path in ["statistics", "statistics.csv", "statistics?days=365"] {
        let shown = manager.get(&format!("/servers/{guild}/{path}")).await;
        shown.is(200).hides(&id);
    }
    here.end().await;
}
