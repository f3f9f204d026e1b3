use twilight_gateway::CloseFrame;

use super::{is_session_id, loggable_reason, trusted_resume_url};

const DISCORD: &str = "wss://gateway.discord.gg";
const PLAIN: &str = "ws://127.0.0.1:8080";

#[test]
fn resume_urls_that_are_followed() {
    for (url, gateway, trusted) in [
        (
            "wss://gateway-us-east1-b.discord.gg",
            DISCORD,
            "wss://gateway-us-east1-b.discord.gg",
        ),
        ("wss://elsewhere.example/", DISCORD, "wss://elsewhere.example"),
        (
            "wss://elsewhere.example:8443/path",
            PLAIN,
            "wss://elsewhere.example:8443/path",
        ),
        ("ws://127.0.0.1:9090", PLAIN, "ws://127.0.0.1:9090"),
    ] {
        assert_eq!(
            trusted_resume_url(url, gateway).as_deref(),
            Some(trusted),
            "{url}"
        );
    }
}

#[test]
fn resume_urls_that_would_leak_the_token_or_are_none() {
    let long = format!("wss://{}.example", "x".repeat(10_000_000));
    for url in [
        "ws://gateway.discord.gg",
        "http://gateway.discord.gg",
        "gateway.discord.gg",
        "",
        "/",
        "wss://",
        "wss:///path",
        "wss://a\0b",
        "wss://a b",
        "wss://user:password@host",
        "wss://host/?token=",
        "wss://host#fragment",
        "file:///etc/passwd",
        &long,
    ] {
        assert_eq!(trusted_resume_url(url, DISCORD), None, "{}", url.len());
    }
    // If the gateway uses plain text, no other host may receive the token in plain text.
    assert_eq!(trusted_resume_url("ws://192.0.2.1:8080", PLAIN), None);
    assert_eq!(trusted_resume_url("ws://127.0.0.1:8080", "no URL"), None);
}

#[test]
fn session_ids_that_fit_into_the_database() {
    for id in ["0123456789abcdef0123456789abcdef", "a", "A-_.~"] {
        assert!(is_session_id(id), "{id}");
    }
    for id in ["", "a\0", "a b", "ä", "\n", &"x".repeat(257)] {
        assert!(!is_session_id(id), "{id}");
    }
}

#[test]
fn a_close_reason_is_one_short_line_without_the_token() {
    let reason = |text: &'static str| loggable_reason(&CloseFrame::new(4004, text), "Bot secret");
    assert_eq!(
        reason("Authentication failed."),
        Some("Authentication failed.".to_owned())
    );
    assert_eq!(reason("a\nb\u{1b}[31m"), Some("a b [31m".to_owned()));
    assert_eq!(reason("bad token: secret"), Some("bad token: …".to_owned()));
    assert_eq!(reason(" \n"), None);
    let long = CloseFrame {
        code: 4000,
        reason: "ä".repeat(1_000).into(),
    };
    assert_eq!(
        loggable_reason(&long, "").map(|text| text.chars().count()),
        Some(123)
    );
}
