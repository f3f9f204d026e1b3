//! Warnings: moderators' commands, and the effects on Discord.

mod case_commands;
mod moderators;
mod once;
mod policy;
mod refusals;
mod thresholds;

use discord_simulator::InteractionRequest;
use serde_json::{Value, json};

use self::stage::{Stage, member, of_type, text};
use crate::support::{PATIENCE, moderators as stage};

/// One warning from its beginning to its end: the reply, the rows, the member's message, the log, an edit, its removal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warning_and_all_that_is_done_with_it() {
    let stage = Stage::new().await;
    let log = stage.log_to(0).await;
    let user = stage.user(30);
    let options = json!([
        member(user),
        of_type(3, "reason", "Spam in *every* channel"),
        of_type(3, "severity", "medium")
    ]);
    let moderator = stage.moderator();
    let answer = stage.asked(moderator, "warn", options).await;
    let reply = text(&answer);
    assert!(
        reply.contains("Case **#1**") && reply.contains("(medium, 2 points, expires <t:"),
        "{reply}"
    );
    assert!(reply.contains("One warning is active, with 2 points."), "{reply}");
    assert_eq!(answer.callback.expect("an answer")["data"]["flags"], 64);
    assert_eq!(stage.counts(user).await, (1, 2));
    stage.delivered().await;
    let entry = stage.logged(log, "was warned by").await;
    assert!(
        entry.contains("**Case #1**") && entry.contains("> Spam in *every* channel"),
        "{entry}"
    );
    let direct = stage.sent("You were warned in **");
    assert_eq!(direct.len(), 1);
    assert!(direct[0].contains("> Spam in *every* channel"), "{direct:?}");
    for call in stage.control().rest_calls("POST /channels/{id}/messages") {
        assert_eq!(call.body["allowed_mentions"]["parse"], json!([]), "pings nobody");
    }

    // Without a message to the member, in German, and never expiring.
    let options = json!([
        member(user),
        of_type(3, "reason", "Noch einmal"),
        of_type(4, "points", 0),
        of_type(3, "expires", "nie"),
        of_type(5, "dm", false)
    ]);
    let request = InteractionRequest {
        locale: Some("de".to_owned()),
        ..InteractionRequest::command(stage.guild(), moderator, "warn", &options)
    };
    let reply = text(&stage.ask(&request).await);
    assert!(
        reply.contains("Fall **#2**") && reply.contains("(gering, 0 Punkte, läuft nie ab)"),
        "{reply}"
    );
    assert_eq!(stage.counts(user).await, (2, 2));
    stage.end().await;
}

