//! The entry of the log channel about a case shows the case as it is, and what failed is shown to staff.

use discord_simulator::{InteractionRequest, LimitScope, RestFaultKind};
use serde_json::{Value, json};

use super::{ALL, Stage, accepted, case_is, fault, lasting, of_type, order, reason, settled, stage, until};

const PATCH: &str = "PATCH /channels/{id}/messages/{id}";
const POST: &str = "POST /channels/{id}/messages";
const PUT: &str = "PUT /guilds/{id}/bans/{id}";

async fn ask(stage: &Stage, command: &str, sub: &str, options: Value) -> Value {
    let options = json!([{"name": sub, "type": 1, "options": options}]);
    let request = InteractionRequest {
        member_permissions: Some(ALL.to_string()),
        ..InteractionRequest::command(stage.guild(), stage.moderator(), command, &options)
    };
    stage.ask(&request).await.reply().cloned().expect("a reply")
}

async fn change(stage: &Stage, sub: &str, case: i64, more: Value) {
    let mut options = vec![of_type(4, "case", case)];
    options.extend(more.as_array().into_iter().flatten().cloned());
    ask(stage, "case", sub, options.into()).await;
}

/// The entry about a case, as it is in the channel.
fn entry(stage: &Stage, log: u64, case: i64) -> Option<String> {
    let words = [format!("Case **#{case}**"), format!("**Case #{case}**")];
    let starts = ["🛡️", "⚠️", "🗑️ Case", "🔨"];
    stage.in_channel(log).into_iter().find(|text| {
        starts.iter().any(|start| text.starts_with(start)) && words.iter().any(|words| text.contains(words))
    })
}

