//! Events that no client should ever receive: payloads without a place in the session, and events that cannot be parsed.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Fault, SHARDS, stage::Stage};
use crate::support::until;

/// As much as Discord could ever put into one event, and more.
const HUGE: usize = 1 << 20;

pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault::new("payloads that are none", |stage, _| {
            Box::pin(async move {
                let control = stage.discord.control();
                for text in [
                    "",
                    "{",
                    "[]",
                    "null",
                    "{\"op\":99}",
                    "{\"t\":\"NEW_EVENT\",\"s\":null,\"op\":0,\"d\":{}}",
                    "\u{0}",
                ] {
                    control.send_text(None, text);
                }
                control.send_text(None, &format!("{{\"op\":11,\"d\":\"{}\"}}", "x".repeat(HUGE)));
            })
        }),
        Fault::new("events that cannot be read: counted, skipped", |stage, _| {
            Box::pin(unreadable(stage))
        }),
        Fault::new("events that are new, huge, deep or a bot's", |stage, _| {
            Box::pin(async move { harmless(stage) })
        }),
        Fault::new("events with bytes changed at random", |stage, _| {
            Box::pin(async move { damaged(stage) })
        }),
    ]
}

/// A message by a bot, with a webhook's ID, of a system type and in no guild: a single change in it cannot make it count.
fn message() -> Value {
    json!({
        "id": "1300000000000000001", "channel_id": "400000000000000000", "type": 7, "webhook_id": "300000000000000000",
        "author": {"id": "200000000000000000", "username": "n", "bot": true, "global_name": null},
        "content": "a \"quote\", ä, \u{1f600} and \u{0}", "mentions": [], "embeds": [{"fields": [{"name": "n", "value": "v"}]}],
        "timestamp": "2026-11-21T00:00:00.000000+00:00", "edited_timestamp": null, "tts": false,
        "member": {"roles": ["1"], "joined_at": "2020-01-01T00:00:00.000000+00:00", "flags": 0},
    })
}

/// [`message`] with another value in a place.
fn with(pointer: &str, value: Value) -> String {
    let mut message = message();
    *message.pointer_mut(pointer).expect("a place in it") = value;
    message.to_string()
}

fn without(key: &str) -> String {
    let mut message = message();
    message.as_object_mut().expect("an object").remove(key);
    message.to_string()
}

/// Events on every shard. Their sequence numbers are the session's own: the next event follows on them.
fn dispatch(stage: &Stage, event: &str, data: &str) {
    let (control, world) = (stage.discord.control(), stage.discord.world());
    for shard in 0..SHARDS as u64 {
        let guild = world.guilds().iter().map(discord_simulator::Guild::id);
        let guild = guild.into_iter().find(|id| (id >> 22) % SHARDS as u64 == shard);
        control.dispatch(Some(guild.expect("every shard has guilds")), event, data);
    }
}

async fn unreadable(stage: &mut Stage) {
    const MALFORMED: &str = "eventide_gateway_events_malformed_total";
    let events = [
        without("id"),
        without("channel_id"),
        without("author"),
        with("/id", json!(1.5)),
        with("/id", json!("not a number")),
        with("/id", json!("0")),
        with("/id", json!("99999999999999999999")),
        with("/id", json!(null)),
        with("/id", json!({})),
        with("/author", json!([])),
        with("/author/id", json!("\u{fffd}")),
        with("/author/bot", json!("yes")),
        with("/type", json!(-1)),
        with("/channel_id", json!("x".repeat(HUGE))),
        // Half of a pair: <https://www.rfc-editor.org/rfc/rfc8259#section-8.2>.
        message().to_string().replace("1300000000000000001", "\\ud800"),
        message()
            .to_string()
            .replace("200000000000000000", "\\udc00\\ud800"),
        "null".to_owned(),
        "[]".to_owned(),
        "17".to_owned(),
        "\"text\"".to_owned(),
        "{".to_owned(),
        String::new(),
        "{\"id\":\"1300000000000000001\",\"id\":".to_owned(),
    ];
    let before = stage.metric(MALFORMED).await;
    for event in &events {
        dispatch(stage, "MESSAGE_CREATE", event);
    }
    let wanted = u32::try_from(events.len() * SHARDS).expect("few");
    until("each is counted", async || {
        (stage.metric(MALFORMED).await >= before + f64::from(wanted)).then_some(())
    })
    .await;
    let counted = stage.metric(MALFORMED).await - before;
    assert!((counted - f64::from(wanted)).abs() < 0.5, "{counted} of {wanted}");
}

fn harmless(stage: &Stage) {
    // Payloads without a handler are skipped without recursion.
    let deep = format!("{}{}", "{\"d\":[".repeat(10_000), "]}".repeat(10_000));
    let deep_embeds = message()
        .to_string()
        .replace("\"embeds\":[", &format!("\"embeds\":[{deep},"));
    let mut many_keys = "{".to_owned();
    for key in 0..50_000 {
        write!(many_keys, "\"k{key}\":{key},").expect("a String takes any text");
    }
    many_keys.push_str("\"op\":9,\"s\":1,\"t\":\"READY\"}");
    for (event, data) in [
        ("SOMETHING_NEW", deep.as_str()),
        ("SOMETHING_NEW", &many_keys),
        ("MESSAGE_CREATE", &deep_embeds),
        ("SOMETHING_NEW", "{"),
        ("TYPING_START", "null"),
        ("GUILD_CREATE", "{\"id\":[]}"),
        ("message_create", "{}"),
        ("MESSAGE_CREATE ", "{}"),
        (&"LONG_".repeat(50_000), "{}"),
        (
            "MESSAGE_CREATE",
            &with("/content", json!("\u{1f600}".repeat(HUGE / 4))),
        ),
        ("MESSAGE_CREATE", &with("/mentions", json!(vec![message(); 500]))),
        (
            "MESSAGE_CREATE",
            &message().to_string().replace("a \\\"quote", "\\ud800 \\udfff"),
        ),
    ] {
        dispatch(stage, event, data);
    }
}

fn damaged(stage: &Stage) {
    for _ in 0..300 {
        let mut data = message().to_string().into_bytes();
        let at = fastrand::usize(..data.len());
        let with = fastrand::choice(b"\"\\{}[],:0-ntue\x7f")
            .copied()
            .unwrap_or_default();
        match fastrand::u8(0..3) {
            0 => data[at] = with,
            1 => data.insert(at, with),
            _ => data.truncate(at),
        }
        // Cut in the middle of a character it is no longer text, which a frame cannot contain.
        dispatch(stage, "MESSAGE_CREATE", &String::from_utf8_lossy(&data));
    }
}
