//! What points lead to, each once, and what is in the way.

use std::time::Duration;

use discord_simulator::{RestFault, RestFaultKind};
use serde_json::{Value, json};

use super::{
    stage::{Stage, of_type, text},
    until,
};

const KICK: u64 = 1 << 1;
const BAN: u64 = 1 << 2;
const SEE: u64 = 1 << 10;
const SEND: u64 = 1 << 11;
const TIMEOUT: u64 = 1 << 40;
const MEMBER: &str = "/guilds/{id}/members/{id}";

async fn threshold(stage: &Stage, what: &str, options: Value) -> String {
    let moderator = stage.moderator();
    let options =
        json!([{"name": "threshold", "type": 2, "options": [{"name": what, "type": 1, "options": options}]}]);
    text(&stage.asked(moderator, "warning", options).await)
}

async fn add(stage: &Stage, points: i64, action: &str, more: Value) -> String {
    let mut options = vec![of_type(4, "points", points), of_type(3, "action", action)];
    options.extend(more.as_array().into_iter().flatten().cloned());
    threshold(stage, "add", options.into()).await
}

fn points(points: i64) -> Value {
    json!([of_type(4, "points", points)])
}

fn calls(stage: &Stage, method: &str, route: &str) -> usize {
    let pattern = format!("{method} {route}");
    let calls = stage.control().rest_calls(&pattern);
    calls
        .iter()
        .filter(|call| call.status < 300 && call.status > 0)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_action_once() {
    let stage = Stage::new().await;
    let log = stage.log_to(1).await;
    let guild = stage.guild();
    assert!(
        stage
            .control()
            .set_bot_permissions(guild, SEE | SEND | KICK | BAN | TIMEOUT)
    );
    let reply = add(&stage, 2, "timeout", json!([of_type(3, "duration", "90m")])).await;
    assert_eq!(reply, "✅ Added: **2 points**: timeout for 1h 30m");
    add(&stage, 4, "kick", json!([])).await;
    add(&stage, 6, "ban", json!([])).await;
    // The first answers get lost, so each is tried again.
    for method in ["PATCH", "DELETE"] {
        stage.control().add_fault(RestFault {
            route: format!("{method} {MEMBER}"),
            count: Some(1),
            delay_ms: 0,
            kind: RestFaultKind::StatusAfter(502),
        });
    }
    let user = stage.user(30);
    let reply = stage.warn(user, points(1)).await;
    assert!(!reply.contains("reached"), "{reply}");
    let reply = stage.warn(user, points(1)).await;
    assert!(
        reply.contains("2 points reached: **timeout** until <t:"),
        "{reply}"
    );
    stage.delivered().await;
    let until = stage
        .text_of("SELECT to_char(created_at + interval '90 minutes', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS') FROM (SELECT created_at AT TIME ZONE 'UTC' AS created_at FROM mod_case WHERE case_id = 2) AS c")
        .await;
    let timeout = stage.control().timeout_of(guild, user).expect("a timeout");
    assert!(timeout.starts_with(&until), "{timeout} is not {until}");
    let call = &stage.control().rest_calls(&format!("PATCH {MEMBER}"))[0];
    assert_eq!(call.reason.as_deref(), Some("Warning, case #2: 2 points reached"));
    // Above a threshold nothing happens again; the next two are crossed at once.
    let reply = stage.warn(user, points(1)).await;
    assert!(!reply.contains("reached"), "{reply}");
    let reply = stage.warn(user, points(5)).await;
    assert!(
        reply.contains("4 points reached: **kick**.") && reply.contains("6 points reached: **ban**."),
        "{reply}"
    );
    stage.delivered().await;
    assert_eq!(stage.control().has_left(guild, user), Some(true));
    assert!(stage.control().is_banned(guild, user));
    assert_eq!(calls(&stage, "PUT", "/guilds/{id}/bans/{id}"), 1);
    let kicks = stage.control().rest_calls(&format!("DELETE {MEMBER}"));
    assert_eq!(kicks.len(), 1, "who is gone is not thrown out again");
    // The message came before the member was thrown out.
    assert_eq!(stage.sent("You were warned on **").len(), 4);
    let reply = stage.warn(user, points(100)).await;
    assert!(!reply.contains("reached"), "{reply}");
    stage.delivered().await;
    assert_eq!(calls(&stage, "PUT", "/guilds/{id}/bans/{id}"), 1);
    assert_eq!(
        stage
            .number("SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL")
            .await,
        0
    );
    let entry = stage.logged(log, "**ban**").await;
    assert!(entry.contains("Case #4") && entry.contains("**kick**"), "{entry}");
    stage.end().await;
}

/// What the bot may not do ends with one line in the log channel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_the_way_is_told_once() {
    let stage = Stage::new().await;
    let log = stage.log_to(0).await;
    let guild = stage.guild();
    add(&stage, 1, "kick", json!([])).await;
    let (first, second) = (stage.user(30), stage.user(31));
    stage.warn(first, points(1)).await;
    stage.delivered().await;
    let entry = stage.logged(log, "I could not do what was due").await;
    assert!(entry.contains("(kick): I lack the permission"), "{entry}");
    assert!(stage.control().set_bot_permissions(guild, SEE | SEND | KICK));
    assert!(stage.control().set_bot_position(guild, 1));
    let above = stage.control().create_role(guild, "above", 2).expect("a role");
    assert!(stage.control().set_member_roles(guild, second, &[above]));
    // The owner stands above everybody.
    let options = json!([super::member(second), of_type(3, "reason", "x")]);
    let reply = text(&stage.asked(stage.user(0), "warn", options).await);
    assert!(reply.contains("1 point reached"), "{reply}");
    stage.delivered().await;
    let entry = stage.logged(log, "is not below mine").await;
    assert!(entry.contains("(kick)"), "{entry}");
    let told = stage.in_channel(log);
    let told = told.iter().filter(|entry| entry.contains("I could not do"));
    assert_eq!(told.count(), 2, "once each");
    assert_eq!(stage.control().has_left(guild, first), Some(false));
    assert_eq!(
        stage.control().rest_calls(&format!("DELETE {MEMBER}")).len(),
        0,
        "not even tried"
    );
    assert_eq!(
        stage
            .number("SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL AND kind = 'punishment'")
            .await,
        2
    );
    stage.end().await;
}

