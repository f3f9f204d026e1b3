//! Channels for entries about one subject, instead of the log channel.

use serde_json::{Value, json};

use super::stage::{Stage, of_type};

/// The bot's messages in a channel with these words.
fn there(stage: &Stage, channel: u64, words: &str) -> usize {
    let id = channel.to_string();
    let messages = stage.control().bot_messages();
    let has = |message: &&Value| {
        message["channel_id"].as_str() == Some(&id)
            && message["content"]
                .as_str()
                .is_some_and(|text| text.contains(words))
    };
    messages.iter().filter(has).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_about_a_subject_have_a_channel_of_their_own() {
    let stage = Stage::new().await;
    let (channels, members) = (stage.channel(1), stage.channel(2));
    for (name, channel) in [("log.channels", channels), ("log.members", members)] {
        let options = json!([
            of_type(3, "setting", name),
            of_type(3, "value", format!("<#{channel}>"))
        ]);
        let mut request = stage.here.managing("settings", "", options, Value::Null);
        request.user_id = stage.here.next_member();
        let shown = stage.here.callback(&request).await["data"].to_string();
        assert!(
            shown.contains("Logs") && shown.contains(&channel.to_string()),
            "{shown}"
        );
    }
    let user = stage.user(30);
    let role = stage
        .control()
        .create_role(stage.here.guild(), "low", 2)
        .expect("a role");
    let about = json!([
        of_type(6, "member", user.to_string()),
        of_type(8, "role", role.to_string())
    ]);
    for (command, options) in [
        ("lock", json!([])),
        ("unlock", json!([])),
        ("slowmode", json!([of_type(3, "duration", "30s")])),
        ("role add", about),
    ] {
        stage.asked(command, options).await;
    }
    stage.delivered().await;
    for (channel, words) in [
        (channels, "was locked by"),
        (channels, "was unlocked by"),
        (channels, "was changed by"),
        (members, "the role"),
    ] {
        assert_eq!(there(&stage, channel, words), 1, "{words}");
        assert!(stage.in_log(words).is_empty(), "{words}");
    }
    stage.end().await;
}