/// The previous version of a warning is kept when it is edited, and a removed warning stays visible.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warning_that_is_changed_and_taken_back() {
    let stage = Stage::new().await;
    let log = stage.log_to(0).await;
    let user = stage.user(30);
    stage.warn(user, json!([of_type(3, "severity", "medium")])).await;
    let never = json!([of_type(4, "points", 0), of_type(3, "expires", "never")]);
    stage.warn(user, never).await;
    assert_eq!(stage.counts(user).await, (2, 2));
    let edit = |options: Value| json!([{"name": "edit", "type": 1, "options": options}]);
    let options = edit(json!([
        of_type(4, "case", 1),
        of_type(3, "reason", "Spam"),
        of_type(3, "severity", "high")
    ]));
    let reply = text(&stage.asked(stage.moderator(), "warning", options).await);
    assert!(reply.contains("is now: high, 3 points"), "{reply}");
    assert_eq!(stage.counts(user).await, (2, 3));
    let options = edit(json!([
        of_type(4, "case", 1),
        of_type(4, "points", 10),
        of_type(3, "expires", "12h")
    ]));
    let reply = text(&stage.asked(stage.moderator(), "warning", options).await);
    assert!(reply.contains("is now: high, 10 points"), "{reply}");
    assert_eq!(stage.counts(user).await, (2, 10));
    let kept = stage
        .number("SELECT count(*) FROM request WHERE action = 'warning_edit' AND before->>'severity' IN ('medium', 'high')")
        .await;
    assert_eq!(kept, 2, "what was before is kept");

    let remove = |case: i64| {
        json!([{"name": "remove", "type": 1, "options": [
            of_type(4, "case", case), of_type(3, "reason", "A mistake")
        ]}])
    };
    let reply = text(&stage.asked(stage.moderator(), "warning", remove(1)).await);
    assert!(
        reply.contains("Case **#1**") && reply.contains("was removed"),
        "{reply}"
    );
    assert_eq!(stage.counts(user).await, (1, 0));
    let reply = text(&stage.asked(stage.moderator(), "warning", remove(1)).await);
    assert!(reply.contains("was already removed"), "{reply}");
    let reply = text(
        &stage
            .asked(
                stage.moderator(),
                "warning",
                edit(json!([of_type(4, "case", 1), of_type(4, "points", 1)])),
            )
            .await,
    );
    assert!(reply.contains("was already removed"), "{reply}");
    assert_eq!(stage.counts(user).await, (1, 0));
    stage.delivered().await;
    let entry = stage.logged(log, "was changed by").await;
    assert!(
        entry.contains("Before: medium, 2 points") && entry.contains("Now: high, 3 points"),
        "{entry}"
    );
    let entry = stage.logged(log, "was removed by").await;
    assert!(entry.contains("> A mistake"), "{entry}");

    let shown = stage.list(stage.moderator(), Some(user)).await;
    assert!(
        shown.contains("~~**#1** · high · 10 points~~") && shown.contains("Reason for removal: A mistake"),
        "{shown}"
    );
    assert!(
        shown.contains("**#2** · low · 0 points") && shown.contains("never expires"),
        "{shown}"
    );
    assert_eq!(stage.list(user, None).await, shown, "their own");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_warnings_and_numbers_of_cases() {
    let stage = Stage::new().await;
    let (user, asker) = (stage.user(30), stage.moderator());
    let none = text(&stage.asked(user, "warnings", json!([])).await);
    assert!(none.contains("has no warnings"), "{none}");
    for _ in 0..12 {
        stage.warn(user, json!([])).await;
    }
    let answer = stage.asked(asker, "warnings", json!([member(user)])).await;
    let reply = answer.reply().expect("a reply").clone();
    let shown = reply["embeds"][0]["description"].as_str().expect("a list");
    assert_eq!(shown.matches("**#").count(), 5);
    assert!(
        shown.contains("**#12**") && shown.contains("12 warnings are active, with 12 points."),
        "{shown}"
    );
    assert_eq!(reply["embeds"][0]["footer"]["text"], "Page 1 of 3");
    let buttons = &reply["components"][0]["components"];
    assert_eq!(buttons[0]["disabled"], true);
    assert_ne!(buttons[1]["disabled"], true);
    let press = |asker: u64, custom_id: &str| {
        InteractionRequest::component(stage.guild(), asker, custom_id, &[], reply.clone())
    };
    let on = buttons[1]["custom_id"].as_str().expect("an id").to_owned();
    let answer = stage.ask(&press(asker, &on)).await;
    let callback = answer.callback.expect("an answer");
    assert_eq!(callback["type"], 7, "the message changes");
    let page = &callback["data"];
    assert!(
        page["embeds"][0]["description"]
            .as_str()
            .is_some_and(|list| list.contains("**#7**"))
    );
    let last = page["components"][0]["components"][1]["custom_id"]
        .as_str()
        .expect("an id");
    let answer = stage.ask(&press(asker, last)).await;
    let page = &answer.callback.expect("an answer")["data"];
    assert!(
        page["embeds"][0]["description"]
            .as_str()
            .is_some_and(|list| list.contains("**#1**"))
    );
    assert_eq!(page["components"][0]["components"][1]["disabled"], true);
    let other = stage.moderator();
    let far = format!("warnings:{user}:{asker}:99:on");
    let stranger = InteractionRequest {
        member_permissions: Some("0".to_owned()),
        ..press(asker, &on)
    };
    for (request, expected) in [
        (press(other, &on), "belong to someone else"),
        (press(asker, &far), "no longer exists"),
        (press(asker, "warnings:1:2"), "older version"),
        (press(asker, "warn:1"), "older version"),
        (press(asker, "warning:1"), "older version"),
        (stranger, "Timeout Members"),
    ] {
        let reply = text(&stage.ask(&request).await);
        assert!(reply.contains(expected), "{reply}");
    }
    // The text typed for a case's number.
    let typed = |value: Value, permissions: Option<String>| {
        let case = json!({"name": "case", "type": 4, "value": value, "focused": true});
        let options = json!([{"name": "remove", "type": 1, "options": [case]}]);
        InteractionRequest {
            member_permissions: permissions,
            ..InteractionRequest::autocomplete(stage.guild(), asker, "warning", &options)
        }
    };
    for (request, expected) in [
        (
            typed(json!(""), None),
            vec![12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
        ),
        (typed(json!("1"), None), vec![12, 11, 10, 1]),
        (typed(json!("#12"), None), vec![12]),
        (typed(json!("x"), None), vec![]),
        (typed(json!(""), Some("0".to_owned())), vec![]),
    ] {
        let id = stage.interact(&request);
        let answer = stage
            .control()
            .wait_interaction(id, |answer| answer.callback.is_some(), PATIENCE)
            .await;
        let callback = answer.expect("an answer").callback.expect("choices");
        assert_eq!(callback["type"], 8);
        let choices = callback["data"]["choices"].as_array().expect("choices").clone();
        let numbers: Vec<_> = choices
            .iter()
            .filter_map(|choice| choice["value"].as_i64())
            .collect();
        assert_eq!(numbers, expected);
        assert!(choices.iter().all(|choice| {
            choice["name"]
                .as_str()
                .is_some_and(|name| name.chars().count() <= 100)
        }));
    }
    stage.end().await;
}