/// What has expired, was removed or is too long ago does not count, by the time of the question.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_counts_crosses() {
    let stage = Stage::new().await;
    let guild = stage.guild();
    assert!(
        stage
            .control()
            .set_bot_permissions(guild, SEE | SEND | KICK | BAN)
    );
    add(&stage, 3, "kick", json!([of_type(4, "window", 1)])).await;
    let user = stage.user(30);
    let for_a_minute = json!([of_type(4, "points", 2), of_type(3, "expires", "1m")]);
    stage.warn(user, for_a_minute).await;
    stage.control().advance_time(Duration::from_mins(2));
    let reply = stage.warn(user, points(2)).await;
    assert!(
        reply.contains("One warning counts now, with 2 points.") && !reply.contains("reached"),
        "{reply}"
    );
    let options = json!([{"name": "remove", "type": 1, "options": [of_type(4, "case", 2)]}]);
    let moderator = stage.moderator();
    stage.asked(moderator, "warning", options).await;
    let reply = stage.warn(user, points(2)).await;
    assert!(!reply.contains("reached"), "{reply}");
    stage.control().advance_time(Duration::from_hours(25));
    let reply = stage.warn(user, points(2)).await;
    assert!(
        reply.contains("2 warnings count now, with 4 points.") && !reply.contains("reached"),
        "outside the window: {reply}"
    );
    let shown = stage.list(stage.user(1), Some(user)).await;
    assert!(shown.contains("· expired <t:"), "{shown}");
    let reply = stage.warn(user, points(1)).await;
    assert!(reply.contains("3 points reached: **kick**."), "{reply}");
    until("the member is gone", async || {
        (stage.control().has_left(guild, user) == Some(true)).then_some(())
    })
    .await;
    assert_eq!(stage.counts(user).await, (4, 7));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thresholds_are_listed_changed_and_bounded() {
    let stage = Stage::new().await;
    let reply = threshold(&stage, "list", json!([])).await;
    assert!(reply.contains("no thresholds yet"), "{reply}");
    let reply = threshold(&stage, "remove", points(5)).await;
    assert!(reply.contains("no threshold with 5 points"), "{reply}");
    for points in 1..=20 {
        let reply = add(&stage, points, "ban", json!([])).await;
        assert!(reply.contains("Added"), "{reply}");
    }
    let reply = add(&stage, 21, "ban", json!([])).await;
    assert!(reply.contains("can have 20 thresholds"), "{reply}");
    let more = json!([of_type(3, "duration", "28d"), of_type(4, "window", 30)]);
    let reply = add(&stage, 20, "timeout", more).await;
    assert_eq!(
        reply,
        "✅ Changed: **20 points**: timeout for 28d (only warnings of the last 30 days)"
    );
    let reply = threshold(&stage, "remove", points(1)).await;
    assert_eq!(reply, "🗑️ Removed: **1 point**: ban");
    let reply = threshold(&stage, "list", json!([])).await;
    assert_eq!(reply.lines().count(), 19);
    assert!(
        reply.starts_with("**2 points**: ban\n") && reply.ends_with("of the last 30 days)"),
        "{reply}"
    );
    stage.end().await;
}
