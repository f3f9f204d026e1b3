//! Payloads in Discord's format for tests: every field, in Discord's order, with other names.

/// A reply with almost every field that a message can have.
pub(crate) const MESSAGE_CREATE: &str = concat!(
    r#"{"t":"MESSAGE_CREATE","s":4711,"op":0,"d":{"type":19,"tts":false,"timestamp":"2026-11-21T10:15:30.123000+00:00","#,
    r#""referenced_message":{"type":0,"tts":false,"timestamp":"2026-11-21T10:15:00.000000+00:00","pinned":false,"#,
    r#""mentions":[],"mention_roles":[],"mention_everyone":false,"id":"1309100000000000001","flags":0,"embeds":[],"#,
    r#""edited_timestamp":null,"content":"first \"s\":1,\"op\":9","components":[],"channel_id":"400000000000000002","#,
    r#""author":{"username":"other","public_flags":0,"id":"200000000000000003","global_name":"Ünï \ud83d\ude00","#,
    r#""discriminator":"0","bot":true,"avatar":null},"attachments":[]},"pinned":false,"nonce":"1309100000000000000","#,
    r#""message_reference":{"type":0,"message_id":"1309100000000000001","guild_id":"100000000000000004","#,
    r#""channel_id":"400000000000000002"},"mentions":[{"username":"other","id":"200000000000000003","member":"#,
    r#"{"roles":["500000000000000005"],"mute":false,"joined_at":"2020-01-02T03:04:05.678000+00:00","flags":0,"deaf":false}}],"#,
    r#""mention_roles":[],"mention_everyone":false,"member":{"roles":["500000000000000005","500000000000000006"],"#,
    r#""premium_since":null,"pending":false,"nick":"d\":{\"id\":\"1\"","mute":false,"#,
    r#""joined_at":"2021-02-03T04:05:06.789000+00:00","flags":0,"deaf":false,"communication_disabled_until":null,"#,
    r#""avatar":null},"id":"1309100000000000007","flags":0,"embeds":[{"type":"rich","title":"t","fields":"#,
    r#"[{"value":"v","name":"n","inline":true}]}],"edited_timestamp":null,"content":"","components":[],"#,
    r#""channel_type":0,"channel_id":"400000000000000002","author":{"username":"somebody","public_flags":64,"#,
    r#""primary_guild":null,"id":"200000000000000008","global_name":null,"discriminator":"0","#,
    r#""avatar_decoration_data":null,"avatar":"0123456789abcdef0123456789abcdef"},"attachments":[{"url":"#,
    r#""https://cdn.discordapp.com/a","size":123456789,"id":"600000000000000009","filename":"a.png"}],"#,
    r#""guild_id":"100000000000000004"}}"#
);

/// Payloads of the connection itself, and events without a handler.
pub(crate) const OTHERS: [&str; 6] = [
    r#"{"t":"READY","s":1,"op":0,"d":{"v":10,"user_settings":{},"user":{"verified":true,"id":"700000000000000001","bot":true},"session_type":"normal","session_id":"0123456789abcdef","resume_gateway_url":"wss://gateway-us-east1-b.discord.gg","guilds":[{"unavailable":true,"id":"100000000000000004"}],"shard":[0,1],"application":{"id":"700000000000000001","flags":565248}}}"#,
    r#"{"t":"RESUMED","s":4712,"op":0,"d":{"_trace":["[\"gateway-prd-arm-us-east1-b\"]"]}}"#,
    r#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250,"_trace":["[\"gateway\"]"]}}"#,
    r#"{"t":null,"s":null,"op":9,"d":false}"#,
    r#"{"t":null,"s":null,"op":11,"d":null}"#,
    r#"{"t":"TYPING_START","s":4713,"op":0,"d":{"user_id":"200000000000000008","timestamp":1795255530,"channel_id":"400000000000000002","guild_id":"100000000000000004"}}"#,
];

