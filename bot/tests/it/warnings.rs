//! Warnings: moderators' commands, and the effects on Discord.

mod case_commands;
mod moderators;
mod policy;
mod thresholds;

use std::time::Duration;

use discord_simulator::InteractionRequest;
use eventide::{
    discord::guilds::authority::Sanctions,
    features::moderation::{
        Act, Severity,
        cases::{self, Names, NewWarning},
        duration::Expiry,
    },
    postgres::embedded::StopMode,
    settings::Settings,
    support::i18n::Language,
};
use futures_util::future::join_all;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use twilight_model::id::Id;

use self::stage::{Stage, member, of_type, text};
use crate::support::{PATIENCE, gone, moderators as stage, until};

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

/// A process that dies with the answer sent and nothing flushed: the next one gets the question again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_warning_warns_once() {
    let mut stage = Stage::new().await;
    // Interactions in the future are not too old after a restart, however long that takes.
    stage.control().advance_time(Duration::from_hours(1));
    let user = stage.user(30);
    let options = json!([member(user), of_type(3, "reason", "x")]);
    let answer = stage.asked(stage.moderator(), "warn", options).await;
    assert!(text(&answer).contains("#1"));
    let control = stage.discord.control();
    let resumes = control.stats().resumes;
    stage.restart(resumes).await;
    assert!(control.interact_again(answer.id));
    until("the replay was carried out, and its answer refused", async || {
        let after = control.interaction(answer.id).expect("known");
        (after.refused_callbacks > 0).then_some(())
    })
    .await;
    assert_eq!(stage.counts(user).await, (1, 1));
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 1);
    assert_eq!(stage.number("SELECT last_case FROM mod_guild").await, 1);
    let next = stage.warn(user, json!([])).await;
    assert!(next.contains("#2"), "{next}");
    stage.end().await;
}

/// The same interaction many times at once, in several processes: one case, and the same reply each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interaction_that_is_carried_out_by_many_at_once() {
    let stage = Stage::new().await;
    let store = stage.scene.store();
    let settings = Settings::new(&stage.config.levels);
    let act = Act {
        guild_id: Id::new(stage.guild()),
        interaction_id: Id::new(1_400_000_000_000_000_000),
        moderator_id: Id::new(stage.user(1)),
        is_form: false,
    };
    let new = NewWarning {
        user_id: Id::new(stage.user(30)),
        names: Names::default(),
        reason: "x".to_owned(),
        severity: Severity::High,
        points: 3,
        expiry: Expiry::Never,
        direct: true,
        sanctions: Sanctions::none(),
        report_id: None,
    };
    let all =
        join_all((0..8).map(|_| cases::warn(&store, &settings, (act, Language::English), new.clone()))).await;
    let all: Vec<_> = all
        .into_iter()
        .map(|warned| warned.expect("stored").expect("allowed"))
        .collect();
    assert!(all.iter().all(|warned| *warned == all[0]), "{all:?}");
    assert_eq!((all[0].case_id, all[0].counting_points), (1, 3));
    assert_eq!(stage.counts(stage.user(30)).await, (1, 3));
    stage.delivered().await;
    assert_eq!(stage.sent("You were warned in **").len(), 1);
    store.close();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_warnings_at_once() {
    let stage = Stage::new().await;
    let user = stage.user(30);
    let control = stage.discord.control();
    let options = json!([member(user), of_type(3, "reason", "x"), of_type(5, "dm", false)]);
    let mut ids = Vec::new();
    for _ in 0..50 {
        let request = InteractionRequest::command(stage.guild(), stage.moderator(), "warn", &options);
        ids.push(stage.interact(&request));
    }
    let mut numbers = Vec::new();
    for id in ids {
        let answer = control
            .wait_interaction(id, |answer| answer.reply().is_some(), PATIENCE)
            .await;
        let reply = text(&answer.expect("an answer"));
        let number = reply.split("**#").nth(1).and_then(|rest| rest.split("**").next());
        numbers.push(
            number
                .and_then(|number| number.parse::<u32>().ok())
                .unwrap_or_else(|| unreachable!("{reply}")),
        );
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
    assert_eq!(stage.counts(user).await, (50, 50));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_database() {
    let mut stage = Stage::new().await;
    let user = stage.user(30);
    kill(Pid::from_raw(stage.scene.postgres.pid()), Signal::SIGQUIT).expect("a signal");
    gone(&stage.scene.postgres.connection()).await;
    let options = json!([member(user), of_type(3, "reason", "x")]);
    for (name, options) in [("warn", options), ("warnings", json!([member(user)]))] {
        let request = InteractionRequest::command(stage.guild(), stage.moderator(), name, &options);
        let id = stage.interact(&request);
        let answer = stage
            .control()
            .wait_interaction(id, |answer| answer.reply().is_some(), PATIENCE)
            .await
            .expect("an answer");
        assert!(
            text(&answer).contains("The database is not responding"),
            "{answer:?}"
        );
        assert!(
            answer.answered_after_ms.is_some_and(|after| after < 3_000),
            "{answer:?}"
        );
    }
    stage
        .scene
        .postgres
        .restart(StopMode::Immediate)
        .await
        .expect("a restart");
    stage.reconnect().await;
    let reply = until("a warning is given again", async || {
        let reply = stage.warn(user, json!([])).await;
        reply.contains("was warned").then_some(reply)
    })
    .await;
    assert!(reply.contains("#1"), "{reply}");
    assert_eq!(stage.counts(user).await, (1, 1));
    stage.end().await;
}

/// A member who accepts no direct messages is warned nevertheless, and this is not an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_takes_no_messages() {
    let stage = Stage::new().await;
    let log = stage.log_to(0).await;
    let user = stage.user(30);
    assert!(stage.control().set_direct_closed(user, true));
    let options = json!([member(user), of_type(3, "reason", "x")]);
    let warned = stage.asked(stage.moderator(), "warn", options).await;
    assert!(text(&warned).contains("was warned"), "{warned:?}");
    let says_so = |state: &discord_simulator::InteractionState| {
        let closed = |edit: &Value| {
            edit["content"]
                .as_str()
                .is_some_and(|text| text.contains("do not accept direct messages"))
        };
        state.edits.iter().any(closed)
    };
    let told = stage
        .control()
        .wait_interaction(warned.id, says_so, PATIENCE)
        .await;
    assert!(told.is_some(), "the moderator knows");
    stage.delivered().await;
    assert!(stage.sent("You were warned in **").is_empty());
    stage.logged(log, "was warned by").await;
    assert_eq!(stage.in_channel(log).len(), 1);
    assert_eq!(
        stage
            .number("SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL")
            .await,
        0
    );
    assert_eq!(stage.number("SELECT count(*) FROM effect_failure").await, 0);
    stage.end().await;
}
