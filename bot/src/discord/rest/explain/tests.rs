use std::collections::HashMap;

use serde::Deserialize;

use super::{Explanation, read};

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only whether it can be read matters")]
struct Guild {
    id: u64,
    roles: Vec<Role>,
    #[serde(default)]
    by_id: HashMap<String, u64>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only whether it can be read matters")]
struct Role {
    position: i64,
}

#[test]
fn what_is_missing_or_wrong_is_named_and_nothing_is_quoted() {
    for (text, reason) in [
        (r#"{"id": 1}"#, "the field `roles` is missing"),
        (
            r#"{"id": 1, "roles": [{"position": 1}, {"name": "secret"}]}"#,
            "the field `position` is missing at roles[1]",
        ),
        (
            r#"{"id": 1, "roles": [{"position": "secret"}]}"#,
            "a value is of another kind than expected at roles[0].position",
        ),
        (
            r#"{"id": 1, "roles": [], "by_id": {"718273645546372819": "secret"}}"#,
            "a value is of another kind than expected at by_id.?",
        ),
        ("<html>secret", "it is no JSON"),
        (r#"{"id": 1, "ro"#, "it ends early"),
        (r#"{"id": 1, "roles": []} secret"#, "it is no JSON"),
    ] {
        assert_eq!(read::<Guild>(text.as_bytes()).expect_err("unreadable"), reason);
    }
    assert!(read::<Guild>(br#"{"id": 1, "roles": [], "more": 1}"#).is_ok());
}

#[test]
fn a_refusal_is_explained_by_paths_and_codes() {
    let body = br#"{"message": "Invalid Form Body", "code": 50035, "errors": {
        "embeds": {"0": {"title": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "secret"}]}}},
        "a secret key": {"_errors": [{"code": "a secret code"}]},
        "content": {"_errors": [{"code": "BASE_TYPE_REQUIRED"}]}}}"#;
    let explained = Explanation {
        code: Some(50_035),
        message: "Invalid Form Body".to_owned(),
        faults: "? ?, content BASE_TYPE_REQUIRED, embeds.0.title BASE_TYPE_MAX_LENGTH".to_owned(),
    };
    assert_eq!(Explanation::of(body), explained);
    for nonsense in [&b"<html>"[..], b"", b"[]", br#"{"code": 0}"#] {
        assert_eq!(Explanation::of(nonsense), Explanation::default());
    }
    let long = format!(r#"{{"message": "{}\n"}}"#, "x".repeat(1_000));
    assert_eq!(Explanation::of(long.as_bytes()).message.len(), 120);
}