/// Wait until the entry about a case has these words.
async fn says(stage: &Stage, log: u64, case: i64, words: &str) -> String {
    until(words, async || {
        entry(stage, log, case).filter(|text| text.contains(words))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_changes_with_its_case() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let user = stage.user(30);
    settled(&stage, "tempban", user, lasting("7d")).await;
    stage.delivered().await;
    let first = says(&stage, log, 1, "until <t:").await;
    assert_eq!(accepted(&stage, PATCH), 0, "nothing has changed");
    change(&stage, "edit", 1, reason("Raid")).await;
    let text = says(&stage, log, 1, "> Raid").await;
    assert!(
        text.contains("**temporary ban** of") && text.contains("Moderator: <@"),
        "{text}"
    );
    change(&stage, "edit", 1, lasting("30d")).await;
    until("the new end is shown", async || {
        let text = entry(&stage, log, 1)?;
        (text.lines().next() != first.lines().next()).then_some(())
    })
    .await;
    change(&stage, "note", 1, json!([of_type(3, "note", "Seen")])).await;
    says(&stage, log, 1, "One note").await;
    change(&stage, "hide", 1, json!([])).await;
    says(&stage, log, 1, "Hidden from lists").await;
    change(&stage, "hide", 1, json!([of_type(5, "hidden", false)])).await;
    until("it is not hidden", async || {
        (!entry(&stage, log, 1)?.contains("Hidden")).then_some(())
    })
    .await;
    settled(&stage, "unban", user, json!([])).await;
    says(&stage, log, 1, "A newer case has replaced this one").await;
    stage.delivered().await;
    assert_eq!(accepted(&stage, PATCH), 6, "each change once");
    for call in stage.control().rest_calls(PATCH) {
        assert_eq!(call.body["allowed_mentions"]["parse"], json!([]), "pings nobody");
    }

    // What is deleted is gone from the entry too.
    let asker = stage.moderator();
    let options = json!([{"name": "delete", "type": 1, "options": [of_type(4, "case", 1)]}]);
    let question = stage.asked(asker, "case", options).await;
    let message = question.reply().cloned().unwrap_or_default();
    let button = message["components"][0]["components"][0]["custom_id"]
        .as_str()
        .expect("a button");
    let request = InteractionRequest::component(stage.guild(), asker, button, &[], message.clone());
    stage.ask(&request).await;
    let text = says(&stage, log, 1, "was deleted").await;
    assert_eq!(text, "🗑️ Case **#1** was deleted.");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_about_a_warning_changes_with_it() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    stage.warn(stage.user(30), json!([])).await;
    let first = says(&stage, log, 1, "was warned by").await;
    let edit = json!([of_type(4, "case", 1), of_type(4, "points", 7)]);
    ask(&stage, "warning", "edit", edit).await;
    let text = says(&stage, log, 1, "7 points").await;
    assert_eq!(text.lines().last(), first.lines().last(), "what it led to stays");
    let remove = json!([of_type(4, "case", 1), of_type(3, "reason", "A mistake")]);
    ask(&stage, "warning", "remove", remove).await;
    let text = says(&stage, log, 1, "Removed <t:").await;
    assert!(text.ends_with("> A mistake"), "{text}");
    stage.end().await;
}

/// What became of an action that failed, and what Discord does not take at first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_says_what_became_of_the_action() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    fault(&stage, PUT, Some(1), RestFaultKind::Status(403));
    let limited = RestFaultKind::RateLimit {
        scope: LimitScope::User,
        retry_after: 0.5,
    };
    for kind in [
        limited,
        RestFaultKind::Status(502),
        RestFaultKind::StatusAfter(502),
    ] {
        fault(&stage, PATCH, Some(1), kind);
    }
    settled(&stage, "ban", stage.user(30), json!([])).await;
    says(&stage, log, 1, "It was not carried out: Discord refused it.").await;
    // A bot that may not write there any more does not try for ever.
    fault(&stage, PATCH, Some(1), RestFaultKind::Status(403));
    change(&stage, "hide", 1, json!([])).await;
    stage.delivered().await;
    let failed = "SELECT count(*) FROM outbox WHERE kind = 'mod_case_log_edit' AND failed_at IS NOT NULL";
    assert_eq!(stage.number(failed).await, 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_is_gone_is_not_written_again() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    settled(&stage, "ban", stage.user(30), json!([])).await;
    stage.delivered().await;
    let written = stage.in_channel(log).len();
    // As if staff had deleted it.
    stage
        .execute("UPDATE mod_case SET log_message_id = 100000000000000000")
        .await;
    change(&stage, "hide", 1, json!([])).await;
    stage.delivered().await;
    assert_eq!(stage.control().rest_calls(PATCH).len(), 1);
    assert_eq!(stage.in_channel(log).len(), written + 1, "that it was hidden");
    assert_eq!(stage.number("SELECT count(*) FROM outbox").await, 0);
    stage.end().await;
}

/// A case that changes, or is deleted, before its entry is written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_changes_before_its_entry_is_written() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let (user, other) = (stage.user(30), stage.user(31));
    fault(&stage, POST, None, RestFaultKind::Status(502));
    for user in [user, other] {
        settled(&stage, "ban", user, json!([of_type(5, "dm", false)])).await;
    }
    change(&stage, "edit", 1, reason("Raid")).await;
    stage.execute("DELETE FROM mod_case WHERE case_id = 2").await;
    assert!(entry(&stage, log, 1).is_none());
    stage.control().clear_faults();
    says(&stage, log, 1, "> Raid").await;
    stage.delivered().await;
    assert_eq!(accepted(&stage, PATCH), 1);
    assert!(entry(&stage, log, 2).is_none());
    stage.end().await;
}

/// Staff see what is tried again, since when and why, and what failed for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_shown_with_its_reason() {
    let stage = stage().await;
    let view = async |case: i64| {
        let reply = ask(&stage, "case", "view", json!([of_type(4, "case", case)])).await;
        reply["embeds"][0]["description"]
            .as_str()
            .expect("a case")
            .to_owned()
    };
    let listed = async |options: Value| {
        let reply = ask(&stage, "scheduled", "list", options).await;
        reply["content"].as_str().expect("a list").to_owned()
    };
    fault(&stage, PUT, None, RestFaultKind::Status(502));
    order(&stage, "ban", stage.user(30), json!([])).await;
    case_is(&stage, 1, "outcome", "retried").await;
    until("the attempt is noted", async || {
        let noted = stage
            .number("SELECT count(*) FROM outbox WHERE failure IS NOT NULL")
            .await;
        (noted > 0).then_some(())
    })
    .await;
    for shown in [view(1).await, listed(json!([])).await] {
        assert!(
            shown.contains("since <t:") && shown.contains("failed attempt"),
            "{shown}"
        );
        assert!(
            shown.contains("Discord is not available at the moment"),
            "{shown}"
        );
    }
    let list = listed(json!([])).await;
    assert!(
        list.contains("**Tried again**") && list.contains("the action of case #1 on <@"),
        "{list}"
    );
    stage.control().clear_faults();
    case_is(&stage, 1, "outcome", "done").await;
    stage.delivered().await;
    let shown = view(1).await;
    assert!(!shown.contains("failed attempt"), "{shown}");
    assert!(listed(json!([])).await.contains("Nothing is scheduled"));

    fault(&stage, PUT, Some(1), RestFaultKind::Status(403));
    settled(&stage, "ban", stage.user(31), json!([])).await;
    let shown = view(2).await;
    assert!(
        shown.contains("It was not carried out: Discord refused it."),
        "{shown}"
    );
    let failed = listed(json!([of_type(5, "failed", true)])).await;
    assert!(failed.contains("the action of case #2 on <@"), "{failed}");
    assert!(failed.contains("Failed: Discord refused it."), "{failed}");
    stage.end().await;
}
