//! `/case edit` changes when a punishment ends that runs.

use std::time::Duration;

use discord_simulator::{InteractionRequest, LimitScope, RestFaultKind};
use serde_json::{Value, json};

use super::{
    ALL, BAN, Stage, TIMEOUT, accepted, became, case_is, fault, lasting, of_case, of_type, settled, stage,
    text, timers, until,
};

const PATCH: &str = "PATCH /guilds/{id}/members/{id}";
const DELETE: &str = "DELETE /guilds/{id}/bans/{id}";

fn edit(stage: &Stage, case: i64, more: &Value) -> InteractionRequest {
    let mut options = vec![of_type(4, "case", case)];
    options.extend(more.as_array().into_iter().flatten().cloned());
    let options = json!([{"name": "edit", "type": 1, "options": options}]);
    InteractionRequest {
        member_permissions: Some(ALL.to_string()),
        ..InteractionRequest::command(stage.guild(), stage.moderator(), "case", &options)
    }
}

async fn edited(stage: &Stage, case: i64, more: Value) -> String {
    text(&stage.ask(&edit(stage, case, &more)).await)
}

/// The answer that says what became of it on Discord.
async fn edited_there(stage: &Stage, case: i64, more: Value) -> String {
    let asked = stage.ask(&edit(stage, case, &more)).await;
    became(stage, &asked).await
}

/// Days from the creation of a case to its end.
async fn days(stage: &Stage, case: i64) -> i64 {
    stage
        .number(&format!(
            "SELECT round(extract(epoch FROM ends_at - created_at) / 86400)::int8 FROM mod_case WHERE case_id = {case}"
        ))
        .await
}

const DUE_WITH_ITS_CASE: &str = "SELECT count(*) FROM timer AS t JOIN mod_case AS c ON c.case_id = t.timer_id
     WHERE t.kind = 'tempban_end' AND t.due_at = c.ends_at";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_gets_another_end() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let (guild, user) = (stage.guild(), stage.user(30));
    settled(&stage, "tempban", user, lasting("7d")).await;
    let options = json!([of_type(3, "duration", "2d"), of_type(3, "reason", "Less")]);
    let said = edited(&stage, 1, options).await;
    assert!(
        said.contains("The reason of case **#1** was changed") && said.contains("now ends <t:"),
        "{said}"
    );
    assert_eq!(days(&stage, 1).await, 2);
    assert_eq!(stage.number(DUE_WITH_ITS_CASE).await, 1);
    assert_eq!(of_case(&stage, 1, "reason").await, "Less");
    let entry = stage.logged(log, "now ends <t:").await;
    assert!(
        entry.contains("Changed by <@") && entry.contains("> Less"),
        "{entry}"
    );
    let kept = "SELECT count(*) FROM request WHERE action = 'case_edit' AND before->>'kind' = 'tempban'
                AND (before->>'ends_at_ms')::int8 > 0 AND before->>'reason' = ''";
    assert_eq!(stage.number(kept).await, 1);

    // Without an end it is a ban, and with one a temporary ban again.
    let said = edited(&stage, 1, lasting("never")).await;
    assert!(
        said.contains("the ban of") && said.contains("no longer ends by itself"),
        "{said}"
    );
    assert_eq!(of_case(&stage, 1, "kind").await, "ban");
    assert_eq!(timers(&stage, "tempban_end").await, 0);
    edited(&stage, 1, lasting("3d")).await;
    assert_eq!(of_case(&stage, 1, "kind").await, "tempban");
    assert_eq!(stage.number(DUE_WITH_ITS_CASE).await, 1);
    assert!(stage.control().is_banned(guild, user));
    super::punishment_timers::fire(&stage, "tempban_end").await;
    case_is(&stage, 1, "end_outcome", "lifted").await;
    assert!(!stage.control().is_banned(guild, user));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeout_gets_another_end() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    settled(&stage, "timeout", user, lasting("2d")).await;
    let timeout = || stage.control().timeout_of(guild, user).expect("a timeout");
    let first = timeout();
    let said = edited_there(&stage, 1, lasting("1h")).await;
    assert!(
        said.contains("now ends <t:") && said.ends_with("✅ Done."),
        "{said}"
    );
    let shorter = timeout();
    assert!(shorter < first, "{shorter} {first}");
    // Beyond what Discord allows at once, and back.
    edited_there(&stage, 1, lasting("60d")).await;
    assert!(timeout() > first);
    assert_eq!(days(&stage, 1).await, 60);
    assert_eq!(timers(&stage, "timeout_renewal").await, 1);
    edited_there(&stage, 1, lasting("1h")).await;
    assert!(timeout() < first);
    assert_eq!(timers(&stage, "timeout_renewal").await, 0);
    assert_eq!(accepted(&stage, PATCH), 4);
    let reason = stage
        .control()
        .rest_calls(PATCH)
        .pop()
        .and_then(|call| call.reason);
    assert!(reason.is_some_and(|reason| reason.starts_with("Case #1 by ")));
    // Lifted by hand, it does not begin again.
    assert!(stage.control().end_timeout(guild, user));
    edited_there(&stage, 1, lasting("2h")).await;
    case_is(&stage, 1, "end_outcome", "gone").await;
    assert_eq!(stage.control().timeout_of(guild, user), None);
    stage.end().await;
}

