//! The consequences of points, each once, and obstacles.

use std::time::Duration;

use discord_simulator::{RestFault, RestFaultKind};
use serde_json::{Value, json};

use super::stage::{Stage, of_type, text};
use crate::support::until;

const KICK: u64 = 1 << 1;
const BAN: u64 = 1 << 2;
const SEE: u64 = 1 << 10;
const SEND: u64 = 1 << 11;
const TIMEOUT: u64 = 1 << 40;
const MANAGE_SERVER: u64 = 1 << 5;
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
    // Above a threshold nothing happens again.
    let reply = stage.warn(user, points(1)).await;
    assert!(!reply.contains("reached"), "{reply}");
    let reply = stage.warn(user, points(1)).await;
    assert!(reply.contains("4 points reached: **kick**."), "{reply}");
    stage.delivered().await;
    assert_eq!(stage.control().has_left(guild, user), Some(true));
    let kicks = stage.control().rest_calls(&format!("DELETE {MEMBER}"));
    assert_eq!(kicks.len(), 1, "who is gone is not thrown out again");
    let reply = stage.warn(user, points(2)).await;
    assert!(reply.contains("6 points reached: **ban**."), "{reply}");
    stage.delivered().await;
    assert!(stage.control().is_banned(guild, user));
    assert_eq!(calls(&stage, "PUT", "/guilds/{id}/bans/{id}"), 1);
    // The message was sent before the member was removed.
    assert_eq!(stage.sent("You were warned in **").len(), 5);
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
    assert!(entry.contains("Case #5"), "{entry}");
    stage.end().await;
}

/// A warning that crosses several thresholds does the worst of it, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_most_severe_threshold_alone() {
    let stage = Stage::new().await;
    let log = stage.log_to(1).await;
    let guild = stage.guild();
    assert!(
        stage
            .control()
            .set_bot_permissions(guild, SEE | SEND | KICK | BAN | TIMEOUT)
    );
    for (points, span) in [(1, "90m"), (2, "27d"), (3, "1d")] {
        add(&stage, points, "timeout", json!([of_type(3, "duration", span)])).await;
    }
    add(&stage, 4, "kick", json!([])).await;
    add(&stage, 5, "ban", json!([])).await;
    let (first, second) = (stage.user(30), stage.user(31));
    let reply = stage.warn(first, points(3)).await;
    assert_eq!(reply.matches("reached").count(), 1, "{reply}");
    assert!(
        reply.contains("2 points reached: **timeout** until"),
        "the longest: {reply}"
    );
    let reply = stage.warn(second, points(9)).await;
    assert_eq!(reply.matches("reached").count(), 1, "{reply}");
    assert!(reply.contains("5 points reached: **ban**."), "{reply}");
    stage.delivered().await;
    assert!(stage.control().is_banned(guild, second));
    assert_eq!(calls(&stage, "DELETE", MEMBER), 0);
    assert_eq!(calls(&stage, "PATCH", MEMBER), 1);
    assert_eq!(stage.logged(log, "**ban**").await.matches("reached").count(), 1);
    stage.end().await;
}

/// A moderator can only cause what they could do themselves. The warning stands, and the reply and the log say what did not happen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moderator_without_the_permission_for_a_threshold() {
    let stage = Stage::new().await;
    let log = stage.log_to(1).await;
    let (guild, control) = (stage.guild(), stage.control());
    assert!(control.set_bot_permissions(guild, SEE | SEND | KICK | BAN | TIMEOUT));
    add(&stage, 3, "timeout", json!([of_type(3, "duration", "1h")])).await;
    add(&stage, 5, "ban", json!([])).await;
    assert!(control.set_role_permissions(guild, stage.role, TIMEOUT | MANAGE_SERVER));
    let user = stage.user(30);
    let reply = stage.warn(user, points(9)).await;
    let denied = "5 points reached, but the **ban** was not carried out: the moderator lacks the **Ban Members** permission.";
    assert!(reply.contains("was warned") && reply.contains(denied), "{reply}");
    assert!(
        reply.contains("3 points reached: **timeout**"),
        "what they may: {reply}"
    );
    stage.delivered().await;
    assert!(!control.is_banned(guild, user) && control.timeout_of(guild, user).is_some());
    assert_eq!(stage.counts(user).await, (1, 9));
    assert!(stage.logged(log, "was warned by").await.contains(denied));
    // They cannot configure it either.
    let reply = add(&stage, 6, "kick", json!([])).await;
    assert!(
        reply.contains("You need the **Kick Members** permission"),
        "{reply}"
    );
    assert_eq!(stage.number("SELECT count(*) FROM warning_threshold").await, 2);
    stage.end().await;
}

