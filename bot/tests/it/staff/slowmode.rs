//! `/slowmode`.

use discord_simulator::RestFaultKind;
use serde_json::{Value, json};

use super::stage::{BOT_MAY, MANAGE_CHANNELS, Stage, in_channel, of_type};
use crate::support::asking::text;

const PATCH: &str = "PATCH /channels/{id}";

fn slow(duration: &str, lasts: Option<&str>) -> Value {
    let lasts = lasts.map(|lasts| of_type(3, "for", lasts));
    std::iter::once(of_type(3, "duration", duration))
        .chain(lasts)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_mode_for_some_time_restores_the_one_before() {
    let stage = Stage::new().await;
    let (control, channel) = (stage.control(), stage.channel(0));
    assert!(control.set_slowmode(channel, 5));
    let said = stage.asked("slowmode", slow("30s", Some("1h"))).await;
    assert!(said.contains("is now: 30s, until <t:"), "{said}");
    assert_eq!(control.slowmode_of(channel), Some(30));
    // Another one in its place does not make the first one what is restored.
    stage.asked("slowmode", slow("1m", Some("2h"))).await;
    assert_eq!(control.slowmode_of(channel), Some(60));
    let stage = stage.killed().await;
    stage.fire("channel_slowmode_end").await;
    assert_eq!(control.slowmode_of(channel), Some(5));
    assert_eq!(stage.number("SELECT count(*) FROM channel_slowmode").await, 0);
    assert_eq!(stage.in_log("was changed by").len(), 2);

    // Staff chose another one by hand.
    stage.asked("slowmode", slow("30s", Some("1h"))).await;
    assert!(control.set_slowmode(channel, 10));
    stage.fire("channel_slowmode_end").await;
    assert_eq!(control.slowmode_of(channel), Some(10));

    // One without an end ends the timer.
    stage.asked("slowmode", slow("30s", Some("1h"))).await;
    let said = stage.asked("slowmode", slow("off", None)).await;
    assert!(said.contains("is now: off, until it is changed"), "{said}");
    assert_eq!(control.slowmode_of(channel), Some(0));
    let left =
        "SELECT (SELECT count(*) FROM channel_slowmode) + (SELECT count(*) FROM timer WHERE guild_id <> 0)";
    assert_eq!(stage.number(left).await, 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_mode_that_is_refused() {
    let stage = Stage::new().await;
    let (control, guild) = (stage.control(), stage.here.guild());
    let said = stage.asked("slowmode", slow("7h", None)).await;
    assert!(said.contains("between 1s and 6h"), "{said}");
    let category = stage.channel(1);
    assert!(control.set_channel_kind(category, 4));
    let options = json!([of_type(3, "duration", "5s"), in_channel(category)]);
    let said = stage.asked("slowmode", options).await;
    assert!(said.contains("has no slow mode"), "{said}");
    let plain = stage.request_by(stage.user(30), "slowmode", slow("5s", None));
    let said = text(&stage.done(&plain).await);
    assert!(said.contains("You need the **Manage Channels**"), "{said}");
    assert!(control.set_bot_permissions(guild, BOT_MAY & !MANAGE_CHANNELS));
    let said = stage.asked("slowmode", slow("5s", None)).await;
    assert!(said.contains("I lack the **Manage Channels**"), "{said}");
    assert_eq!(stage.calls(PATCH), 0);
    assert!(control.set_bot_permissions(guild, BOT_MAY));
    stage.fault(PATCH, Some(1), RestFaultKind::Status(500));
    let said = stage.asked("slowmode", slow("5s", None)).await;
    assert!(said.contains("is now: 5s"), "{said}");
    stage.fault(PATCH, Some(1), RestFaultKind::Status(403));
    let said = stage.asked("slowmode", slow("9s", None)).await;
    assert!(said.contains("Discord refused it"), "{said}");
    stage.logged("could not be changed. Discord refused it").await;
    assert_eq!(control.slowmode_of(stage.channel(0)), Some(5));
    stage.end().await;
}
