//! `/case evidence`: files are uploaded once more into the log channel, and the case knows the message.

use std::time::Duration;

use discord_simulator::{InteractionRequest, InteractionState, RestFault, RestFaultKind, SentFile};
use serde_json::json;

use super::{ALL, Stage, command, fault, lasting, of_type, settled, stage, text, until};

const ATTACH: u64 = 1 << 15;
const POST: &str = "POST /channels/{id}/messages";

fn file(name: &str, content_type: &str, size: usize) -> SentFile {
    SentFile {
        name: name.to_owned(),
        content_type: content_type.to_owned(),
        content: vec![7; size],
    }
}

fn request(stage: &Stage, case: i64, file: SentFile) -> InteractionRequest {
    let id = stage.control().upload(file).to_string();
    let options = json!([of_type(4, "case", case), of_type(11, "file", id)]);
    let options = json!([{"name": "evidence", "type": 1, "options": options}]);
    InteractionRequest {
        member_permissions: Some(ALL.to_string()),
        ..InteractionRequest::command(stage.guild(), stage.moderator(), "case", &options)
    }
}

async fn given(stage: &Stage, case: i64, file: SentFile) -> InteractionState {
    stage.ask(&request(stage, case, file)).await
}

/// A server with a log channel and a case.
async fn with_case() -> (Stage, u64) {
    let stage = stage().await;
    let may = ALL | ATTACH;
    assert!(stage.control().set_bot_permissions(stage.guild(), may));
    let log = stage.log_to(0).await;
    settled(&stage, "ban", stage.user(30), json!([])).await;
    stage.delivered().await;
    (stage, log)
}

