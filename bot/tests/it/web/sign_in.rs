//! Sessions: their beginning and their end.

use discord_simulator::{Consent, Guild};
use serde_json::{Value, json};

use super::{browser, database, website};
use crate::support::{PATIENCE, browser::Browser, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_signs_in_and_out_here_and_everywhere() {
    let here = website().await;
    let user = here.next_member();
    let (mut one, mut two) = (browser(&here), browser(&here));
    assert!(!one.is_signed_in().await);
    // The page that was asked for is shown after signing in.
    let wanted = one.get("/servers").await;
    assert_eq!(wanted.header("location"), Some("/sign-in?to=%2Fservers"));
    assert_eq!(one.sign_in_to(&here, user, "/servers").await, "/servers");
    two.sign_in(&here, user).await;
    let servers = one.get("/servers").await;
    assert_eq!(servers.status, 200);
    let token = one.get("/sign-out").await.token();
    assert_eq!(one.post("/sign-out", &[("token", &token)]).await.status, 303);
    assert!(!one.is_signed_in().await && two.is_signed_in().await);
    one.sign_in(&here, user).await;
    let token = two.get("/sign-out").await.token();
    two.post("/sign-out", &[("token", &token), ("everywhere", "yes")])
        .await;
    assert!(!one.is_signed_in().await && !two.is_signed_in().await);
    here.end().await;
}

/// The servers in a visitor's list.
async fn listed(visitor: &mut Browser) -> Vec<String> {
    let servers = visitor.get("/servers").await;
    let paths = servers.is(200).between("<li><a href=\"", "\"").into_iter();
    paths.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_listed_for_those_who_manage_it() {
    let here = website().await;
    let path = format!("/servers/{}", here.guild());
    // The owner, who did nothing.
    let mut owner = browser(&here);
    owner.sign_in(&here, here.member(0)).await;
    until("the owner is known", async || {
        listed(&mut owner).await.contains(&path).then_some(())
    })
    .await;
    // One who manages the server, after a command.
    let mut manager = browser(&here);
    let mut request = here.managing("help", "", json!([]), Value::Null);
    request.user_id = here.next_member();
    manager.sign_in(&here, request.user_id).await;
    assert!(listed(&mut manager).await.is_empty());
    here.ask(&request).await;
    until("the manager is known", async || {
        (listed(&mut manager).await == [path.as_str()]).then_some(())
    })
    .await;
    // One who opened the page.
    let mut visitor = browser(&here);
    visitor.sign_in(&here, here.next_member()).await;
    assert!(listed(&mut visitor).await.is_empty());
    visitor
        .get(&path)
        .await
        .is(200)
        .shows(&format!("href=\"{}\"", super::board(&here)));
    until("the visitor is known", async || {
        (listed(&mut visitor).await == [path.as_str()]).then_some(())
    })
    .await;
    let mut member = browser(&here);
    member.sign_in(&here, here.member(5)).await;
    member.get(&path).await.is(404);
    assert!(listed(&mut member).await.is_empty());
    here.end().await;
}

/// A list asks about the servers in which the user was seen as staff, and about no others, and is kept for some minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_servers_costs_what_the_users_servers_cost() {
    let here = website().await;
    let (session, user) = (database(&here).await, here.next_member());
    let others = here.discord.world().guilds()[1..].iter().map(Guild::id);
    for guild in others.clone() {
        let sql = format!(
            "INSERT INTO guild_settings (guild_id) VALUES ({guild});
             INSERT INTO member_xp (guild_id, user_id, xp) VALUES ({guild}, {user}, 100)"
        );
        session.execute(&sql).await;
    }
    let others: Vec<u64> = others.collect();
    // One in which the user had a role, and has none any more.
    let former = others[0];
    let sql = format!(
        "INSERT INTO guild_staff (guild_id, user_id, noted_at) VALUES ({}, {user}, '2020-01-01'), ({former}, {user}, '2020-01-01')",
        here.guild()
    );
    session.execute(&sql).await;
    let mut visitor = browser(&here);
    visitor.sign_in(&here, user).await;
    let control = here.discord.control();
    let asked = |guild: u64| {
        let path = format!("/guilds/{guild}/members/{user}");
        let calls = control.rest_calls("GET /guilds/{id}/members/{id}");
        calls.iter().filter(|call| call.path.ends_with(&path)).count()
    };
    let path = format!("/servers/{}", here.guild());
    for _view in 0..3 {
        assert_eq!(listed(&mut visitor).await, [path.as_str()]);
    }
    assert_eq!((asked(here.guild()), asked(former)), (1, 1));
    assert!(others[1..].iter().all(|guild| asked(*guild) == 0));
    let sql = "SELECT count(*) FROM guild_staff WHERE user_id = $1";
    let known = session.client.query_one(sql, &[&user.cast_signed()]).await;
    assert_eq!(known.expect("counted").get::<_, i64>(0), 1);
    // After some minutes it is made again.
    session
        .execute("UPDATE web_session SET servers = '{}', servers_at = now() - interval '6 minutes'")
        .await;
    assert_eq!(listed(&mut visitor).await, [path.as_str()]);
    session.close().await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_by_itself() {
    let here = website().await;
    let user = here.member(5);
    let session = database(&here).await;
    for age in [
        "used_at = now() - interval '7 days 1 second'",
        "created_at = now() - interval '30 days 1 second'",
    ] {
        let mut visitor = browser(&here);
        visitor.sign_in(&here, user).await;
        assert!(visitor.is_signed_in().await);
        session.execute(&format!("UPDATE web_session SET {age}")).await;
        assert!(!visitor.is_signed_in().await, "{age}");
    }
    // Use keeps it, and the job removes those that have ended.
    let mut visitor = browser(&here);
    visitor.sign_in(&here, user).await;
    session
        .execute("UPDATE web_session SET used_at = now() - interval '6 days' WHERE used_at > now() - interval '1 day'")
        .await;
    assert!(visitor.is_signed_in().await);
    session
        .execute("INSERT INTO web_sign_in VALUES ('x', '/', now() - interval '1 hour')")
        .await;
    let store = here.scene.store();
    eventide::web::session::remove_expired(&store)
        .await
        .expect("removed");
    let count = "SELECT count(*), count(*) FILTER (WHERE used_at < now() - interval '1 day'), (SELECT count(*) FROM web_sign_in)
                 FROM web_session";
    let row = session.client.query_one(count, &[]).await.expect("read");
    let of = |column: usize| row.get::<_, i64>(column);
    assert_eq!((of(0), of(1), of(2)), (1, 0, 0));
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_declines_on_discord_is_not_signed_in() {
    let here = website().await;
    let mut visitor = browser(&here);
    let back = visitor.authorized(&here, here.member(5), "/").await;
    let declined = format!("{}&error=access_denied", back.replace("code=", "other="));
    let shown = visitor.get(&declined).await;
    assert_eq!(shown.status, 400);
    assert!(shown.text().contains("declined"), "{}", shown.text());
    // With a wrong secret nobody gets in, and the page says that it is no fault of theirs.
    let control = here.discord.control();
    let back = visitor.authorized(&here, here.member(5), "/").await;
    control.change_oauth(|rules| {
        "changed".clone_into(&mut rules.client_secret);
        rules.consent = Consent::Deny;
    });
    let shown = visitor.get(&back).await;
    assert_eq!(shown.status, 400);
    assert!(shown.text().contains("operator"), "{}", shown.text());
    assert!(!visitor.is_signed_in().await);
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_goes_on_with_a_sign_in_and_a_session() {
    let here = website().await;
    let mut visitor = browser(&here);
    let back = visitor.authorized(&here, here.member(5), "/").await;
    let here = Box::pin(here.restarted()).await;
    let mut moved = browser(&here);
    moved.cookies = visitor.cookies;
    assert_eq!(moved.get(&back).await.status, 303);
    assert!(moved.is_signed_in().await);
    let here = Box::pin(here.restarted()).await;
    let mut later = browser(&here);
    later.cookies = moved.cookies;
    assert!(later.is_signed_in().await);
    let address = here.bot.web_address().expect("a website");
    here.bot.drain(PATIENCE).await.expect("a clean end");
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "the port is closed"
    );
    here.scene.stop().await;
}
