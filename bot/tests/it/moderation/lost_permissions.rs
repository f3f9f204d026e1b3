//! Moderators who lose their permission between a command and the moment at which it is carried out, also by a timeout.

use discord_simulator::{InteractionRequest, RestFaultKind};
use serde_json::{Value, json};

use super::{
    ALL, Stage, case_is, command, fault, lasting, of_case, of_type, punishment_timers::fire, settled, stage,
    timers, until,
};
use crate::support::moderators::{IN_TIMEOUT_UNTIL, OUT_OF_TIMEOUT_SINCE};

const BAN: &str = "PUT /guilds/{id}/bans/{id}";
const UNBAN: &str = "DELETE /guilds/{id}/bans/{id}";
const KICK: &str = "DELETE /guilds/{id}/members/{id}";
const CHANGE: &str = "PATCH /guilds/{id}/members/{id}";
/// The outcome of a case.
const LOST: &str = "massban-why-moderator";

/// Let a moderator ask while Discord does not accept such requests, and take the moderator's roles meanwhile.
async fn lose(stage: &Stage, request: &InteractionRequest, route: &str) {
    let take = |moderator| stage.control().set_member_roles(stage.guild(), moderator, &[]);
    meanwhile(stage, request, route, take).await;
}

/// The same with another change of the moderator.
async fn meanwhile(
    stage: &Stage,
    request: &InteractionRequest,
    route: &str,
    change: impl FnOnce(u64) -> bool,
) {
    fault(stage, route, None, RestFaultKind::Status(502));
    let failed = || {
        let calls = stage.control().rest_calls(route);
        calls.iter().filter(|call| call.status == 502).count()
    };
    let before = failed();
    stage.ask(request).await;
    until(&format!("{route} was tried"), async || {
        (failed() > before).then_some(())
    })
    .await;
    assert!(change(request.user_id));
    stage.control().clear_faults();
}

fn is_punished(stage: &Stage, user: u64) -> bool {
    let (guild, control) = (stage.guild(), stage.control());
    control.is_banned(guild, user)
        || control.has_left(guild, user) == Some(true)
        || control.timeout_of(guild, user).is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_done_for_a_moderator_who_lost_the_permission() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let mut case = 0;
    for (rank, (name, route, more)) in (30..).zip([
        ("ban", BAN, json!([])),
        ("tempban", BAN, lasting("1d")),
        ("softban", BAN, json!([])),
        ("kick", KICK, json!([])),
        ("timeout", CHANGE, lasting("1h")),
    ]) {
        case += 1;
        let user = stage.user(rank);
        lose(&stage, &command(&stage, name, user, &more), route).await;
        case_is(&stage, case, "outcome", LOST).await;
        assert!(!is_punished(&stage, user), "{name}");
    }
    // Nor is a punishment taken back.
    for (rank, (name, undo, route, more)) in (35..).zip([
        ("ban", "unban", UNBAN, json!([])),
        ("timeout", "untimeout", CHANGE, lasting("1h")),
    ]) {
        case += 2;
        let user = stage.user(rank);
        settled(&stage, name, user, more).await;
        lose(&stage, &command(&stage, undo, user, &json!([])), route).await;
        case_is(&stage, case, "outcome", LOST).await;
        assert!(is_punished(&stage, user), "{undo}");
    }
    stage.delivered().await;
    let entry = stage.logged(log, "the moderator lost the permission").await;
    assert!(entry.contains("was not carried out"), "{entry}");
    stage.end().await;
}