/// A timeout whose renewal is cancelled ends with the part that Discord has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_is_cancelled() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    settled(&stage, "timeout", user, lasting("60d")).await;
    assert_eq!(timers(&stage, "timeout_renewal").await, 1);
    let timeout = || stage.control().timeout_of(guild, user).expect("a timeout");
    let before = timeout();
    let options = json!([of_type(3, "timer", "timeout_renewal:1")]);
    let options = json!([{"name": "cancel", "type": 1, "options": options}]);
    let request = InteractionRequest {
        member_permissions: Some(ALL.to_string()),
        ..InteractionRequest::command(guild, stage.moderator(), "scheduled", &options)
    };
    let lacking = InteractionRequest {
        member_permissions: Some((ALL & !TIMEOUT).to_string()),
        ..request.clone()
    };
    assert!(text(&stage.ask(&lacking).await).contains("Timeout Members"));
    assert_eq!(timers(&stage, "timeout_renewal").await, 1);
    let said = became(&stage, &stage.ask(&request).await).await;
    assert!(
        said.contains("now ends <t:") && said.ends_with("✅ Done."),
        "{said}"
    );
    assert_eq!(timers(&stage, "timeout_renewal").await, 0);
    assert_eq!(days(&stage, 1).await, 28);
    // Discord has a little more than a renewal counts on.
    assert!(timeout() < before, "{before}");
    let again = text(&stage.ask(&request).await);
    assert!(again.contains("**#1** has no ban or timeout"), "{again}");
    assert_eq!(accepted(&stage, PATCH), 2);
    stage.end().await;
}