/// A member who left has no roles; one who has returned may have received higher ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_comes_back_above_the_moderator() {
    let stage = Stage::new().await;
    let log = stage.log_to(1).await;
    let (guild, control) = (stage.guild(), stage.control());
    assert!(control.set_bot_permissions(guild, SEE | SEND | BAN));
    add(&stage, 5, "ban", json!([])).await;
    let higher = control.create_role(guild, "higher", 3).expect("a role");
    let user = stage.user(30);
    assert!(control.set_member_left(guild, user, true));
    assert!(control.set_member_roles(guild, user, &[higher]));
    // The punishment waits behind the message.
    control.add_fault(RestFault {
        route: "POST /users/@me/channels".to_owned(),
        count: Some(1),
        delay_ms: 3_000,
        kind: RestFaultKind::None,
    });
    let reply = stage.warn(user, points(9)).await;
    assert!(reply.contains("5 points reached: **ban**."), "{reply}");
    assert!(control.set_member_left(guild, user, false));
    stage.delivered().await;
    assert!(!control.is_banned(guild, user));
    let entry = stage.logged(log, "> was not carried out").await;
    assert!(
        entry.contains("highest role is not below the moderator's"),
        "{entry}"
    );
    stage.end().await;
}

/// Actions that the bot cannot carry out are reported immediately, in the reply and in the log channel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_bot_cannot_do_is_said_at_once() {
    let stage = Stage::new().await;
    let log = stage.log_to(0).await;
    let guild = stage.guild();
    let reply = add(&stage, 1, "kick", json!([])).await;
    assert!(
        reply.contains("I lack the **Kick Members** permission"),
        "{reply}"
    );
    let (first, second) = (stage.user(30), stage.user(31));
    let reply = stage.warn(first, points(1)).await;
    let denied = "the **kick** was not carried out: I lack the permission";
    assert!(reply.contains(denied), "{reply}");
    stage.delivered().await;
    let entry = stage.logged(log, "was warned by").await;
    assert!(entry.contains(denied), "{entry}");
    assert!(stage.control().set_bot_permissions(guild, SEE | SEND | KICK));
    assert!(stage.control().set_bot_position(guild, 1));
    let above = stage.control().create_role(guild, "above", 2).expect("a role");
    assert!(stage.control().set_member_roles(guild, second, &[above]));
    // The owner ranks above everyone.
    let options = json!([super::member(second), of_type(3, "reason", "x")]);
    let reply = text(&stage.asked(stage.user(0), "warn", options).await);
    assert!(reply.contains("their highest role is not below mine"), "{reply}");
    stage.delivered().await;
    assert_eq!(stage.control().has_left(guild, first), Some(false));
    assert_eq!(
        stage.control().rest_calls(&format!("DELETE {MEMBER}")).len(),
        0,
        "not even tried"
    );
    stage.end().await;
}

/// An action that the bot could carry out when the member was warned, but no longer can, ends with one line in the log channel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_obstacle_is_logged_once() {
    let stage = Stage::new().await;
    let log = stage.log_to(0).await;
    let (guild, control) = (stage.guild(), stage.control());
    assert!(control.set_bot_permissions(guild, SEE | SEND | KICK));
    add(&stage, 1, "kick", json!([])).await;
    let user = stage.user(30);
    // The punishment waits behind the message.
    control.add_fault(RestFault {
        route: "POST /users/@me/channels".to_owned(),
        count: Some(1),
        delay_ms: 3_000,
        kind: RestFaultKind::None,
    });
    let reply = stage.warn(user, points(1)).await;
    assert!(reply.contains("1 point reached: **kick**."), "{reply}");
    assert!(control.set_bot_permissions(guild, SEE | SEND));
    stage.delivered().await;
    let entry = stage.logged(log, "> was not carried out").await;
    assert!(
        entry.contains("was not carried out: I lack the permission"),
        "{entry}"
    );
    let told = stage.in_channel(log);
    let told = told
        .iter()
        .filter(|entry| entry.contains("> was not carried out"));
    assert_eq!(told.count(), 1);
    assert_eq!(control.has_left(guild, user), Some(false));
    assert_eq!(
        stage
            .number("SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL AND kind = 'punishment'")
            .await,
        1
    );
    stage.end().await;
}

