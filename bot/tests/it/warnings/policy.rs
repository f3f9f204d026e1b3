//! What a server decided about its moderators, as `/warn` keeps to it.

use discord_simulator::InteractionRequest;
use serde_json::json;

use crate::support::moderators::{Stage, member, of_type, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_with_a_protected_role_are_not_warned() {
    let stage = Stage::new().await;
    let (guild, control) = (stage.guild(), stage.control());
    let role = control.create_role(guild, "protected", 1).expect("a role");
    let (protected, other) = (stage.user(30), stage.user(31));
    assert!(control.set_member_roles(guild, protected, &[role]));
    let warned = stage.warn(protected, json!([])).await;
    assert!(warned.contains("Case **#1**"), "{warned}");
    stage.set("protected_roles", &role.to_string()).await;
    let refused = stage.warn(protected, json!([])).await;
    assert!(refused.contains("protected role"), "{refused}");
    let warned = stage.warn(other, json!([])).await;
    assert!(warned.contains("Case **#2**"), "{warned}");
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 2);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn direct_messages_are_the_servers_choice_and_then_the_moderators() {
    let stage = Stage::new().await;
    stage.set("dm_warn", "off").await;
    stage.warn(stage.user(30), json!([])).await;
    stage.delivered().await;
    assert_eq!(stage.sent("You were warned in **").len(), 0);
    let options = json!([
        member(stage.user(31)),
        of_type(3, "reason", "x"),
        of_type(5, "dm", true)
    ]);
    text(&stage.asked(stage.moderator(), "warn", options).await);
    stage.delivered().await;
    assert_eq!(stage.sent("You were warned in **").len(), 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_words_are_in_the_message_and_warnings_have_a_log_of_their_own() {
    let stage = Stage::new().await;
    let (log, user) = (stage.log_to(0).await, stage.user(30));
    let own = stage.discord.world().guilds()[0].channels()[1].id;
    stage.set("warn_message", "{user}, case {case}: {reason}").await;
    stage.set("appeal", "Appeal at https://a.example/").await;
    stage.set("log_warnings", &own.to_string()).await;
    stage.warn(user, json!([])).await;
    stage.delivered().await;
    let words = format!("<@{user}>, case 1: x\nAppeal at https://a.example/");
    assert_eq!(stage.sent("Appeal at"), [words]);
    stage.logged(own, "was warned by").await;
    // Whatever the command that changes it.
    for (command, name, option) in [
        ("case", "note", of_type(3, "note", "seen")),
        ("warning", "edit", of_type(4, "points", 7)),
    ] {
        let options = json!([{"name": name, "type": 1, "options": [of_type(4, "case", 1), option]}]);
        stage.asked(stage.moderator(), command, options).await;
        stage
            .logged(own, if command == "case" { "seen" } else { "7 points" })
            .await;
    }
    stage.delivered().await;
    assert!(stage.in_channel(log).is_empty(), "{:?}", stage.in_channel(log));
    // A template that is none is not taken.
    let options = json!([
        of_type(3, "setting", "moderation.appeal"),
        of_type(3, "value", "{level}")
    ]);
    let refused = text(&stage.asked(stage.moderator(), "settings", options).await);
    assert!(refused.contains("there is no placeholder {level}"), "{refused}");
    stage.end().await;
}

/// The question keeps what was asked for, and who confirms is checked like who asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_with_many_warnings_is_warned_after_a_question() {
    let stage = Stage::new().await;
    let user = stage.user(30);
    stage.set("confirm_warnings", "1").await;
    stage.warn(user, json!([])).await;
    let options = json!([
        member(user),
        of_type(3, "reason", "Again, in\n*lines*"),
        of_type(3, "severity", "high"),
        of_type(4, "points", 7),
        of_type(3, "expires", "never"),
    ]);
    let asked = stage.asked(stage.moderator(), "warn", options).await;
    let question = asked.reply().expect("a question").clone();
    assert!(
        question["content"]
            .as_str()
            .expect("text")
            .contains("one active warning"),
        "{question}"
    );
    assert_eq!(stage.counts(user).await, (1, 1));
    let id = question["components"][0]["components"][0]["custom_id"]
        .as_str()
        .expect("a button");
    let press = |who: u64, permissions: Option<&str>| InteractionRequest {
        member_permissions: permissions.map(str::to_owned),
        ..InteractionRequest::component(stage.guild(), who, id, &[], question.clone())
    };
    let refused = text(&stage.ask(&press(stage.user(31), Some("0"))).await);
    assert!(refused.contains("You need the **"), "{refused}");
    let confirmed = stage.ask(&press(stage.moderator(), None)).await;
    let said = text(&confirmed);
    assert!(
        said.contains("Case **#2**") && said.contains("(high, 7 points, never expires)"),
        "{said}"
    );
    assert_eq!(stage.counts(user).await, (2, 8));
    let reason = stage
        .text_of("SELECT reason FROM mod_case WHERE case_id = 2")
        .await;
    assert_eq!(reason, "Again, in\n*lines*");
    stage.end().await;
}
