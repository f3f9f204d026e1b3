//! Leaderboards for everyone.

use discord_simulator::{RestFault, RestFaultKind};
use eventide::discord::rest::Priority;
use twilight_model::id::Id;

use super::{board, browser, database, give_xp, show_board, username, website};
use crate::support::{
    browser::{Shown, encoded},
    until,
};

/// The lines of a page: rank, and the ID in the link to the member.
pub(super) fn lines(shown: &Shown) -> Vec<(u64, u64)> {
    let ranks = shown.between("<td class=\"rank ", "</td>");
    let ranks = ranks.iter().map(|cell| cell.split('>').nth(1).expect("a rank"));
    let members = shown.between("/members/", "\"");
    ranks
        .zip(members)
        .map(|(rank, member)| {
            (
                rank.replace(',', "").parse().expect("a number"),
                member.parse().expect("an ID"),
            )
        })
        .collect()
}

/// The path of a link of the pager.
pub(super) fn way(shown: &Shown, rel: &str) -> Option<String> {
    let links = shown.between("<a class=\"button quiet\" rel=\"", "\">");
    let link = links
        .iter()
        .find_map(|link| link.strip_prefix(&format!("{rel}\" href=\"")));
    link.map(|path| path.replace("&amp;", "&"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_leaderboard_is_read_page_by_page() {
    let here = website().await;
    give_xp(&here, 60).await;
    show_board(&here, "public").await;
    let mut visitor = browser(&here);
    let mut expected: Vec<(u64, u64)> = (0..60)
        .map(|rank| (u64::from(rank) + 1, here.member(rank)))
        .collect();
    // Two members have the same XP.
    expected[2].0 = 2;
    if expected[2].1 < expected[1].1 {
        expected.swap(1, 2);
    }
    let (mut path, mut found, mut pages) = (Some(board(&here)), Vec::new(), Vec::new());
    while let Some(next) = path {
        let shown = visitor.get(&next).await;
        assert_eq!(shown.status, 200);
        found.extend(lines(&shown));
        path = way(&shown, "next");
        pages.push((lines(&shown), way(&shown, "prev")));
    }
    assert_eq!(found, expected);
    assert_eq!(pages.len(), 3);
    assert_eq!(pages[0].1, None);
    // And back.
    for at in [2, 1] {
        let before = visitor.get(pages[at].1.as_deref().expect("a way back")).await;
        assert_eq!(lines(&before), pages[at - 1].0);
    }
    // By messages the order is the same here, apart from the two; this week nobody has written.
    let shown = visitor.get(&format!("{}?by=messages", board(&here))).await;
    assert_eq!(lines(&shown)[2].0, 3);
    let shown = visitor.get(&format!("{}?by=week", board(&here))).await;
    assert!(
        lines(&shown).is_empty() && shown.text().contains("No one"),
        "{}",
        shown.text()
    );
    // What cannot be read begins at the start.
    for query in [
        "?after=x",
        "?after=1-2",
        "?before=-1-",
        "?by=gold",
        "?after=99999999999999999999-1",
    ] {
        let shown = visitor.get(&format!("{}{query}", board(&here))).await;
        assert_eq!(lines(&shown)[0], expected[0], "{query}");
    }
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_has_a_page_with_a_card_and_a_preview() {
    let here = website().await;
    give_xp(&here, 3).await;
    show_board(&here, "public").await;
    let mut visitor = browser(&here);
    let path = format!("/servers/{}/members/{}", here.guild(), here.member(0));
    let shown = visitor.get(&path).await;
    assert_eq!(shown.status, 200);
    let text = shown.text();
    for part in [
        "<dd>#1</dd>",
        "<dd>1,000</dd>",
        &format!("<meta property=\"og:url\" content=\"http://localhost:8080{path}\">"),
        &format!("<meta property=\"og:image\" content=\"http://localhost:8080{path}/card.png\">"),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let card = visitor.get(&format!("{path}/card.png")).await;
    assert_eq!(
        (card.status, card.header("content-type")),
        (200, Some("image/png"))
    );
    assert!(card.body.starts_with(b"\x89PNG"));
    // In German, by the browser's language.
    visitor
        .headers
        .push(("Accept-Language".to_owned(), "de-DE, en;q=0.5".to_owned()));
    let shown = visitor.get(&path).await;
    assert!(shown.text().contains("<html lang=\"de\">") && shown.text().contains("<dd>1.000</dd>"));
    here.end().await;
}

/// A page waits for no name. It loads itself again as long as names are being looked up, and a name that does not exist is looked up once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_comes_before_the_names_that_discord_has_not_returned() {
    const UNKNOWN: u64 = 100_000_000_000_004_321;
    let here = website().await;
    give_xp(&here, 2).await;
    let sql = format!(
        "INSERT INTO member_xp (guild_id, user_id, xp, message_count) VALUES ({}, {UNKNOWN}, 5, 1)",
        here.guild()
    );
    database(&here).await.execute(&sql).await;
    show_board(&here, "public").await;
    let page_of = |user: u64| format!("/servers/{}/members/{user}", here.guild());
    let mut visitor = browser(&here);
    // Only those who are no members are looked up as users.
    let asked = || here.discord.control().rest_calls("GET /users/{id}").len();
    until("only the name that does not exist is missing", async || {
        let shown = visitor.get(&board(&here)).await;
        let is_complete = shown.header("refresh").is_none();
        assert_eq!(lines(shown.is(200)).len(), 3);
        is_complete.then(|| {
            assert_eq!(shown.text().matches("Member …").count(), 1);
            shown.shows("Member …4321");
        })
    })
    .await;
    assert_eq!(asked(), 1);
    let shown = visitor.get(&page_of(UNKNOWN)).await;
    assert_eq!(shown.is(200).header("refresh"), None);
    assert_eq!(asked(), 1);

    // Discord does not answer any more.
    here.discord.control().add_fault(RestFault {
        route: "GET /guilds/{id}/members/{id}".to_owned(),
        count: None,
        delay_ms: 3_600_000,
        kind: RestFaultKind::None,
    });
    let sql = format!(
        "INSERT INTO member_xp (guild_id, user_id, xp, message_count) VALUES ({}, {}, 2000, 1)",
        here.guild(),
        here.member(5)
    );
    database(&here).await.execute(&sql).await;
    for page in [board(&here), page_of(here.member(5)), board(&here)] {
        let shown = visitor.get(&page).await;
        assert_eq!(shown.is(200).header("refresh"), Some("1"), "{page}");
        shown.shows(&format!("Member …{:04}", here.member(5) % 10_000));
    }
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_finds_members_by_the_beginning_of_their_names() {
    let here = website().await;
    give_xp(&here, 5).await;
    show_board(&here, "public").await;
    let mut visitor = browser(&here);
    let members = visitor.get(&board(&here)).await;
    assert_eq!(lines(&members).len(), 5);
    let control = here.discord.control();
    let user = here.member(3);
    let name = username(&here, user).await;
    let query = encoded(&[("q", &name)]);
    let shown = visitor.get(&format!("{}?{query}", board(&here))).await;
    assert!(lines(&shown).contains(&(4, user)), "{}", shown.text());
    // Somebody without XP is not found.
    let other = here.member(40);
    let name = username(&here, other).await;
    let query = encoded(&[("q", &name)]);
    let shown = visitor.get(&format!("{}?{query}", board(&here))).await;
    assert!(lines(&shown).iter().all(|(_, member)| *member != other));
    assert!(!control.rest_calls("GET /guilds/{id}/members/search").is_empty());
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_servers_and_members_are_text() {
    const EVIL: &str = "<script>x()</script>'\"&";
    let here = website().await;
    give_xp(&here, 2).await;
    let control = here.discord.control();
    assert!(control.rename_guild(here.guild(), EVIL) && control.set_bot_permissions(here.guild(), 8));
    // The first member owns the server.
    let (guild, user) = (Id::new(here.guild()), Id::new(here.member(1)));
    let rest = &here.bot.rest;
    let nick = rest
        .builders()
        .update_guild_member(guild, user)
        .nick(Some("<img src=x onerror=x()>"));
    rest.send(Priority::Command, nick).await.expect("renamed");
    here.bot.guilds.forget(guild);
    show_board(&here, "public").await;
    let mut visitor = browser(&here);
    let query = encoded(&[("q", "\"><script>x()</script>")]);
    for path in [
        board(&here),
        format!("{}?by=week", board(&here)),
        format!("{}?{query}", board(&here)),
        format!("/servers/{guild}/members/{user}"),
    ] {
        until("the names are known", async || {
            let shown = visitor.get(&path).await;
            shown.text().contains("&lt;script&gt;x()").then_some(())
        })
        .await;
        let shown = visitor.get(&path).await;
        assert!(
            !shown.text().contains("<script>") && !shown.text().contains("<img src=x"),
            "{}",
            shown.text()
        );
    }
    let shown = visitor.get(&board(&here)).await;
    assert!(
        shown.text().contains("&lt;img src=x onerror=x()&gt;"),
        "{}",
        shown.text()
    );
    here.end().await;
}