async fn note(stage: &Stage) -> String {
    stage
        .text_of("SELECT coalesce(string_agg(note, ';'), '') FROM case_note")
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_kept_in_the_log_channel_and_the_case_links_to_it() {
    let (stage, log) = with_case().await;
    let said = text(&given(&stage, 1, file("proof 1.png", "image/png", 3_000)).await);
    assert!(said.contains("is being kept with case **#1**"), "{said}");
    stage.delivered().await;
    let kept = stage.control().sent_files().pop().expect("a file");
    assert_eq!((kept.name.as_str(), kept.content.len()), ("proof_1.png", 3_000));
    let messages = stage.control().bot_messages();
    let message = messages
        .iter()
        .find(|message| message["attachments"][0].is_object())
        .expect("a message with the file");
    assert_eq!(message["channel_id"], log.to_string());
    assert_eq!(message["attachments"][0]["filename"], "proof_1.png");
    let link = format!(
        "📎 proof_1.png: https://discord.com/channels/{}/{log}/{}",
        stage.guild(),
        message["id"].as_str().expect("an ID")
    );
    assert_eq!(note(&stage).await, link);
    // The entry about the case says that it has a note.
    stage.logged(log, "One note").await;
    stage.end().await;
}

/// An answer of Discord that is lost, and a process that is gone between the upload and the note: one message, one note.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_uploaded_once_whatever_breaks() {
    let mut stage = Stage::with(|config| config.effects.lease = Duration::from_secs(5)).await;
    assert!(stage.control().set_bot_permissions(stage.guild(), ALL | ATTACH));
    stage.control().advance_time(Duration::from_hours(1));
    stage.log_to(0).await;
    settled(&stage, "ban", stage.user(30), json!([])).await;
    stage.delivered().await;
    fault(&stage, POST, Some(1), RestFaultKind::StatusAfter(502));
    given(&stage, 1, file("a.png", "image/png", 10)).await;
    stage.delivered().await;
    let control = stage.control();
    let uploaded = |stage: &Stage| {
        let messages = stage.control().bot_messages();
        messages
            .iter()
            .filter(|message| message["attachments"][0].is_object())
            .count()
    };
    assert_eq!(uploaded(&stage), 1);
    control.add_fault(RestFault {
        route: POST.to_owned(),
        count: Some(1),
        delay_ms: 0,
        kind: RestFaultKind::Silence,
    });
    let asked = given(&stage, 1, file("b.txt", "text/plain; charset=utf-8", 10)).await;
    until("it is uploaded", async || (uploaded(&stage) == 2).then_some(())).await;
    let resumes = control.stats().resumes;
    stage.restart(resumes).await;
    assert!(control.interact_again(asked.id));
    stage.replayed(asked.id).await;
    until("both are noted", async || {
        (stage.number("SELECT count(*) FROM case_note").await == 2).then_some(())
    })
    .await;
    stage.delivered().await;
    assert_eq!(uploaded(&stage), 2);
    assert_eq!(stage.number("SELECT count(*) FROM case_note").await, 2);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_not_kept() {
    let (stage, log) = with_case().await;
    for (case, file, words) in [
        (1, file("a.png", "image/png", (8 << 20) + 1), "more than 8 MB"),
        (1, file("a.exe", "application/x-msdownload", 10), "Only pictures"),
        (7, file("a.png", "image/png", 10), "There is no case **#7**"),
    ] {
        let said = text(&given(&stage, case, file).await);
        assert!(said.contains(words), "{said}");
    }
    let mut lacking = request(&stage, 1, file("a.png", "image/png", 10));
    lacking.member_permissions = Some("0".to_owned());
    assert!(text(&stage.ask(&lacking).await).contains("Timeout Members"));
    stage.delivered().await;
    assert!(stage.control().sent_files().is_empty());

    // The bot may not upload files there: staff learn why.
    assert!(stage.control().deny_in_channel(log, ATTACH));
    given(&stage, 1, file("a.png", "image/png", 10)).await;
    let entry = stage.logged(log, "could not be kept").await;
    assert!(entry.contains("case #1"), "{entry}");
    stage.delivered().await;
    assert!(stage.control().remove_overwrite(log, stage.guild()));

    // Its link has expired when it is delivered.
    let asked = request(&stage, 1, file("b.png", "image/png", 10));
    stage.control().expire_uploads();
    let said = text(&stage.ask(&asked).await);
    assert!(
        said.contains("is not valid"),
        "Discord resolves nothing then: {said}"
    );
    fault(&stage, POST, Some(1), RestFaultKind::Status(502));
    given(&stage, 1, file("c.png", "image/png", 10)).await;
    until("the first attempt has failed", async || {
        let calls = stage.control().rest_calls(POST);
        calls.iter().any(|call| call.status == 502).then_some(())
    })
    .await;
    stage.control().expire_uploads();
    stage.logged(log, "Discord no longer has it").await;
    stage.delivered().await;
    assert_eq!(note(&stage).await, "");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_a_log_channel_keeps_no_file() {
    let stage = stage().await;
    settled(&stage, "ban", stage.user(30), json!([])).await;
    let said = text(&given(&stage, 1, file("a.png", "image/png", 10)).await);
    assert!(said.contains("has no log channel"), "{said}");
    stage.end().await;
}

/// The same as an option of the commands that make a case.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_is_made_with_its_file() {
    let stage = stage().await;
    assert!(stage.control().set_bot_permissions(stage.guild(), ALL | ATTACH));
    let (user, png) = (stage.user(30), "image/png");
    let option = |name: &str| {
        let id = stage.control().upload(file(name, png, 100));
        of_type(11, "evidence", id.to_string())
    };
    let warning = || {
        json!([
            of_type(6, "member", user.to_string()),
            of_type(3, "reason", "x"),
            option("warn.png")
        ])
    };
    // Without a place for the file, nothing is done.
    let ban = command(&stage, "ban", user, &json!([option("ban.png")]));
    let asked = [
        stage.ask(&ban).await,
        stage.asked(stage.moderator(), "warn", warning()).await,
    ];
    for said in asked.iter().map(text) {
        assert!(said.contains("has no log channel"), "{said}");
    }
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 0);
    assert!(!stage.control().is_banned(stage.guild(), user));

    stage.log_to(0).await;
    for (rank, (name, more)) in (31..).zip([
        ("ban", json!([])),
        ("tempban", lasting("1d")),
        ("softban", json!([])),
        ("kick", json!([])),
        ("timeout", lasting("1h")),
    ]) {
        let mut options = more.as_array().cloned().unwrap_or_default();
        options.push(option(&format!("{name}.png")));
        settled(&stage, name, stage.user(rank), options.into()).await;
    }
    // A warning that is confirmed keeps the file of the question.
    stage.set("confirm_warnings", "1").await;
    stage.warn(user, json!([])).await;
    let asked = stage.asked(stage.moderator(), "warn", warning()).await;
    let question = asked.reply().expect("a question").clone();
    let id = question["components"][0]["components"][0]["custom_id"].as_str();
    let press = InteractionRequest::component(
        stage.guild(),
        stage.moderator(),
        id.expect("a button"),
        &[],
        question.clone(),
    );
    let said = text(&stage.ask(&press).await);
    assert!(said.contains("Case **#7**"), "{said}");
    until("each case has its file", async || {
        let notes = "SELECT coalesce(string_agg(case_id || ' ' || split_part(note, ':', 1), ',' ORDER BY case_id), '') FROM case_note";
        let expected = "1 📎 ban.png,2 📎 tempban.png,3 📎 softban.png,4 📎 kick.png,5 📎 timeout.png,7 📎 warn.png";
        (stage.text_of(notes).await == expected).then_some(())
    })
    .await;
    assert_eq!(stage.control().sent_files().len(), 6);
    stage.end().await;
}
