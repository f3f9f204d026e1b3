use std::time::Duration;

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};

use super::{Scope, Seen};

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

#[test]
fn a_standing_is_read_without_a_scope() {
    let headers = headers(&[
        ("x-ratelimit-bucket", "abcd"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset-after", "1.5"),
    ]);
    let bucket = Seen::in_answer(200, &headers, b"", true)
        .bucket
        .expect("a bucket");
    assert_eq!(
        (bucket.remaining, bucket.reset_after),
        (0, Duration::from_millis(1_501))
    );
}

#[test]
fn whose_limit_it_is() {
    let user = br#"{"message": "", "retry_after": 0.25, "global": false}"#;
    let global = br#"{"message": "", "retry_after": 0.25, "global": true}"#;
    for (pairs, body, scope, millis) in [
        (
            &[("x-ratelimit-scope", "user"), ("retry-after", "1")][..],
            &user[..],
            Scope::User,
            251,
        ),
        (&[("x-ratelimit-scope", "shared")], user, Scope::Shared, 251),
        (&[("x-ratelimit-scope", "global")], global, Scope::Global, 251),
        (&[("x-ratelimit-global", "true")], b"", Scope::Global, 5_000),
        (&[], global, Scope::Global, 251),
        (&[("retry-after", "3")], b"<html>", Scope::Cloudflare, 3_001),
        (&[("retry-after", "soon")], b"<html>", Scope::Cloudflare, 5_000),
        (
            &[("x-ratelimit-scope", "user"), ("retry-after", "-1")],
            b"half a b",
            Scope::User,
            100,
        ),
    ] {
        let seen = Seen::in_answer(429, &headers(pairs), body, true);
        let limited = seen.limited.expect("a limit");
        assert_eq!(
            (limited.scope, limited.retry_after),
            (scope, Duration::from_millis(millis)),
            "{pairs:?}"
        );
        assert_eq!(seen.is_invalid(), scope != Scope::Shared);
    }
}

#[test]
fn nonsense_is_no_panic() {
    for value in ["NaN", "inf", "-inf", "1e300", "", "x"] {
        let mut headers = headers(&[("x-ratelimit-bucket", "b"), ("x-ratelimit-remaining", "1")]);
        headers.insert("x-ratelimit-reset-after", HeaderValue::from_static(value));
        headers.insert("retry-after", HeaderValue::from_static(value));
        let seen = Seen::in_answer(429, &headers, br#"{"retry_after": 1e300}"#, true);
        assert!(seen.limited.expect("a limit").retry_after <= Duration::from_hours(25));
    }
}

#[test]
fn only_the_bots_own_token_is_the_bots() {
    assert!(Seen::in_answer(401, &HeaderMap::new(), b"", true).token_refused);
    let webhook = Seen::in_answer(401, &HeaderMap::new(), b"", false);
    assert!(!webhook.token_refused && webhook.is_invalid());
    assert!(Seen::in_answer(403, &HeaderMap::new(), b"", true).is_invalid());
    assert!(!Seen::in_answer(404, &HeaderMap::new(), b"", true).is_invalid());
}
