//! What follows from refusals by Discord.

use discord_simulator::RestFaultKind;

use super::{MESSAGES, Stage, fault, level_up};

impl Stage {
    /// Discord refuses an announcement in a channel three times. The channel is then not used for some minutes, and skipped attempts do
    /// not count, so each process is refused once.
    async fn refused(&self, channel: u64) {
        for first in [1, 5, 9] {
            self.control()
                .add_fault(fault(RestFaultKind::Status(403), Some(1)));
            for level in first..first + 4 {
                self.add(vec![level_up(self.guild(), channel, 7, level)]).await;
            }
            let courier = self.courier();
            self.delivered().await;
            courier.stop().await;
        }
    }
}

/// After several consecutive failures the setting is off, and there is one notice in the log channel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_forbidden_is_switched_off_with_one_notice() {
    let mut stage = Stage::new().await;
    stage.config.effects.failures_until_off = 3;
    let guild = stage.guild();
    let [channel, log] = [0, 1].map(|place| guild.channels()[place].id);
    let settings = format!(
        "INSERT INTO guild_settings (guild_id, announce, announce_channel_id, log_channel_id)
         VALUES ({}, 'channel', {channel}, {log})",
        guild.id()
    );
    stage.run_sql(&settings).await;
    stage.refused(channel).await;
    let courier = stage.courier();
    stage.delivered().await;
    let messages = stage.control().bot_messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0]["channel_id"], log.to_string());
    let text = messages[0]["content"].as_str().expect("a text");
    assert!(
        text.contains("stopped announcing level-ups") && text.contains("403"),
        "{text}"
    );
    let calls = stage.control().rest_calls(MESSAGES);
    assert_eq!(calls.len(), 4, "three refusals, one notice");
    let failed = "SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL";
    assert_eq!(stage.count(failed).await, 9, "the others were cancelled");
    let off =
        "SELECT count(*) FROM guild_settings WHERE announce = 'off' AND announce_off_reason IS NOT NULL";
    assert_eq!(stage.count(off).await, 1);
    let failures = "SELECT count(*) FROM effect_failure";
    assert_eq!(stage.count(failures).await, 0, "counted from zero again");
    courier.stop().await;
    stage.end().await;
}

/// If levels are announced in the channel of the message, one channel that refuses says nothing about the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_refuses_is_skipped_alone() {
    let mut stage = Stage::new().await;
    stage.config.effects.failures_until_off = 2;
    let guild = stage.guild();
    let [closed, open, log] = [0, 1, 2].map(|place| guild.channels()[place].id);
    let settings = format!(
        "INSERT INTO guild_settings (guild_id, announce, log_channel_id) VALUES ({}, 'same_channel', {log})",
        guild.id()
    );
    stage.run_sql(&settings).await;
    stage.refused(closed).await;
    stage.add(vec![level_up(stage.guild(), open, 8, 2)]).await;
    let courier = stage.courier();
    stage.delivered().await;
    let messages = stage.control().bot_messages();
    let channels: Vec<&str> = messages
        .iter()
        .filter_map(|message| message["channel_id"].as_str())
        .collect();
    assert_eq!(channels, [log.to_string(), open.to_string()], "{messages:?}");
    let notice = messages[0]["content"].as_str().expect("a text");
    assert!(
        notice.contains(&format!("<#{closed}>")) && notice.contains("403"),
        "{notice}"
    );
    let on = "SELECT count(*) FROM guild_settings WHERE announce = 'same_channel'";
    assert_eq!(stage.count(on).await, 1, "announcements go on");
    courier.stop().await;
    stage.end().await;
}
