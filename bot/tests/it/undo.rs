//! `/undo`: what a command changed is taken back once, by those who could have changed it.

use std::time::Duration;

use discord_simulator::{InteractionRequest, InteractionState};
use serde_json::{Value, json};

use crate::support::{
    PATIENCE,
    moderators::{Stage, member, of_type, text},
    until,
};

const ADMINISTRATOR: u64 = 1 << 3;
const KICK: u64 = 1 << 1;
const MANAGE_SERVER: u64 = 1 << 5;

async fn threshold(stage: &Stage, what: &str, options: Value) {
    let options =
        json!([{"name": "threshold", "type": 2, "options": [{"name": what, "type": 1, "options": options}]}]);
    let answer = text(&stage.asked(stage.moderator(), "warning", options).await);
    assert!(answer.contains("5 points"), "{answer}");
}

async fn add(stage: &Stage, action: &str) {
    let options = json!([of_type(4, "points", 5), of_type(3, "action", action)]);
    threshold(stage, "add", options).await;
}

async fn there(stage: &Stage) -> String {
    stage
        .text_of("SELECT coalesce(string_agg(concat(points, ' ', action), ','), '') FROM warning_threshold")
        .await
}

/// The changes to choose from: their words and values.
async fn choices(stage: &Stage) -> Vec<(String, String)> {
    let options = json!([{"name": "change", "type": 3, "value": "", "focused": true}]);
    let typing = InteractionRequest::autocomplete(stage.guild(), stage.moderator(), "undo", &options);
    let id = stage.interact(&typing);
    let answered = stage
        .control()
        .wait_interaction(id, |state| state.callback.is_some(), PATIENCE)
        .await
        .expect("choices");
    let callback = answered.callback.expect("choices");
    let choices = callback["data"]["choices"].as_array().expect("a list").clone();
    let of = |choice: &Value, key: &str| choice[key].as_str().expect("text").to_owned();
    let choices = choices.iter();
    choices
        .map(|choice| (of(choice, "name"), of(choice, "value")))
        .collect()
}

