//! One test per attack.

use super::{board, browser, database, show_board, website};
use crate::support::{
    asking::Here,
    browser::{Browser, encoded},
};

/// The first member who can see pages of the staff, signed in.
async fn manager(here: &Here) -> Browser {
    let mut manager = browser(here);
    manager.sign_in(here, here.next_member()).await;
    manager
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_another_website_or_session_changes_nothing() {
    let here = website().await;
    let (mut victim, mut attacker) = (manager(&here).await, manager(&here).await);
    let own = victim.get("/sign-out").await.token();
    let foreign = attacker.get("/sign-out").await.token();
    // Without the header, from another website, from a sandbox, and from a website whose name begins the same.
    for origin in [
        None,
        Some("https://evil.example"),
        Some("null"),
        Some("http://localhost:8080.evil.example"),
    ] {
        victim.headers = origin
            .map(|origin| ("Origin".to_owned(), origin.to_owned()))
            .into_iter()
            .collect();
        let shown = victim
            .send("POST", "/sign-out", &encoded(&[("token", &own)]))
            .await;
        assert_eq!(shown.status, 403, "{origin:?}");
    }
    victim.headers.clear();
    let (id, proof) = own.split_once('.').expect("two parts");
    let altered = format!("{}.{proof}", id.parse::<u64>().expect("a number") + 1);
    for token in ["", ".", "1.", foreign.as_str(), altered.as_str(), id, proof] {
        let shown = victim.post("/sign-out", &[("token", token)]).await;
        assert_eq!(shown.status, 403, "{token}");
    }
    assert_eq!(victim.post("/sign-out", &[]).await.status, 403, "without a token");
    assert!(victim.is_signed_in().await);
    assert_eq!(victim.post("/sign-out", &[("token", &own)]).await.status, 303);
    assert!(!victim.is_signed_in().await);
    assert!(attacker.is_signed_in().await);
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planted_session_is_not_used() {
    let here = website().await;
    // The attacker's own session, planted in the victim's browser.
    let mut attacker = manager(&here).await;
    let planted = attacker.cookies.clone();
    let mut victim = browser(&here);
    let back = victim.authorized(&here, here.member(5), "/").await;
    victim.cookies.extend(planted.clone());
    assert_eq!(victim.get(&back).await.status, 303);
    assert!(victim.is_signed_in().await);
    let name = "eventide_session";
    assert_ne!(victim.cookies[name], planted[name], "a new session");
    // The planted one has ended, so nobody shares a session with the attacker.
    assert!(!attacker.is_signed_in().await);
    // An invented one is none.
    let mut other = browser(&here);
    for value in ["", "x", &"A".repeat(43), &"A".repeat(10_000)] {
        other.cookies.insert(name.to_owned(), value.to_owned());
        assert!(!other.is_signed_in().await, "{value}");
    }
    // Nor does one of two count.
    other.cookies.clear();
    let session = &victim.cookies[name];
    other
        .headers
        .push(("Cookie".to_owned(), format!("{name}={session}; {name}=x")));
    assert!(!other.is_signed_in().await);
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_is_for_one_browser_and_for_once() {
    let here = website().await;
    let user = here.member(5);
    let mut victim = browser(&here);
    let back = victim.authorized(&here, user, "/").await;
    // Another browser, with and without a sign-in of its own that has begun.
    let mut attacker = browser(&here);
    assert_eq!(attacker.get(&back).await.status, 400);
    let own = attacker.authorized(&here, here.member(6), "/").await;
    assert_eq!(attacker.get(&back).await.status, 400);
    assert!(!attacker.is_signed_in().await);
    // The attacker's answer of Discord in the victim's browser, which would sign the victim in as the attacker.
    let begun = victim.cookies.clone();
    assert_eq!(victim.get(&own).await.status, 400);
    assert!(!victim.is_signed_in().await);
    victim.cookies = begun.clone();
    assert_eq!(victim.get(&back).await.status, 303);
    assert!(victim.is_signed_in().await);
    // The same again, with the cookie of that time and another code.
    let mut again = browser(&here);
    let fresh = again.authorized(&here, user, "/").await;
    let code = |path: &str| {
        path.split("code=")
            .nth(1)
            .map(|rest| rest.split('&').next().unwrap_or_default().to_owned())
    };
    let replayed = back.replace(&code(&back).expect("a code"), &code(&fresh).expect("a code"));
    again.cookies = begun;
    assert_eq!(again.get(&replayed).await.status, 400);
    assert!(!again.is_signed_in().await);
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_leads_to_no_other_website() {
    let here = website().await;
    let user = here.member(5);
    for to in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "\\\\evil.example",
        "javascript:x()",
        "/a\r\nSet-Cookie: b=c",
    ] {
        let led = browser(&here).sign_in_to(&here, user, to).await;
        assert_eq!(led, "/servers", "{to:?}");
    }
    let to = format!("{}?by=week", board(&here));
    assert_eq!(browser(&here).sign_in_to(&here, user, &to).await, to);
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_another_server_do_not_exist() {
    let here = website().await;
    let mut manager = manager(&here).await;
    let own = manager.get(&format!("/servers/{}", here.guild())).await;
    assert_eq!(own.status, 200, "{}", own.text());
    let nothing = manager.get("/servers/999999999999999998").await;
    for guild in [here.discord.world().guilds()[1].id(), 999_999_999_999_999_999] {
        let shown = manager.get(&format!("/servers/{guild}")).await;
        assert_eq!((shown.status, shown.text()), (404, nothing.text()));
    }
    // A member who can change nothing has no pages.
    let mut member = browser(&here);
    member.sign_in(&here, here.member(5)).await;
    assert_eq!(
        member.get(&format!("/servers/{}", here.guild())).await.status,
        404
    );
    // Without a session, the way leads to Discord, whatever the server is.
    let mut visitor = browser(&here);
    for guild in [here.guild(), 999_999_999_999_999_999] {
        let shown = visitor.get(&format!("/servers/{guild}")).await;
        let expected = format!("/sign-in?to=%2Fservers%2F{guild}");
        assert_eq!(
            (shown.status, shown.header("location")),
            (303, Some(expected.as_str()))
        );
    }
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_path_leads_to_other_files() {
    let here = website().await;
    let mut visitor = browser(&here);
    let home = visitor.get("/").await;
    for (before, kind) in [
        ("rel=\"stylesheet\" href=\"", "text/css; charset=utf-8"),
        ("script src=\"", "text/javascript; charset=utf-8"),
    ] {
        let shown = visitor.get(home.between(before, "\"")[0]).await;
        assert_eq!((shown.status, shown.header("content-type")), (200, Some(kind)));
        assert_eq!(
            shown.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
    }
    for path in [
        "/assets/../Cargo.toml",
        "/assets/..%2f..%2fetc/passwd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/../../../../etc/passwd",
        "/assets/style.css%00.svg",
        "/assets//etc/passwd",
        "/servers/%2e%2e/leaderboard",
        "/servers/1%2f..%2f2/leaderboard",
        "/%ff",
        "/servers/%ff/leaderboard",
    ] {
        let shown = visitor.get(path).await;
        assert_eq!(shown.status, 404, "{path}: {}", shown.text());
        assert!(!shown.text().contains("root:"));
    }
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_the_headers() {
    let here = website().await;
    show_board(&here, "public").await;
    let mut visitor = browser(&here);
    let style = visitor.get("/").await.between("rel=\"stylesheet\" href=\"", "\"")[0].to_owned();
    for (path, status) in [
        ("/", 200),
        (board(&here).as_str(), 200),
        ("/nothing", 404),
        ("/servers", 303),
        ("/sign-in", 303),
        ("/sign-in/callback?code=1&state=2", 400),
        ("/robots.txt", 200),
        (style.as_str(), 200),
    ] {
        let shown = visitor.get(path).await;
        assert_eq!(shown.status, status, "{path}");
        let policy = shown.header("content-security-policy").expect("a policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'none'",
            "script-src 'self'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(shown.header(name), Some(value), "{path}");
        }
        if path != style && path != "/robots.txt" {
            assert_eq!(shown.header("cache-control"), Some("no-store"), "{path}");
        }
        // The policy forbids them, so there must be none.
        for inline in ["<style", " style=", "<script>", " onclick=", " onload="] {
            assert!(!shown.text().contains(inline), "{path}: {inline}");
        }
    }
    // Without TLS, browsers would not come back.
    assert_eq!(visitor.get("/").await.header("strict-transport-security"), None);
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_tls_cookies_are_bound_to_the_host() {
    let here = super::website_with(|config| "https://bot.example".clone_into(&mut config.web.url)).await;
    let mut visitor = browser(&here);
    let begun = visitor.get("/sign-in").await;
    let cookie = begun.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("__Host-eventide_sign_in="), "{cookie}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert_eq!(
        begun.header("strict-transport-security"),
        Some("max-age=31536000")
    );
    let location = begun.header("location").expect("a redirect");
    for part in [
        "scope=identify&",
        "code_challenge_method=S256",
        "response_type=code",
    ] {
        assert!(location.contains(part), "{location}");
    }
    assert!(
        location.contains("redirect_uri=https%3A%2F%2Fbot.example%2Fsign-in%2Fcallback"),
        "{location}"
    );
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_secrets_nor_ids_are_stored_or_counted() {
    let here = website().await;
    let mut manager = manager(&here).await;
    manager.get(&format!("/servers/{}", here.guild())).await;
    let secret = manager.cookies["eventide_session"].clone();
    let database = database(&here).await;
    let rows = database
        .client
        .query("SELECT to_jsonb(t)::text FROM web_session AS t", &[])
        .await
        .expect("read");
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].get::<_, String>(0).contains(&secret));
    // Discord's token is revoked.
    assert_eq!(
        here.discord
            .control()
            .rest_calls("POST /oauth2/token/revoke")
            .len(),
        1
    );
    let metrics = crate::support::bot::page(&here.bot, "/metrics").await;
    assert!(
        metrics.contains("eventide_web_requests_total{page=\"/servers/{guild}\",class=\"2xx\"}"),
        "{metrics}"
    );
    let web = metrics.lines().filter(|line| line.contains("eventide_web"));
    assert!(
        web.into_iter()
            .all(|line| !line.contains(&here.guild().to_string()))
    );
    here.end().await;
}