/// Discord leaves a member in timeout only what reading takes. A timeout that is over is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_for_a_moderator_in_timeout() {
    let stage = stage().await;
    let (guild, control) = (stage.guild(), stage.control());
    for (case, rank, until, outcome) in [
        (1, 30, IN_TIMEOUT_UNTIL, LOST),
        (2, 31, OUT_OF_TIMEOUT_SINCE, "done"),
    ] {
        let user = stage.user(rank);
        let ban = command(&stage, "ban", user, &json!([]));
        let time_out = |moderator| control.time_out(guild, moderator, until);
        meanwhile(&stage, &ban, BAN, time_out).await;
        case_is(&stage, case, "outcome", outcome).await;
        assert_eq!(is_punished(&stage, user), outcome == "done", "{outcome}");
    }
    stage.end().await;
}

/// What a warning leads to, and the new end of a timeout.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_what_follows_from_a_warning_or_a_change() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let threshold = json!([{"name": "threshold", "type": 2, "options": [{"name": "add", "type": 1, "options": [
        of_type(4, "points", 50), of_type(3, "action", "kick")
    ]}]}]);
    let asked = |name: &str, options: &Value| InteractionRequest {
        member_permissions: Some(ALL.to_string()),
        ..InteractionRequest::command(stage.guild(), stage.moderator(), name, options)
    };
    stage.ask(&asked("warning", &threshold)).await;
    let user = stage.user(30);
    let warning = json!([
        of_type(6, "member", user.to_string()),
        of_type(3, "reason", "x"),
        of_type(4, "points", 60)
    ]);
    lose(&stage, &asked("warn", &warning), KICK).await;
    stage.logged(log, "the moderator lost the permission").await;
    assert!(!is_punished(&stage, user));

    let user = stage.user(31);
    settled(&stage, "timeout", user, lasting("1h")).await;
    let before = stage.control().timeout_of(stage.guild(), user);
    let edit = json!([{"name": "edit", "type": 1, "options": [
        of_type(4, "case", 2), of_type(3, "duration", "2d")
    ]}]);
    let ends_at = of_case(&stage, 2, "ends_at").await;
    lose(&stage, &asked("case", &edit), CHANGE).await;
    until("the end before stays", async || {
        (of_case(&stage, 2, "ends_at").await == ends_at).then_some(())
    })
    .await;
    stage.delivered().await;
    assert_eq!(stage.control().timeout_of(stage.guild(), user), before);
    stage.end().await;
}

/// The timeout of a removed warning, which a button lifts: nothing is lifted for who lost the permission before the press, or after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_is_the_timeout_of_a_removed_warning_lifted() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let (guild, control) = (stage.guild(), stage.control());
    let sub = |name: &str, options: Value| json!([{"name": name, "type": 1, "options": options}]);
    let add = sub(
        "add",
        json!([
            of_type(4, "points", 50),
            of_type(3, "action", "timeout"),
            of_type(3, "duration", "1h")
        ]),
    );
    let threshold = json!([{"name": "threshold", "type": 2, "options": add}]);
    stage.asked(stage.moderator(), "warning", threshold).await;
    let user = stage.user(30);
    stage.warn(user, json!([of_type(4, "points", 60)])).await;
    until("the timeout runs", async || control.timeout_of(guild, user)).await;
    let moderator = stage.moderator();
    let remove = sub("remove", json!([of_type(4, "case", 1)]));
    let removed = stage.asked(moderator, "warning", remove).await;
    let reply = removed.reply().expect("a reply").clone();
    let button = reply["components"][0]["components"][0]["custom_id"]
        .as_str()
        .expect("a button");
    let press = InteractionRequest::component(guild, moderator, button, &[], reply.clone());
    lose(&stage, &press, CHANGE).await;
    let entry = stage.logged(log, "the moderator lost the permission").await;
    assert!(entry.contains("#1"), "{entry}");
    assert!(control.timeout_of(guild, user).is_some());

    let refused = super::text(&stage.ask(&press).await);
    assert!(
        refused.contains("lacks the **Timeout Members** permission"),
        "{refused}"
    );
    stage.delivered().await;
    assert!(control.timeout_of(guild, user).is_some());
    stage.end().await;
}