/// The member gets a message about another end if the server wants it, and none about one that Discord has refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_member_learns_of_another_end() {
    let stage = stage().await;
    let user = stage.user(30);
    settled(&stage, "timeout", user, lasting("2d")).await;
    edited_there(&stage, 1, lasting("1h")).await;
    stage.delivered().await;
    let sent = stage.sent("Your timeout in");
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(
        sent[0].contains("now ends <t:") && sent[0].contains("(case #1)"),
        "{sent:?}"
    );
    fault(&stage, PATCH, Some(1), RestFaultKind::Status(403));
    edited_there(&stage, 1, lasting("3h")).await;
    stage.delivered().await;
    stage.set("dm_timeout", "off").await;
    edited_there(&stage, 1, lasting("4h")).await;
    stage.delivered().await;
    assert_eq!(stage.sent("Your timeout in").len(), 1);

    settled(&stage, "tempban", stage.user(31), lasting("7d")).await;
    edited(&stage, 2, lasting("never")).await;
    stage.delivered().await;
    assert_eq!(stage.sent("no longer ends by itself (case #2)").len(), 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_that_cannot_be_changed() {
    let stage = stage().await;
    let (guild, control) = (stage.guild(), stage.control());
    let [banned, muted, warned] = [30, 31, 32].map(|rank| stage.user(rank));
    settled(&stage, "tempban", banned, lasting("7d")).await;
    settled(&stage, "timeout", muted, lasting("7d")).await;
    stage.warn(warned, json!([])).await;
    for (case, more, words) in [
        (1, json!([]), "a new reason, a new duration, or a moderator"),
        (1, lasting("soon"), "is not a valid duration"),
        (1, lasting("10s"), "between one minute"),
        (2, lasting("never"), "always ends by itself"),
        (3, lasting("1d"), "no ban or timeout that is still running"),
        (9, lasting("1d"), "no case **#9**"),
    ] {
        let said = edited(&stage, case, more).await;
        assert!(said.contains(words), "{words}: {said}");
    }
    // The permission of the punishment, from the moderator and from the bot.
    for (case, needs, words) in [(1, BAN, "Ban Members"), (2, TIMEOUT, "Timeout Members")] {
        let mut request = edit(&stage, case, &lasting("1d"));
        request.member_permissions = Some((ALL & !needs).to_string());
        let said = text(&stage.ask(&request).await);
        assert!(said.contains(&format!("You need the **{words}**")), "{said}");
        assert!(control.set_bot_permissions(guild, ALL & !needs));
        let said = edited(&stage, case, lasting("1d")).await;
        assert!(said.contains(&format!("I need the **{words}**")), "{said}");
        assert!(control.set_bot_permissions(guild, ALL));
    }
    // The rank.
    let higher = control.create_role(guild, "higher", 3).expect("a role");
    assert!(control.set_member_roles(guild, muted, &[higher]));
    let said = edited(&stage, 2, lasting("1d")).await;
    assert!(said.contains("highest role is below yours"), "{said}");
    assert!(control.set_member_left(guild, muted, true));
    let said = edited(&stage, 2, lasting("1d")).await;
    assert!(said.contains("They are not in this server"), "{said}");
    // What is over.
    settled(&stage, "unban", banned, json!([])).await;
    let said = edited(&stage, 1, lasting("1d")).await;
    assert!(said.contains("no ban or timeout that is still running"), "{said}");
    assert_eq!((days(&stage, 1).await, days(&stage, 2).await), (7, 7));
    let asked = "SELECT count(*) FROM request WHERE action = 'case_edit'";
    assert_eq!(stage.number(asked).await, 0);
    stage.end().await;
}

/// What Discord refuses stays as it was, on the case too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_end_that_discord_refuses() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let (guild, user) = (stage.guild(), stage.user(30));
    settled(&stage, "timeout", user, lasting("60d")).await;
    let first = stage.control().timeout_of(guild, user);
    fault(&stage, PATCH, Some(1), RestFaultKind::Status(403));
    let said = edited_there(&stage, 1, lasting("1d")).await;
    assert!(
        said.ends_with("⛔ It was not carried out: Discord refused it."),
        "{said}"
    );
    let entry = stage.logged(log, "could not be changed").await;
    assert!(entry.contains("stays as it was: Discord refused it"), "{entry}");
    assert_eq!(days(&stage, 1).await, 60);
    assert_eq!(timers(&stage, "timeout_renewal").await, 1);
    assert_eq!(stage.control().timeout_of(guild, user), first);
    // What passes is tried again.
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
        edited(&stage, 1, lasting("1d")).await;
        stage.delivered().await;
        assert_eq!(days(&stage, 1).await, 1);
    }
    assert!(stage.control().timeout_of(guild, user) < first);
    // The member has left meanwhile.
    fault(
        &stage,
        "GET /guilds/{id}/members/{id}",
        Some(1),
        RestFaultKind::Status(404),
    );
    edited(&stage, 1, lasting("2d")).await;
    stage.delivered().await;
    let failed = "SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL AND failure NOT LIKE '%403%'";
    assert_eq!(stage.number(failed).await, 0);
    stage.end().await;
}

/// A process that dies with the answer sent: the replay does not count the duration again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_change_changes_nothing() {
    let mut stage = stage().await;
    stage.control().advance_time(Duration::from_hours(1));
    let user = stage.user(30);
    settled(&stage, "tempban", user, lasting("7d")).await;
    let asked = stage.ask(&edit(&stage, 1, &lasting("2d"))).await;
    edited(&stage, 1, lasting("3d")).await;
    let control = stage.control();
    stage.restart(control.stats().resumes).await;
    assert!(control.interact_again(asked.id));
    until("the replay is over", async || {
        let after = control.interaction(asked.id).expect("known");
        (after.refused_callbacks > 0).then_some(())
    })
    .await;
    assert_eq!(days(&stage, 1).await, 3);
    assert_eq!(stage.number(DUE_WITH_ITS_CASE).await, 1);
    stage.end().await;
}

/// A lift that waits for Discord belongs to the end that it was for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_whose_end_moves_while_it_is_lifted() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    settled(&stage, "tempban", user, lasting("7d")).await;
    fault(&stage, DELETE, None, RestFaultKind::Status(502));
    super::punishment_timers::fire(&stage, "tempban_end").await;
    until("Discord has refused it", async || {
        (!stage.control().rest_calls(DELETE).is_empty()).then_some(())
    })
    .await;
    stage
        .execute("UPDATE mod_case SET ends_at = now() + interval '1 day'")
        .await;
    stage.control().clear_faults();
    stage.delivered().await;
    assert!(stage.control().is_banned(guild, user));
    assert_eq!(of_case(&stage, 1, "ended_at").await, "");
    // A timer that is early waits for the end.
    stage
        .execute(
            "INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at, body)
             SELECT guild_id, 'tempban_end', 1, now(), now(), '{\"locale\": \"en-US\"}' FROM mod_case",
        )
        .await;
    until("it waits", async || {
        (stage.number(DUE_WITH_ITS_CASE).await == 1).then_some(())
    })
    .await;
    assert!(stage.control().is_banned(guild, user));
    stage.end().await;
}
