use proptest::prelude::*;
use serde_json::Value;
use twilight_model::id::Id;

use super::MessageCreate;
use crate::discord::events::payloads::{MESSAGE_CREATE, damage};

fn message(fields: &str, author: &str) -> MessageCreate {
    let text = format!(
        r#"{{"t":"MESSAGE_CREATE","s":3,"op":0,"d":{{"content":"a \"quote\" and \u00e4","id":"1300000000000000001","channel_id":"400000000000000000",
        "author":{{"username":"n","id":"200000000000000000"{author}}}{fields}}}}}"#
    );
    MessageCreate::parse(&text).expect("a valid payload")
}

#[test]
fn a_person_in_a_guild() {
    let message = message(r#","guild_id":"100000000000000000","type":0"#, "");
    assert_eq!(message.guild_id.map(Id::get), Some(100_000_000_000_000_000));
    assert_eq!(message.author.id.get(), 200_000_000_000_000_000);
    assert_eq!(message.channel_id.get(), 400_000_000_000_000_000);
    assert!(message.is_by_a_person());
}

#[test]
fn replies_are_written_by_people_and_system_messages_are_not() {
    assert!(message(r#","type":19"#, "").is_by_a_person());
    for kind in [7, 8, 18, 20, 21, 23, 24, 46] {
        assert!(
            !message(&format!(r#","type":{kind}"#), "").is_by_a_person(),
            "type {kind}"
        );
    }
}

#[test]
fn bots_webhooks_and_discord_itself_are_no_people() {
    assert!(!message(r#","type":0"#, r#","bot":true"#).is_by_a_person());
    assert!(!message(r#","type":0"#, r#","system":true"#).is_by_a_person());
    assert!(!message(r#","type":0,"webhook_id":"300000000000000000""#, "").is_by_a_person());
    assert!(message(r#","type":0,"webhook_id":null"#, r#","bot":false"#).is_by_a_person());
}

#[test]
fn a_message_as_discord_sends_it() {
    let message = MessageCreate::parse(MESSAGE_CREATE).expect("a message");
    assert_eq!(message.id.get(), 1_309_100_000_000_000_007);
    assert_eq!(message.guild_id.map(Id::get), Some(100_000_000_000_000_004));
    assert_eq!(message.channel_id.get(), 400_000_000_000_000_002);
    assert_eq!(message.author.id.get(), 200_000_000_000_000_008);
    assert!(message.is_by_a_person());
    assert!(MessageCreate::scan(MESSAGE_CREATE).is_some());
    let roles = MessageCreate::scan_roles(MESSAGE_CREATE);
    assert_eq!(
        roles,
        Some(vec![
            Id::new(500_000_000_000_000_005),
            Id::new(500_000_000_000_000_006)
        ])
    );
    assert_eq!(roles, MessageCreate::read_roles(MESSAGE_CREATE));
}

#[test]
fn what_discord_does_not_write_is_left_to_serde() {
    let text = |data: &str| format!(r#"{{"t":"MESSAGE_CREATE","s":1,"op":0,"d":{data}}}"#);
    let usual = r#"{"id":"1","channel_id":"2","author":{"id":"3"},"content":"a\\"}"#;
    assert!(MessageCreate::scan(&text(usual)).is_some());
    for (unusual, is_readable) in [
        (r#"{ "id":"1","channel_id":"2","author":{"id":"3"}}"#, true),
        (r#"{"\u0069d":"1","channel_id":"2","author":{"id":"3"}}"#, true),
        (r#"{"id":1,"channel_id":"2","author":{"id":"3"}}"#, true),
        (r#"{"id":"1","channel_id":"2","author":["3"]}"#, true),
        (
            r#"{"id":"1","id":"1","channel_id":"2","author":{"id":"3"}}"#,
            false,
        ),
        (r#"{"id":"0","channel_id":"2","author":{"id":"3"}}"#, false),
        (r#"{"id":"1","channel_id":"2","author":{"id":"3"}"#, false),
        (r#"{"id":"1","channel_id":"2","author":{"id":"3"}}}"#, false),
        (
            r#"{"id":"1","channel_id":"2","author":{"id":"3"},"type":0.5}"#,
            false,
        ),
        (
            r#"{"id":"1","channel_id":"2","author":{"id":"3","bot":null}}"#,
            false,
        ),
    ] {
        let text = text(unusual);
        assert!(MessageCreate::scan(&text).is_none(), "{text}");
        assert_eq!(MessageCreate::parse(&text).is_ok(), is_readable, "{text}");
    }
}

/// An ID in JSON, as a string, which Discord uses, or as a number.
fn id(value: &Value) -> Option<u64> {
    value
        .as_str()
        .map_or_else(|| value.as_u64(), |text| text.parse().ok())
        .filter(|id| *id > 0)
}

#[test]
fn an_error_names_what_is_missing() {
    let error = |data: &str| {
        let text = format!(r#"{{"t":"MESSAGE_CREATE","s":1,"op":0,"d":{data}}}"#);
        MessageCreate::parse(&text).expect_err("no message").to_string()
    };
    assert!(error(r#"{"id":"1","channel_id":"2"}"#).contains("missing field author"));
    assert!(error(r#"{"id":"1","channel_id":{"secret":1}}"#).contains("another type"));
    let cut = MessageCreate::parse(r#"{"d":{"id":"1"#).expect_err("no message");
    assert!(cut.to_string().contains("cut off"));
}

proptest! {
    #[test]
    fn any_damage_is_read_or_refused(text in damage::in_text(MESSAGE_CREATE)) {
        let Ok(message) = MessageCreate::parse(&text) else { return Ok(()) };
        // Whatever serde can parse has the same result here. serde is stricter: it checks escapes in strings that are skipped here.
        let Ok(payload) = serde_json::from_str::<Value>(&text) else { return Ok(()) };
        let data = &payload["d"];
        prop_assert_eq!(Some(message.id.get()), id(&data["id"]));
        prop_assert_eq!(Some(message.channel_id.get()), id(&data["channel_id"]));
        prop_assert_eq!(message.guild_id.map(Id::get), id(&data["guild_id"]));
        prop_assert_eq!(Some(message.author.id.get()), id(&data["author"]["id"]));
        if let Some(roles) = MessageCreate::scan_roles(&text) {
            let written = data["member"]["roles"].as_array().expect("a list");
            prop_assert!(roles.iter().map(|role| Some(role.get())).eq(written.iter().map(id)));
        }
    }

    #[test]
    fn what_counts_is_what_a_person_wrote(data in damage::in_data()) {
        let text = format!("{{\"t\":\"MESSAGE_CREATE\",\"s\":1,\"op\":0,\"d\":{data}}}");
        let Ok(message) = MessageCreate::parse(&text) else { return Ok(()) };
        // serde accepts an array in place of an object; Discord never sends one.
        prop_assume!(data["author"].is_object());
        let person = data["author"]["bot"].as_bool() != Some(true)
            && data.get("webhook_id").is_none_or(Value::is_null)
            && data.get("type").is_none_or(|kind| matches!(kind.as_u64(), Some(0 | 19)));
        prop_assert_eq!(message.is_by_a_person(), person);
    }

    #[test]
    fn an_error_does_not_quote_the_payload(
        secret in "[A-Z]{12}",
        pointer in prop::sample::select(&["/id", "/author", "/author/id", "/author/bot", "/type", "/guild_id", "/content"][..]),
        rest in "[^A-Z]{0,10}",
    ) {
        let mut payload: Value = serde_json::from_str(MESSAGE_CREATE).expect("JSON");
        *payload["d"].pointer_mut(pointer).unwrap_or(&mut Value::Null) = Value::from(secret.clone());
        let text = payload.to_string();
        for text in [text.clone(), format!("{text}{rest}{secret}"), text.replace(&secret, &format!("\"{secret}"))] {
            if let Err(error) = MessageCreate::parse(&text) {
                prop_assert!(!format!("{error} {error:?}").contains(&secret), "{error:?}");
            }
        }
    }
}
