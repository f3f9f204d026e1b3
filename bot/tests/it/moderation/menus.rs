//! The menu of a member: forms that lead to the same warnings, timeouts and bans as the commands.

use discord_simulator::{InteractionRequest, InteractionState, RestFaultKind};
use serde_json::{Value, json};

use super::{ALL, BAN, Stage, TIMEOUT, became, case_is, fault, of_case, stage, text};
use crate::support::PATIENCE;

/// An entry of a user's menu, chosen by a moderator.
fn menu(stage: &Stage, name: &str, user: u64) -> InteractionRequest {
    InteractionRequest {
        member_permissions: Some(ALL.to_string()),
        ..InteractionRequest::user_menu(stage.guild(), stage.moderator(), name, user)
    }
}

/// The form that opens.
pub(super) async fn opened(stage: &Stage, request: &InteractionRequest) -> Value {
    let id = stage.interact(request);
    let answer = stage
        .control()
        .wait_interaction(id, |state| state.callback.is_some(), PATIENCE)
        .await;
    let callback = answer.and_then(|state| state.callback).expect("an answer");
    assert_eq!(callback["type"], 9, "{callback}");
    callback["data"].clone()
}

/// The form, filled in by the member who opened it.
pub(super) fn filled(
    request: &InteractionRequest,
    form: &Value,
    fields: &[(&str, &str)],
) -> InteractionRequest {
    let rows = form["components"].as_array().expect("fields").iter().map(|row| {
        let mut row = row.clone();
        let id = row["component"]["custom_id"].as_str().expect("an ID").to_owned();
        let value = fields.iter().find(|(name, _)| *name == id).map_or("", |it| it.1);
        row["component"]["value"] = value.into();
        row
    });
    let id = form["custom_id"].as_str().expect("an ID");
    InteractionRequest {
        member_permissions: request.member_permissions.clone(),
        message: request.message.clone(),
        ..InteractionRequest::modal(request.guild_id, request.user_id, id, &rows.collect())
    }
}