/// What ends by itself ends, and a long timeout goes on, whoever ordered it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_and_renewals_depend_on_no_moderator() {
    let stage = stage().await;
    let (guild, control) = (stage.guild(), stage.control());
    let (banned, silenced) = (stage.user(30), stage.user(31));
    settled(&stage, "tempban", banned, lasting("7d")).await;
    settled(&stage, "timeout", silenced, lasting("60d")).await;
    for rank in 1..=25 {
        assert!(control.set_member_roles(guild, stage.user(rank), &[]));
    }
    let before = control.timeout_of(guild, silenced);
    control.advance_time(std::time::Duration::from_hours(24));
    fire(&stage, "tempban_end").await;
    fire(&stage, "timeout_renewal").await;
    case_is(&stage, 1, "end_outcome", "lifted").await;
    assert!(!control.is_banned(guild, banned));
    until("the timeout goes on", async || {
        (control.timeout_of(guild, silenced) != before).then_some(())
    })
    .await;
    stage.end().await;
}

/// What an order should have replaced that is given up goes on: a temporary ban ends at its time, and a long timeout is prolonged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_replaced_in_vain_goes_on() {
    let stage = stage().await;
    let (guild, control) = (stage.guild(), stage.control());
    let mut case = 0;
    for (rank, (name, route)) in (30..).zip([("unban", UNBAN), ("ban", BAN)]) {
        case += 2;
        let user = stage.user(rank);
        settled(&stage, "tempban", user, lasting("7d")).await;
        lose(&stage, &command(&stage, name, user, &json!([])), route).await;
        case_is(&stage, case, "outcome", LOST).await;
        let due = "SELECT count(*) FROM timer AS t JOIN mod_case AS c ON c.guild_id = t.guild_id AND c.case_id = t.timer_id
                   WHERE t.kind = 'tempban_end' AND t.due_at = c.ends_at AND c.ended_at IS NULL AND c.end_outcome IS NULL";
        assert_eq!(stage.number(due).await, 1, "{name}");
        assert!(control.is_banned(guild, user), "{name}");
        fire(&stage, "tempban_end").await;
        case_is(&stage, case - 1, "end_outcome", "lifted").await;
        assert!(!control.is_banned(guild, user), "{name}");
    }

    let user = stage.user(32);
    settled(&stage, "timeout", user, lasting("60d")).await;
    lose(&stage, &command(&stage, "untimeout", user, &json!([])), CHANGE).await;
    case_is(&stage, case + 2, "outcome", LOST).await;
    assert_eq!(timers(&stage, "timeout_renewal").await, 1);
    let before = control.timeout_of(guild, user);
    control.advance_time(std::time::Duration::from_hours(24));
    fire(&stage, "timeout_renewal").await;
    until("the timeout goes on", async || {
        (control.timeout_of(guild, user) != before).then_some(())
    })
    .await;
    assert_eq!(of_case(&stage, case + 1, "ended_at").await, "");
    stage.end().await;
}

/// An order that was given up for a newer one, which is given up in turn, changes nothing either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_orders_in_vain_replace_nothing() {
    let stage = stage().await;
    let user = stage.user(30);
    settled(&stage, "tempban", user, lasting("7d")).await;
    fault(&stage, UNBAN, None, RestFaultKind::Status(502));
    stage.ask(&command(&stage, "unban", user, &json!([]))).await;
    until("it was tried", async || {
        (!stage.control().rest_calls(UNBAN).is_empty()).then_some(())
    })
    .await;
    lose(&stage, &command(&stage, "ban", user, &json!([])), BAN).await;
    case_is(&stage, 2, "outcome", "replaced").await;
    case_is(&stage, 3, "outcome", LOST).await;
    assert_eq!(timers(&stage, "tempban_end").await, 1);
    fire(&stage, "tempban_end").await;
    case_is(&stage, 1, "end_outcome", "lifted").await;
    assert!(!stage.control().is_banned(stage.guild(), user));
    stage.end().await;
}
