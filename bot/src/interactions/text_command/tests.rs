use proptest::prelude::*;

use super::{MessageCreate, payload};
use crate::discord::events::payloads::{READ, damage};

proptest! {
    /// A `member` that was not an object used to make the shard panic at every replay.
    #[test]
    fn whatever_a_message_holds_it_is_a_command_or_none(text in damage::in_fields(READ[0])) {
        if let Ok(message) = MessageCreate::parse(&text) {
            let _asked = payload(&message, &text, None);
        }
    }
}

/// A message by 8 in reply to one by 6, who therefore is first in `mentions`.
fn of(content: &str, prefix: Option<&str>) -> Option<(String, u64)> {
    let content = serde_json::to_string(content).expect("text");
    let text = format!(
        r#"{{"t":"MESSAGE_CREATE","s":3,"op":0,"d":{{"id":"1300000000000000000","channel_id":"7","guild_id":"9","content":{content},
        "author":{{"id":"8","username":"ada"}},"member":{{"nick":"Countess","roles":[]}},
        "mentions":[{{"id":"6","username":"eve","member":{{"nick":null}}}},{{"id":"7","username":"dan","member":{{"nick":null}}}},
        {{"id":"5","username":"bob","member":{{"nick":null}}}}]}}}}"#
    );
    let message = MessageCreate::parse(&text).expect("a message");
    let payload = payload(&message, &text, prefix)?;
    let (user, _) = payload.user_option("member").expect("a user");
    Some((payload.command().to_owned(), user.id.get()))
}

#[test]
fn what_begins_with_the_prefix_is_a_command() {
    assert_eq!(of("!rank <@5>", None), Some(("rank".to_owned(), 5)));
    assert_eq!(of("?HELP", Some("?")), Some(("help".to_owned(), 8)));
    for (content, member) in [
        ("!rank", 8),
        ("!rank please", 8),
        ("!rank <@!5> <@7>", 5),
        ("!rank the <@7> and <@5>", 7),
        ("!rank <@&6> <@404> <@5", 8),
        ("!rank <@&6> <@404> <@5>", 5),
    ] {
        assert_eq!(of(content, None), Some(("rank".to_owned(), member)), "{content}");
    }
    for (content, prefix) in [
        ("rank", None),
        ("!rankle", None),
        ("!xp give", None),
        ("!rank", Some("?")),
        ("", None),
        ("!", None),
    ] {
        assert_eq!(of(content, prefix), None, "{content}");
    }
}
