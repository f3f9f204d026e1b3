use serde_json::{Value, json};
use twilight_model::id::Id;

use super::{Filter, Message, pattern};

#[expect(clippy::needless_pass_by_value, reason = "tests write the fields in place")]
fn message(fields: Value) -> Message {
    let mut message = json!({"id": "5", "type": 0, "author": {"id": "7"}, "content": "", "pinned": false});
    for (name, value) in fields.as_object().into_iter().flatten() {
        message[name] = value.clone();
    }
    serde_json::from_value(message).expect("a message")
}

#[test]
fn everything_that_is_chosen_has_to_match() {
    let text = json!({"content": "See HTTPS://discord.gg/abc", "author": {"id": "7", "bot": true}});
    let none = Filter::default();
    let all = Filter {
        user: Some(Id::new(7)),
        bots: true,
        links: true,
        invites: true,
        contains: Some("see".to_owned()),
        pattern: pattern("^see .*abc$"),
        ..Filter::default()
    };
    assert!(all.matches(&message(text.clone())) && none.matches(&message(text.clone())));
    for (field, value) in [
        ("content", json!("See https://example.org")),
        ("author", json!({"id": "8", "bot": true})),
        ("author", json!({"id": "7"})),
    ] {
        let mut other = text.clone();
        other[field] = value;
        assert!(!all.matches(&message(other)), "{field}");
    }
}

#[test]
fn files_embeds_pins_webhooks_and_forwarded_messages() {
    let files = Filter {
        attachments: true,
        ..Filter::default()
    };
    let embeds = Filter {
        embeds: true,
        ..Filter::default()
    };
    let with_file = json!({"attachments": [{"id": "1"}]});
    assert!(files.matches(&message(with_file.clone())) && !embeds.matches(&message(with_file.clone())));
    let forwarded = json!({"message_snapshots": [{"message": with_file}]});
    assert!(files.matches(&message(forwarded)));
    let bots = Filter {
        bots: true,
        ..Filter::default()
    };
    assert!(bots.matches(&message(json!({"webhook_id": "9"}))));
    let pinned = json!({"pinned": true});
    assert!(Filter::default().matches(&message(pinned.clone())));
    let keeps = Filter {
        keeps_pinned: true,
        ..Filter::default()
    };
    assert!(!keeps.matches(&message(pinned)));
    assert!(
        !Filter::default().matches(&message(json!({"type": 21}))),
        "the start of a thread"
    );
}

#[test]
fn patterns_that_are_invalid_or_take_too_much_are_refused() {
    assert!(pattern("a+").is_some());
    assert!(pattern("(").is_none());
    assert!(pattern(r"(?:\w{100}){100}{100}").is_none());
}