/// Payloads of events with a handler, with the fields that the bot needs.
pub(crate) const READ: [&str; 10] = [
    r#"{"t":"MESSAGE_CREATE","s":2,"op":0,"d":{"id":"1309100000000000007","channel_id":"400000000000000002","guild_id":"100000000000000004","content":"!rank <@5>","type":0,"author":{"id":"200000000000000008","username":"ada"},"member":{"nick":null,"roles":["5"]},"mentions":[{"id":"5","username":"bob","member":{"nick":null}}]}}"#,
    r#"{"t":"INTERACTION_CREATE","s":3,"op":0,"d":{"id":"1309100000000000008","application_id":"7","type":2,"token":"t","guild_id":"100000000000000004","channel_id":"400000000000000002","locale":"de","member":{"user":{"id":"8","username":"ada","global_name":"Ada"},"nick":"Countess","permissions":"32","roles":["5"]},"data":{"name":"rank","options":[{"name":"member","type":6,"value":"5"}],"resolved":{"users":{"5":{"id":"5","username":"bob"}},"members":{"5":{"nick":"b"}}}}}}"#,
    r#"{"t":"GUILD_CREATE","s":4,"op":0,"d":{"id":"100000000000000004","unavailable":false,"owner_id":"8","joined_at":"2023-01-02T03:04:05.678000+00:00","name":"n","roles":[{"id":"100000000000000004","name":"e","position":0,"permissions":"66560","managed":false}],"members":[{"user":{"id":"7","bot":true},"roles":["5"]}],"channels":[{"id":"400000000000000002","type":0,"parent_id":null,"last_message_id":"1309100000000000007","permission_overwrites":[{"id":"5","type":0,"allow":"0","deny":"1024"}]}],"threads":[]}}"#,
    r#"{"t":"GUILD_ROLE_CREATE","s":5,"op":0,"d":{"guild_id":"100000000000000004","role":{"id":"5","name":"r","position":1,"permissions":"0","managed":false,"tags":{"bot_id":"7"}}}}"#,
    r#"{"t":"CHANNEL_CREATE","s":6,"op":0,"d":{"id":"400000000000000003","type":0,"guild_id":"100000000000000004","name":"c","parent_id":"400000000000000009","permission_overwrites":[]}}"#,
    r#"{"t":"GUILD_MEMBER_UPDATE","s":7,"op":0,"d":{"guild_id":"100000000000000004","user":{"id":"7","username":"bot","bot":true},"roles":["5"],"joined_at":"2023-01-02T03:04:05.678000+00:00"}}"#,
    r#"{"t":"GUILD_BAN_ADD","s":8,"op":0,"d":{"guild_id":"100000000000000004","user":{"id":"8","username":"ada"}}}"#,
    r#"{"t":"GUILD_AUDIT_LOG_ENTRY_CREATE","s":9,"op":0,"d":{"id":"1309100000000000009","guild_id":"100000000000000004","user_id":"8","target_id":"5","action_type":24,"reason":"spam","changes":[{"key":"communication_disabled_until","new_value":"2030-01-02T03:04:05.678000+00:00"}]}}"#,
    r#"{"t":"AUTO_MODERATION_ACTION_EXECUTION","s":11,"op":0,"d":{"guild_id":"100000000000000004","action":{"type":1,"metadata":{}},"rule_id":"6","rule_trigger_type":1,"user_id":"8","channel_id":"400000000000000002","content":"spam","matched_keyword":"spam","matched_content":"spam"}}"#,
    r#"{"t":"GUILD_DELETE","s":10,"op":0,"d":{"id":"100000000000000004","unavailable":false}}"#,
];

pub(crate) mod damage {
    //! Payloads that are damaged, or in a changed format.

    use proptest::prelude::*;
    use serde_json::Value;

    /// `text` with a part replaced by anything: truncated, duplicated, with numbers that are too large, or with text in place of IDs.
    pub(crate) fn in_text(text: &'static str) -> impl Strategy<Value = String> {
        let anything = prop_oneof![
            any::<String>(),
            "[\\[\\]{}\",:\\\\0-9a-z-]{0,40}",
            any::<i128>().prop_map(|number| number.to_string()),
            "\\\\u[dD][89a-fA-F][0-9a-f]{0,2}",
            (1..3_000_usize).prop_map(|depth| "[".repeat(depth)),
            Just(String::new()),
        ];
        (any::<prop::sample::Index>(), 0..30_usize, anything).prop_map(move |(at, length, with)| {
            let mut characters: Vec<char> = text.chars().collect();
            let from = at.index(characters.len());
            let to = (from + length).min(characters.len());
            characters.splice(from..to, with.chars());
            characters.into_iter().collect()
        })
    }

    /// The payload `text` with some of the values in its data replaced by other JSON, or removed.
    pub(crate) fn in_fields(text: &'static str) -> impl Strategy<Value = String> {
        let change = (any::<prop::sample::Index>(), prop::option::of(value()));
        prop::collection::vec(change, 1..4).prop_map(move |changes| {
            let (head, _) = text.split_once("\"d\":").expect("data");
            let mut payload: Value = serde_json::from_str(text).expect("JSON");
            let mut data = payload["d"].take();
            for (at, value) in changes {
                let mut pointers = Vec::new();
                pointers_in(&data, String::new(), &mut pointers);
                let Some(pointer) = pointers.get(at.index(pointers.len().max(1))) else {
                    break;
                };
                match (value, pointer.rsplit_once('/')) {
                    (Some(value), _) => *data.pointer_mut(pointer).expect("a place in it") = value,
                    (None, Some((parent, key))) => {
                        if let Some(Value::Object(parent)) = data.pointer_mut(parent) {
                            drop(parent.remove(key));
                        }
                    }
                    (None, None) => {}
                }
            }
            // As in Discord's order, the fields of the frame come first.
            format!("{head}\"d\":{data}}}")
        })
    }

    /// The JSON pointers of all values in `value`.
    fn pointers_in(value: &Value, at: String, pointers: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    pointers_in(
                        value,
                        format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                        pointers,
                    );
                }
            }
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    pointers_in(value, format!("{at}/{index}"), pointers);
                }
            }
            _ => {}
        }
        if !at.is_empty() {
            pointers.push(at);
        }
    }

    /// Any JSON that is not nested deeply.
    pub(crate) fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            any::<u64>().prop_map(|id| Value::from(id.to_string())),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("[a-z_]{1,8}", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    /// The data of `MESSAGE_CREATE` with some of the fields that the bot reads replaced or removed.
    pub(crate) fn in_data() -> impl Strategy<Value = Value> {
        const READ: [&str; 8] = [
            "/id",
            "/channel_id",
            "/guild_id",
            "/type",
            "/webhook_id",
            "/author",
            "/author/id",
            "/author/bot",
        ];
        let change = (prop::sample::select(&READ[..]), prop::option::of(value()));
        prop::collection::vec(change, 1..4).prop_map(|changes| {
            let mut payload: Value = serde_json::from_str(super::MESSAGE_CREATE).expect("JSON");
            let mut data = payload["d"].take();
            for (pointer, value) in changes {
                let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
                if let Some(Value::Object(parent)) = data.pointer_mut(parent) {
                    match value {
                        Some(value) => drop(parent.insert(key.to_owned(), value)),
                        None => drop(parent.remove(key)),
                    }
                }
            }
            data
        })
    }
}
