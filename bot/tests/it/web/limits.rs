//! Floods, and requests that are too large.

use eventide::config::Config;
use tokio::{io::AsyncReadExt as _, net::TcpStream};

use super::{browser, website, website_with};
use crate::support::{browser::Browser, until};

/// Send requests until one is refused. Returns how many were answered.
async fn flood(client: &mut Browser) -> u32 {
    for sent in 0..100 {
        let shown = client.get("/robots.txt").await;
        if shown.status == 429 {
            assert!(shown.header("retry-after").is_some());
            return sent;
        }
    }
    unreachable!("no request was refused")
}

fn from(client: &str) -> Vec<(String, String)> {
    vec![("X-Forwarded-For".to_owned(), client.to_owned())]
}

/// The website with this configuration of proxies.
fn proxies(networks: &str) -> impl FnOnce(&mut Config) + use<> {
    let variables = [("EVENTIDE__WEB__TRUSTED_PROXIES".to_owned(), networks.to_owned())];
    let parsed = Config::load(None, &variables.into()).expect("valid").web;
    move |config| {
        config.web.requests_per_minute = 30;
        config.web.trusted_proxies = parsed.trusted_proxies;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_one_client_is_refused() {
    let here = website_with(proxies("")).await;
    let mut client = browser(&here);
    assert!(flood(&mut client).await >= 30);
    // Other names for itself do not help, since no proxy is trusted.
    client.headers = from("192.0.2.1");
    assert_eq!(client.get("/robots.txt").await.status, 429);
    let metrics = crate::support::bot::page(&here.bot, "/metrics").await;
    let limited = metrics
        .lines()
        .find(|line| line.starts_with("eventide_web_limited_total "));
    assert!(limited.is_some_and(|line| !line.ends_with(" 0")), "{limited:?}");
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_behind_a_proxy_have_limits_of_their_own() {
    let here = website_with(proxies("127.0.0.0/8")).await;
    let mut client = browser(&here);
    client.headers = from("192.0.2.1");
    assert!(flood(&mut client).await >= 30);
    client.headers = from("192.0.2.2");
    assert_eq!(client.get("/robots.txt").await.status, 200);
    // A client's own entry stands before the proxy's.
    client.headers = from("192.0.2.3, 192.0.2.1");
    assert_eq!(client.get("/robots.txt").await.status, 429);
    here.end().await;
}

/// The ID before those of servers that do not exist.
const NOWHERE: u64 = 900_000_000_000_000_000;

/// Discord stops a bot that sends many requests which it refuses, so that a user must not be able to cause them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_for_unknown_servers_are_limited() {
    let here = website().await;
    let mut visitor = browser(&here);
    visitor.sign_in(&here, here.member(5)).await;
    let token = visitor.get("/sign-out").await.token();
    let form = [("token", token.as_str())];
    let mut guesses = 0;
    for guild in 1..=100 {
        let page = format!("/servers/{}/settings/transfer", NOWHERE + guild);
        let shown = visitor.post(&page, &form).await;
        if shown.status == 429 {
            break;
        }
        shown.is(404);
        guesses += 1;
    }
    // Some come back with time.
    assert!((20..60).contains(&guesses), "{guesses}");
    // Discord would refuse to tell the members of a server without the bot.
    let calls = here.discord.control().rest_calls("GET /guilds/{id}/members/{id}");
    let beginning = "/guilds/9000000000000";
    assert!(
        calls.iter().all(|call| !call.path.contains(beginning)),
        "{calls:?}"
    );
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_of_members_are_not_limited_as_guesses_are() {
    let here = website().await;
    let (world, control) = (here.discord.world(), here.discord.control());
    let other = world.guilds()[1].id();
    let mut users = (1..100).map(|rank| here.member(rank));
    let user = users.find(|user| world.member_name(other, *user).is_none());
    let user = user.expect("a member of one server");
    assert!(control.set_member_roles(here.guild(), user, &[here.managing_role]));
    let mut manager = browser(&here);
    manager.sign_in(&here, user).await;
    let token = manager.get("/sign-out").await.token();
    let form = [("token", token.as_str())];
    for _form in 0..30 {
        for (guild, status) in [(here.guild(), 422), (other, 404)] {
            let page = format!("/servers/{guild}/settings/transfer");
            manager.post(&page, &form).await.is(status);
        }
    }
    let asked = |guild: u64| {
        let path = format!("/guilds/{guild}/members/{user}");
        let calls = control.rest_calls("GET /guilds/{id}/members/{id}");
        calls.iter().filter(|call| call.path.ends_with(&path)).count()
    };
    // A member's roles are read again for each change. That someone is no member is remembered for half a minute.
    assert!(asked(here.guild()) >= 30);
    assert!((1..10).contains(&asked(other)), "{}", asked(other));
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_or_unknown_is_refused() {
    let here = website().await;
    let mut client = browser(&here);
    client.sign_in(&here, here.member(5)).await;
    // It is refused before it is read.
    client.headers = vec![
        ("Origin".to_owned(), super::URL.to_owned()),
        ("Content-Length".to_owned(), "300000".to_owned()),
    ];
    let shown = client.send("POST", "/sign-out", "").await;
    assert_eq!(shown.status, 400);
    client.headers.clear();
    assert!(client.is_signed_in().await);
    for method in ["PUT", "DELETE", "OPTIONS", "TRACE"] {
        let shown = client.send(method, "/sign-out", "").await;
        assert_eq!(shown.status, 405, "{method}");
    }
    let head = client.send("HEAD", "/", "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    client.headers = vec![("X-Long".to_owned(), "x".repeat(20_000))];
    assert_eq!(client.get("/").await.status, 431);
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_do_not_block_others() {
    let here = website().await;
    let address = here.bot.web_address().expect("a website");
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(TcpStream::connect(address).await.expect("a connection"));
    }
    assert_eq!(browser(&here).get("/").await.status, 200);
    // The oldest ones of a client are closed for new ones.
    until("the first connection is closed", async || {
        let ended = tokio::time::timeout(std::time::Duration::from_secs(1), silent[0].read_u8()).await;
        matches!(ended, Ok(Err(_))).then_some(())
    })
    .await;
    here.end().await;
}