async fn undo(stage: &Stage, change: &str) -> InteractionState {
    let options = json!([of_type(3, "change", change)]);
    let mut request = InteractionRequest::command(stage.guild(), stage.moderator(), "undo", &options);
    request.member_permissions = Some(ADMINISTRATOR.to_string());
    stage.ask(&request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_taken_back_once() {
    let mut stage = Stage::new().await;
    // Interactions in the future are not too old after a restart, however long that takes.
    stage.control().advance_time(Duration::from_hours(1));
    assert_eq!(choices(&stage).await, []);
    add(&stage, "kick").await;
    add(&stage, "ban").await;
    threshold(&stage, "remove", json!([of_type(4, "points", 5)])).await;
    let listed = choices(&stage).await;
    let [removed, replaced, added] = &listed[..] else {
        panic!("{listed:?}");
    };
    assert!(
        removed.0.starts_with("threshold removed: **5 points**: ban"),
        "{removed:?}"
    );
    assert_eq!(there(&stage).await, "");
    // What was changed since is not undone, and stays in the list.
    let answer = text(&undo(&stage, &replaced.1).await);
    assert!(answer.contains("changed again since"), "{answer}");
    assert_eq!(choices(&stage).await, listed);

    // One by one, the newest first.
    let first = undo(&stage, &removed.1).await;
    assert!(text(&first).contains("Undone: threshold removed"), "{first:?}");
    assert_eq!(there(&stage).await, "5 ban");
    undo(&stage, &replaced.1).await;
    assert_eq!(there(&stage).await, "5 kick");
    undo(&stage, &added.1).await;
    assert_eq!(there(&stage).await, "");
    assert_eq!(choices(&stage).await, []);
    let answer = text(&undo(&stage, &added.1).await);
    assert!(answer.contains("no such change"), "{answer}");
    // A new process that gets an undo again changes nothing.
    let resumes = stage.control().stats().resumes;
    stage.restart(resumes).await;
    let control = stage.control();
    assert!(control.interact_again(first.id));
    until("the replay was carried out, and its answer refused", async || {
        let after = control.interaction(first.id).expect("known");
        (after.refused_callbacks > 0).then_some(())
    })
    .await;
    assert_eq!(there(&stage).await, "");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_taken_back_like_other_changes() {
    let stage = Stage::new().await;
    let chosen = async || {
        stage
            .text_of("SELECT coalesce(string_agg(settings::text, ','), '') FROM guild_section")
            .await
    };
    let set = async |value: &str| {
        let options = json!([
            of_type(3, "setting", "moderation.dm_warn"),
            of_type(3, "value", value)
        ]);
        text(&stage.asked(stage.moderator(), "settings", options).await)
    };
    set("off").await;
    // What changes nothing cannot be undone.
    set("off").await;
    assert_eq!(chosen().await, "{\"dm_warn\": false}");
    let listed = choices(&stage).await;
    let [(words, change)] = &listed[..] else {
        panic!("{listed:?}");
    };
    assert!(
        words.starts_with("settings changed: moderation.dm_warn"),
        "{words}"
    );
    let answer = text(&undo(&stage, change).await);
    assert!(answer.contains("Undone: settings changed"), "{answer}");
    assert!(["", "{}"].contains(&chosen().await.as_str()));
    // That is a change of settings, too.
    let listed = choices(&stage).await;
    let [(words, again)] = &listed[..] else {
        panic!("{listed:?}");
    };
    assert!(again != change && words.contains("moderation.dm_warn"), "{words}");
    undo(&stage, again).await;
    assert_eq!(chosen().await, "{\"dm_warn\": false}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_needs_the_permissions_of_the_command() {
    let stage = Stage::new().await;
    add(&stage, "ban").await;
    let change = choices(&stage).await.remove(0).1;
    for (permissions, missing) in [
        (0, "Manage Server"),
        (MANAGE_SERVER, "Kick Members"),
        (MANAGE_SERVER | KICK, "Ban Members"),
    ] {
        let options = json!([of_type(3, "change", change.as_str())]);
        let mut request = InteractionRequest::command(stage.guild(), stage.moderator(), "undo", &options);
        request.member_permissions = Some(permissions.to_string());
        let refused = text(&stage.ask(&request).await);
        assert!(refused.contains(missing), "{refused}");
    }
    for unknown in ["", "x", "1", "99999999999999999"] {
        let refused = text(&undo(&stage, unknown).await);
        assert!(refused.contains("no such change"), "{unknown}: {refused}");
    }
    assert_eq!(there(&stage).await, "5 ban");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xp_is_taken_back_like_other_changes() {
    let stage = Stage::new().await;
    let user = stage.user(30);
    let xp = async || {
        let sql = format!("SELECT coalesce(sum(xp), 0)::int8 FROM member_xp WHERE user_id = {user}");
        stage.number(&sql).await
    };
    for (path, amount) in [("give", 50), ("take", 20)] {
        let options =
            json!([{"name": path, "type": 1, "options": [of_type(4, "amount", amount), member(user)]}]);
        text(&stage.asked(stage.moderator(), "xp", options).await);
    }
    assert_eq!(xp().await, 30);
    let listed = choices(&stage).await;
    let [taken, given] = &listed[..] else {
        panic!("{listed:?}");
    };
    assert!(taken.0.starts_with("−20 XP · @"), "{taken:?}");
    assert!(given.0.starts_with("+50 XP · @"), "{given:?}");
    undo(&stage, &given.1).await;
    until("the XP is taken back", async || (xp().await == 0).then_some(())).await;
    // The undo can be undone, but what is undone cannot be undone again.
    until("the undo is listed", async || {
        let listed = choices(&stage).await;
        let words: Vec<&str> = listed.iter().map(|(words, _)| words.as_str()).collect();
        (words.len() == 2 && words[0].starts_with("undo · one member")).then_some(())
    })
    .await;
    stage.end().await;
}
