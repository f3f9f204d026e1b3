//! What Discord's automatic moderation blocked appears in the channel that the server chose.

use serde_json::json;

use super::stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_automod_blocks_is_logged_once_even_by_a_new_process() {
    let mut stage = stage().await;
    let log = stage.discord.world().guilds()[0].channels()[1].id;
    let (guild, user) = (stage.guild(), stage.user(30));
    let resumes = stage.control().stats().resumes;
    let blocked = |kind: u8, channel: u64, control: &discord_simulator::Control| {
        let event = json!({
            "guild_id": guild.to_string(), "action": {"type": kind}, "rule_id": "6", "rule_trigger_type": 1,
            "user_id": user.to_string(), "channel_id": channel.to_string(), "content": "secret", "matched_content": "secret",
        });
        control.dispatch(
            Some(guild),
            "AUTO_MODERATION_ACTION_EXECUTION",
            &event.to_string(),
        );
    };
    // Nothing is logged before a channel is chosen, and an alert is not the block of a message.
    blocked(1, 1, &stage.control());
    stage.flushed().await;
    stage.set("log_automod", &log.to_string()).await;
    blocked(2, 2, &stage.control());
    for channel in [3, 4] {
        blocked(1, channel, &stage.control());
    }
    let entry = stage.logged(log, "<#4>").await;
    assert!(entry.contains(&format!("<@{user}>")), "{entry}");
    stage.restart(resumes).await;
    blocked(1, 5, &stage.control());
    stage.logged(log, "<#5>").await;
    let named = |entry: &String| {
        let (_, channel) = entry.split_once("<#").expect("a channel");
        channel.split('>').next().expect("an ID").to_owned()
    };
    let entries: Vec<String> = stage.in_channel(log).iter().map(named).collect();
    assert_eq!(entries, ["3", "4", "5"]);
    let rows = stage
        .text_of("SELECT coalesce(string_agg(body::text, ''), '') FROM outbox")
        .await;
    assert!(!rows.contains("secret"), "{rows}");
    stage.end().await;
}
