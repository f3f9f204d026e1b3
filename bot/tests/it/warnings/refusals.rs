//! Warnings and changes of cases that are refused.

use discord_simulator::InteractionRequest;
use serde_json::{Value, json};

use crate::support::moderators::{Stage, member, of_type, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_do_what() {
    let stage = Stage::new().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    let reason = || of_type(3, "reason", "x");
    let warn = |who: u64| json!([member(who), reason()]);
    let may = |permissions: u64, asker: u64, name: &str, options: Value| InteractionRequest {
        member_permissions: Some(permissions.to_string()),
        ..InteractionRequest::command(guild, asker, name, &options)
    };
    let sub = |name: &str, options: Value| json!([{"name": name, "type": 1, "options": options}]);
    let threshold = |name: &str, options: Value| json!([{"name": "threshold", "type": 2, "options": [{"name": name, "type": 1, "options": options}]}]);
    let case = || of_type(4, "case", 1);
    let moderate = 1 << 40;
    for (permissions, name, options, lacks) in [
        (0, "warn", warn(user), "Timeout Members"),
        (1 << 5, "warn", warn(user), "Timeout Members"),
        (0, "warnings", json!([member(user)]), "Timeout Members"),
        (0, "warning", sub("remove", json!([case()])), "Timeout Members"),
        (
            0,
            "warning",
            sub("edit", json!([case(), reason()])),
            "Timeout Members",
        ),
        (
            moderate,
            "warning",
            threshold(
                "add",
                json!([of_type(4, "points", 3), of_type(3, "action", "kick")]),
            ),
            "Manage Server",
        ),
        (
            moderate,
            "warning",
            threshold("remove", json!([of_type(4, "points", 3)])),
            "Manage Server",
        ),
        (moderate, "warning", threshold("list", json!([])), "Manage Server"),
    ] {
        let asker = stage.moderator();
        let answer = stage.ask(&may(permissions, asker, name, options)).await;
        let reply = text(&answer);
        assert!(reply.contains(lacks), "{name}: {reply}");
        assert_eq!(answer.callback.expect("an answer")["data"]["flags"], 64);
    }
    // The hierarchy, with all of Discord's permissions.
    let control = stage.discord.control();
    let owner = stage.user(0);
    let bot = stage.discord.world().bot_id();
    let higher = control.create_role(guild, "higher", 3).expect("a role");
    let (above, beside, left) = (stage.user(31), stage.user(32), stage.user(33));
    assert!(control.set_member_roles(guild, above, &[higher]));
    assert!(control.set_member_roles(guild, beside, &[stage.role]));
    assert!(control.set_member_roles(guild, left, &[higher]) && control.set_member_left(guild, left, true));
    let moderator = stage.moderator();
    for (whom, expected) in [
        (moderator, "cannot warn yourself"),
        (bot, "I cannot be warned"),
        (owner, "owner of the server cannot"),
        (above, "highest role is below yours"),
        (beside, "highest role is below yours"),
    ] {
        let reply = text(&stage.asked(moderator, "warn", warn(whom)).await);
        assert!(reply.contains(expected), "{reply}");
    }
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 0);
    for (asker, whom) in [(owner, above), (stage.moderator(), left)] {
        let reply = text(&stage.asked(asker, "warn", warn(whom)).await);
        assert!(reply.contains("was warned"), "{reply}");
    }
    // A moderator cannot remove a warning about themselves, but the owner can.
    let warned = stage.user(7);
    assert!(control.set_member_roles(guild, warned, &[stage.role]));
    assert!(text(&stage.asked(owner, "warn", warn(warned)).await).contains("#3"));
    let case = || sub("remove", json!([of_type(4, "case", 3)]));
    let reply = text(&stage.asked(warned, "warning", case()).await);
    assert!(reply.contains("about you"), "{reply}");
    assert_eq!(stage.counts(warned).await, (1, 1));
    let reply = text(&stage.asked(owner, "warning", case()).await);
    assert!(reply.contains("was removed"), "{reply}");
    stage.end().await;
}

/// Each of these is answered with these words, and changes nothing.
async fn refused(stage: &Stage, name: &str, all: Vec<(Value, &str)>) {
    for (options, expected) in all {
        let asker = stage.moderator();
        let reply = text(&stage.asked(asker, name, options.clone()).await);
        assert!(reply.contains(expected), "{options}: {reply}");
    }
    assert_eq!(stage.number("SELECT count(*) FROM request").await, 0);
}