/// Choose an entry and fill its form in. Returns what was sent, and the first answer.
async fn by_menu(
    stage: &Stage,
    name: &str,
    user: u64,
    fields: &[(&str, &str)],
) -> (InteractionRequest, InteractionState) {
    let request = menu(stage, name, user);
    let form = opened(stage, &request).await;
    let submitted = filled(&request, &form, fields);
    let answer = stage.ask(&submitted).await;
    (submitted, answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_registered_with_names_in_every_language() {
    let stage = stage().await;
    let commands = stage.control().commands(None);
    for (kind, name, german, permission) in [
        (2, "Warn", "Verwarnen", TIMEOUT),
        (2, "Timeout", "Timeout", TIMEOUT),
        (2, "Ban", "Bannen", BAN),
        (2, "History", "Verlauf", TIMEOUT),
        (3, "Purge from here", "Ab hier löschen", 1 << 13),
    ] {
        let entry = commands
            .iter()
            .find(|command| command["type"] == kind && command["name"] == name)
            .unwrap_or_else(|| panic!("{name} is registered"));
        assert_eq!(entry["name_localizations"]["de"], german);
        assert_eq!(entry["default_member_permissions"], permission.to_string());
        assert_eq!(entry["contexts"], json!([0]));
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_lead_to_the_same_cases_as_commands() {
    let stage = stage().await;
    let (guild, control) = (stage.guild(), stage.control());
    let (_, warned) = by_menu(&stage, "Warn", stage.user(30), &[("reason", "rude")]).await;
    assert!(text(&warned).contains("Case **#1**"), "{warned:?}");
    let fields = [("duration", "1h"), ("reason", "spam")];
    let (_, timed_out) = by_menu(&stage, "Timeout", stage.user(31), &fields).await;
    let answer = became(&stage, &timed_out).await;
    assert!(
        answer.contains("**timeout**") && answer.ends_with("✅ Done."),
        "{answer}"
    );
    assert!(control.timeout_of(guild, stage.user(31)).is_some());
    let (_, banned) = by_menu(&stage, "Ban", stage.user(32), &[]).await;
    assert!(became(&stage, &banned).await.ends_with("✅ Done."));
    let (_, banned) = by_menu(&stage, "Ban", stage.user(33), &[("duration", "2d")]).await;
    assert!(became(&stage, &banned).await.contains("**temporary ban**"));
    for user in [32, 33] {
        assert!(control.is_banned(guild, stage.user(user)), "{user}");
    }
    let kinds =
        "SELECT string_agg(kind || ' ' || reason || ' ' || user_name, ',' ORDER BY case_id) FROM mod_case";
    let kinds = stage.text_of(kinds).await;
    let mut words = kinds.split([' ', ',']);
    assert_eq!(
        (words.next(), words.next()),
        (Some("warning"), Some("rude")),
        "{kinds}"
    );
    assert!(
        kinds.contains("timeout spam ") && kinds.contains("tempban "),
        "{kinds}"
    );
    // The warning and the timeout came with a message, as the server's settings say.
    stage.delivered().await;
    assert_eq!(
        (
            stage.sent("You were warned").len(),
            stage.sent("You are in timeout").len()
        ),
        (1, 1)
    );
    let shown = stage.ask(&menu(&stage, "History", stage.user(31))).await;
    let list = shown.reply().expect("a list")["embeds"][0]["description"].to_string();
    assert!(list.contains("#2") && !list.contains("#1"), "{list}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permissions_and_ranks_are_checked_when_a_form_is_opened_and_sent() {
    let stage = stage().await;
    let (user, control) = (stage.user(30), stage.control());
    for (name, needs, words) in [
        ("Warn", TIMEOUT, "Timeout Members"),
        ("Timeout", TIMEOUT, "Timeout Members"),
        ("Ban", BAN, "Ban Members"),
        ("History", TIMEOUT, "Timeout Members"),
    ] {
        let mut request = menu(&stage, name, user);
        request.member_permissions = Some((ALL & !needs).to_string());
        let said = text(&stage.ask(&request).await);
        assert!(said.contains(words), "{name}: {said}");
        if name == "History" {
            continue;
        }
        let request = menu(&stage, name, user);
        let form = opened(&stage, &request).await;
        let mut sent = filled(&request, &form, &[("duration", "1h"), ("reason", "x")]);
        sent.member_permissions = Some((ALL & !needs).to_string());
        let said = text(&stage.ask(&sent).await);
        assert!(said.contains(words), "{name}: {said}");
        // The member has risen since the form was opened.
        let higher = control.create_role(stage.guild(), "higher", 3).expect("a role");
        assert!(control.set_member_roles(stage.guild(), user, &[higher]));
        let sent = filled(&request, &form, &[("duration", "1h"), ("reason", "x")]);
        let said = text(&stage.ask(&sent).await);
        assert!(said.contains("highest role is below yours"), "{name}: {said}");
        assert!(control.set_member_roles(stage.guild(), user, &[]));
    }
    // What was written is checked as well.
    let (_, refused) = by_menu(&stage, "Timeout", user, &[("duration", "soon")]).await;
    assert!(text(&refused).contains("not a valid duration"), "{refused:?}");
    stage.set("require_reason", "on").await;
    let (_, refused) = by_menu(&stage, "Ban", user, &[]).await;
    assert!(text(&refused).contains("requires a reason"), "{refused:?}");
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_is_sent_again_changes_nothing() {
    let mut stage = stage().await;
    stage.control().advance_time(std::time::Duration::from_hours(1));
    let (_, warned) = by_menu(&stage, "Warn", stage.user(30), &[("reason", "rude")]).await;
    let (_, banned) = by_menu(&stage, "Ban", stage.user(31), &[]).await;
    became(&stage, &banned).await;
    stage.delivered().await;
    let resumes = stage.control().stats().resumes;
    stage.restart(resumes).await;
    for id in [warned.id, banned.id] {
        assert!(stage.control().interact_again(id));
        stage.replayed(id).await;
    }
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 2);
    stage.end().await;
}

/// A member who leaves while the form is open is still banned, without a message; one whom Discord does not know is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_who_leave_and_a_discord_that_fails() {
    let stage = stage().await;
    let (guild, user, control) = (stage.guild(), stage.user(30), stage.control());
    let request = menu(&stage, "Ban", user);
    let form = opened(&stage, &request).await;
    assert!(control.set_member_left(guild, user, true));
    let answer = stage.ask(&filled(&request, &form, &[])).await;
    assert!(became(&stage, &answer).await.ends_with("✅ Done."));
    assert!(control.is_banned(guild, user) && stage.sent("You were banned").is_empty());
    case_is(&stage, 1, "message_outcome", "").await;
    assert!(!of_case(&stage, 1, "user_name").await.is_empty());
    for (status, words) in [
        (403, "Discord does not let me"),
        (404, "Discord no longer knows"),
        (502, "Discord is not available"),
    ] {
        let route = "GET /guilds/{id}/members/{id}";
        fault(&stage, route, None, RestFaultKind::Status(status));
        let (_, refused) = by_menu(&stage, "Ban", stage.user(31), &[]).await;
        assert!(text(&refused).contains(words), "{status}: {refused:?}");
        control.clear_faults();
    }
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 1);
    stage.end().await;
}
