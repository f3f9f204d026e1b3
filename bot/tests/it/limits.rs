//! Discord's limits, with every text at its maximum length.

use discord_simulator::InteractionState;
use serde_json::{Value, json};

use crate::support::{
    asking::{Here, here},
    effects::delivered,
    until,
};

/// The longest reason, in as many lines as it can have.
fn reason() -> String {
    "x\n".repeat(500).trim_end().to_owned()
}

fn option(kind: u8, name: &str, value: impl Into<Value>) -> Value {
    json!({"name": name, "type": kind, "value": value.into()})
}

fn units(text: &Value) -> usize {
    text.as_str().unwrap_or_default().encode_utf16().count()
}

/// See that Discord would take a message.
pub(crate) fn assert_fits(message: &Value) {
    assert!(units(&message["content"]) <= 2_000, "{message}");
    let mut total = 0;
    for embed in message["embeds"].as_array().into_iter().flatten() {
        assert!(
            units(&embed["title"]) <= 256 && units(&embed["description"]) <= 4_096,
            "{embed}"
        );
        total += units(&embed["title"]) + units(&embed["description"]) + units(&embed["footer"]["text"]);
        for field in embed["fields"].as_array().into_iter().flatten() {
            assert!(
                units(&field["name"]) <= 256 && units(&field["value"]) <= 1_024,
                "{field}"
            );
            total += units(&field["name"]) + units(&field["value"]);
        }
    }
    assert!(total <= 6_000, "{total}");
}

/// The reply to a manager of the server: there is one, and Discord accepts it.
async fn answer(here: &Here, command: &str, path: &str, options: Value, resolved: Value) -> Value {
    let mut request = here.managing(command, path, options, resolved);
    if command == "levels" {
        // A different member each time, so that the rate limit is not reached.
        request.user_id = here.next_member();
    }
    let state: InteractionState = here.ask(&request).await;
    assert_eq!(state.refused_callbacks, 0, "{state:?}");
    let reply = state.reply().expect("an answer").clone();
    assert_fits(&reply);
    reply
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn warnings_with_reasons_of_many_lines() {
    let here = here().await;
    let user = here.member(3).to_string();
    let member = option(6, "member", user.clone());
    let resolved = json!({
        "users": {user.clone(): {"id": user.clone(), "username": "somebody"}},
        "members": {user.clone(): {"roles": []}},
    });
    for _ in 0..5 {
        let options = json!([member.clone(), option(3, "reason", reason())]);
        answer(&here, "warn", "", options, resolved.clone()).await;
    }
    let edit = json!([option(4, "case", 1), option(3, "reason", reason())]);
    let edited = answer(&here, "warning", "edit", edit, json!({})).await;
    assert!(
        edited["content"].as_str().expect("text").contains("> x"),
        "{edited}"
    );
    let page = answer(&here, "warnings", "", json!([member]), resolved).await;
    let listed = page["embeds"][0]["description"].as_str().expect("a list");
    for case in 1..=5 {
        assert!(listed.contains(&format!("#{case}")), "{case}: {listed}");
    }
    // Each of them arrives.
    let direct = until("the member got five messages", async || {
        let sent = here.discord.control().bot_messages();
        let sent: Vec<Value> = sent
            .into_iter()
            .filter(|message| {
                message["content"]
                    .as_str()
                    .is_some_and(|text| text.contains("> x"))
            })
            .collect();
        (sent.len() >= 5).then_some(sent)
    })
    .await;
    direct.iter().for_each(assert_fits);
    delivered(&here.scene.store()).await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn announcements_and_overviews_at_their_longest() {
    let here = here().await;
    let text = "{user} ".repeat(214);
    let options = json!([option(3, "where", "same_channel"), option(3, "text", text)]);
    let announced = answer(&here, "levels", "announce", options, json!({})).await;
    assert!(
        announced["content"].as_str().expect("text").contains("<@"),
        "{announced}"
    );

    let control = here.discord.control();
    let role = |_| {
        control
            .create_role(here.guild(), "role", 1)
            .expect("a role")
            .to_string()
    };
    let (rewards, others): (Vec<String>, Vec<String>) =
        ((0..30).map(role).collect(), (0..25).map(role).collect());
    for (level, id) in rewards.iter().enumerate() {
        let options = json!([option(4, "level", level + 99_000), option(8, "role", id.as_str())]);
        let resolved = json!({"roles": {id.as_str(): {"id": id}}});
        answer(&here, "levels", "reward add", options, resolved).await;
    }
    for id in &others {
        let options = json!([option(10, "factor", 2.25), option(8, "role", id.as_str())]);
        let resolved = json!({"roles": {id.as_str(): {"id": id}}});
        answer(&here, "levels", "multiplier", options, resolved).await;
    }
    let shown = answer(&here, "levels", "show", json!([]), json!({})).await;
    let shown = format!("{}{}", shown["content"], shown["embeds"]);
    for part in rewards
        .iter()
        .chain(&others)
        .map(String::as_str)
        .chain(["99,029"])
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    here.end().await;
}