/// The moderator sees the outcome of the punishment in the reply; a moderator who removes the warning can lift its timeout.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeout_is_reported_and_lifted_with_its_warning() {
    let stage = Stage::new().await;
    let log = stage.log_to(1).await;
    let (guild, control) = (stage.guild(), stage.control());
    assert!(control.set_bot_permissions(guild, SEE | SEND | TIMEOUT));
    add(&stage, 2, "timeout", json!([of_type(3, "duration", "1h")])).await;
    let user = stage.user(30);
    let options = json!([
        super::member(user),
        of_type(3, "reason", "x"),
        of_type(4, "points", 2)
    ]);
    let warned = stage.asked(stage.moderator(), "warn", options).await;
    let says = |words: &'static str| {
        move |state: &discord_simulator::InteractionState| {
            let content = |edit: &Value| edit["content"].as_str().is_some_and(|text| text.contains(words));
            state.edits.iter().any(content)
        }
    };
    let reported = control
        .wait_interaction(warned.id, says("✅ Done."), crate::support::PATIENCE)
        .await;
    assert!(reported.is_some(), "{:?}", control.interaction(warned.id));
    assert!(control.timeout_of(guild, user).is_some());

    let edit =
        json!([{"name": "edit", "type": 1, "options": [of_type(4, "case", 1), of_type(4, "points", 9)]}]);
    let reply = text(&stage.asked(stage.moderator(), "warning", edit).await);
    assert!(reply.contains("not when it is edited"), "{reply}");

    let remove = json!([{"name": "remove", "type": 1, "options": [of_type(4, "case", 1)]}]);
    let moderator = stage.moderator();
    let removed = stage.asked(moderator, "warning", remove).await;
    let reply = removed.reply().expect("a reply").clone();
    assert!(text(&removed).contains("Its timeout runs until"), "{reply}");
    let button = reply["components"][0]["components"][0]["custom_id"]
        .as_str()
        .expect("a button");
    let press =
        |user| discord_simulator::InteractionRequest::component(guild, user, button, &[], reply.clone());
    let mut stranger = press(stage.user(31));
    stranger.member_permissions = Some("0".to_owned());
    assert!(text(&stage.ask(&stranger).await).contains("Timeout Members"));
    let mut fake = press(stage.user(31));
    fake.member_permissions = Some(TIMEOUT.to_string());
    assert!(
        text(&stage.ask(&fake).await).contains("lacks the **Timeout Members** permission"),
        "what the roles say counts"
    );
    // Nor does a moderator lift it whom the member is above by now.
    let higher = control.create_role(guild, "higher", 3).expect("a role");
    assert!(control.set_member_roles(guild, user, &[higher]));
    let refused = text(&stage.ask(&press(moderator)).await);
    assert!(refused.contains("highest role is not below"), "{refused}");
    assert!(control.set_member_roles(guild, user, &[]));
    let lifted = stage.ask(&press(moderator)).await;
    let callback = lifted.callback.expect("an answer");
    assert!(
        callback["data"]["content"]
            .as_str()
            .is_some_and(|text| text.contains("is being lifted")),
        "{callback}"
    );
    until("the timeout is lifted", async || {
        control.timeout_of(guild, user).is_none().then_some(())
    })
    .await;
    stage.logged(log, "lifted the timeout").await;
    stage.end().await;
}

/// Warnings that have expired, were removed or are too old do not count, by the time of the interaction.
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
        reply.contains("One warning is active, with 2 points.") && !reply.contains("reached"),
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
        reply.contains("2 warnings are active, with 4 points.") && !reply.contains("reached"),
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
    assert!(
        stage
            .control()
            .set_bot_permissions(stage.guild(), SEE | SEND | BAN | TIMEOUT)
    );
    let reply = threshold(&stage, "list", json!([])).await;
    assert!(reply.contains("no thresholds yet"), "{reply}");
    let reply = threshold(&stage, "remove", points(5)).await;
    assert!(reply.contains("no threshold with 5 points"), "{reply}");
    for points in 1..=20 {
        let reply = add(&stage, points, "ban", json!([])).await;
        assert!(reply.contains("Added"), "{reply}");
    }
    let reply = add(&stage, 21, "ban", json!([])).await;
    assert!(reply.contains("at most 20 thresholds"), "{reply}");
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