const FROM_THE_LIST: &str = "choose one from the list";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_of_a_warning_that_cannot_be_used() {
    let stage = Stage::new().await;
    let user = stage.user(30);
    let reason = || of_type(3, "reason", "x");
    let with = |option: Value| json!([member(user), reason(), option]);
    let because = |reason: &str| json!([member(user), of_type(3, "reason", reason)]);
    let unknown = json!([of_type(6, "member", "4"), reason()]);
    let all = vec![
        (
            with(of_type(3, "expires", "**soon**")),
            "\\*\\*soon\\*\\*** is not a time",
        ),
        (
            with(of_type(3, "expires", "100y")),
            "between one second and ten years",
        ),
        (with(of_type(4, "expires", 7)), FROM_THE_LIST),
        (with(of_type(4, "points", 101)), "from 0 to 100"),
        (with(of_type(4, "points", -1)), "from 0 to 100"),
        (with(of_type(3, "points", "1")), FROM_THE_LIST),
        (with(of_type(3, "severity", "deadly")), FROM_THE_LIST),
        (with(of_type(3, "dm", "yes")), FROM_THE_LIST),
        (json!([member(user)]), FROM_THE_LIST),
        (json!([reason()]), FROM_THE_LIST),
        (unknown, FROM_THE_LIST),
        (because(&"x".repeat(1_001)), "1 to 1,000 characters"),
        (because("  "), "1 to 1,000 characters"),
    ];
    refused(&stage, "warn", all).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_of_changes_that_cannot_be_used() {
    let stage = Stage::new().await;
    let reason = || of_type(3, "reason", "x");
    let edit = |options: Value| json!([{"name": "edit", "type": 1, "options": options}]);
    let add = |options: Value| {
        let add = json!({"name": "add", "type": 1, "options": options});
        json!([{"name": "threshold", "type": 2, "options": [add]}])
    };
    let points = || of_type(4, "points", 3);
    let action = |action: &str| of_type(3, "action", action);
    let lasting = |of: &str, span: &str| {
        let duration = of_type(3, "duration", span);
        add(json!([points(), action(of), duration]))
    };
    let none = of_type(4, "points", 0);
    let window = of_type(4, "window", 0);
    let all = vec![
        (json!([]), "older version"),
        (edit(json!([of_type(4, "case", 1)])), "Choose what to change"),
        (edit(json!([of_type(4, "case", 77), reason()])), "no case **#77**"),
        (edit(json!([of_type(3, "case", "1"), reason()])), FROM_THE_LIST),
        (add(json!([points(), action("timeout")])), "needs a duration"),
        (lasting("timeout", "29d"), "and 28 days"),
        (lasting("timeout", "30 seconds"), "between one minute"),
        (
            lasting("timeout", "a while"),
            "**a while** is not a valid duration",
        ),
        (lasting("ban", "1d"), "Only a timeout"),
        (add(json!([points(), action("sing")])), FROM_THE_LIST),
        (add(json!([none, action("kick")])), FROM_THE_LIST),
        (add(json!([points(), action("kick"), window])), FROM_THE_LIST),
    ];
    refused(&stage, "warning", all).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_of_another_server_is_none_here() {
    let stage = Stage::new().await;
    let elsewhere = stage.discord.world().guilds()[1].id();
    let of = |rank: u32| stage.discord.world().member_id(elsewhere, rank);
    let (owner, somebody) = (of(0).expect("an owner"), of(1).expect("a member"));
    let options = json!([member(somebody), of_type(3, "reason", "x")]);
    let request = InteractionRequest::command(elsewhere, owner, "warn", &options);
    assert!(text(&stage.ask(&request).await).contains("#1"));
    let options = json!([{"name": "remove", "type": 1, "options": [of_type(4, "case", 1)]}]);
    let reply = text(&stage.asked(stage.moderator(), "warning", options).await);
    assert!(reply.contains("no case **#1**"), "{reply}");
    let held = "SELECT count(*) FROM mod_case WHERE removed_at IS NULL";
    assert_eq!(stage.number(held).await, 1);
    stage.end().await;
}
