//! Temporary bans: when they end, and what ends them before.

use std::time::Duration;

use discord_simulator::InteractionRequest;
use serde_json::json;

use super::{
    ALL, Stage, accepted, case_is, fault, lasting, of_case, of_type, order, settled, stage, text, timers,
    until,
};

const DELETE: &str = "DELETE /guilds/{id}/bans/{id}";

/// Let the timers of a kind be due, with the punishments that they end.
pub(super) async fn fire(stage: &Stage, kind: &str) {
    if kind == "tempban_end" {
        stage
            .execute("UPDATE mod_case SET ends_at = now() - interval '1 second' WHERE kind = 'tempban'")
            .await;
    }
    stage.make_due(kind).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_temporary_ban_ends_although_its_process_is_gone() {
    let mut stage = stage().await;
    let log = stage.log_to(0).await;
    let (guild, user) = (stage.guild(), stage.user(30));
    let answer = settled(&stage, "tempban", user, lasting("7d")).await;
    assert!(
        answer.contains("**temporary ban** of")
            && answer.contains("until <t:")
            && answer.ends_with("✅ Done."),
        "{answer}"
    );
    assert!(stage.control().is_banned(guild, user));
    assert_eq!(stage.sent("until <t:").len(), 2, "the member and the log");
    let due = "SELECT count(*) FROM timer AS t JOIN mod_case AS c ON c.guild_id = t.guild_id AND c.case_id = t.timer_id
               WHERE t.kind = 'tempban_end' AND t.due_at = c.ends_at AND c.ends_at = c.created_at + interval '7 days'";
    assert_eq!(stage.number(due).await, 1);
    // The moderator is none any more, and the bot's process is gone.
    let resumes = stage.control().stats().resumes;
    assert!(stage.control().set_role_permissions(guild, stage.role, 0));
    stage.restart(resumes).await;
    fire(&stage, "tempban_end").await;
    case_is(&stage, 1, "end_outcome", "lifted").await;
    assert!(!stage.control().is_banned(guild, user));
    assert_eq!(
        stage.control().rest_calls(DELETE)[0].reason.as_deref(),
        Some("Case #1: the temporary ban has ended")
    );
    let entry = stage.logged(log, "has ended").await;
    assert!(
        entry.contains("Case #1") && entry.contains(&format!("<@{user}>")),
        "{entry}"
    );
    assert_eq!(accepted(&stage, DELETE), 1);
    stage.end().await;
}

/// A later ban without an end is not lifted, neither by the timer nor by a request that waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_replaces_a_temporary_one() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    settled(&stage, "tempban", user, lasting("7d")).await;
    settled(&stage, "ban", user, json!([])).await;
    assert_eq!(timers(&stage, "tempban_end").await, 0);
    assert_eq!(of_case(&stage, 1, "end_outcome").await, "replaced");
    // A process that was firing it at that moment finds the newer case.
    let timer = format!(
        "INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at, body)
         VALUES ({guild}, 'tempban_end', 1, now(), now(), '{{\"locale\": \"en-US\"}}')"
    );
    for ended in [
        "",
        "UPDATE mod_case SET ended_at = NULL, end_outcome = NULL WHERE case_id = 1",
    ] {
        stage.execute(ended).await;
        stage.execute(&timer).await;
        until("it has fired", async || {
            (timers(&stage, "tempban_end").await == 0).then_some(())
        })
        .await;
    }
    assert_eq!(of_case(&stage, 1, "end_outcome").await, "replaced");
    stage.delivered().await;
    assert!(stage.control().is_banned(guild, user));
    assert!(stage.control().rest_calls(DELETE).is_empty());
    stage.end().await;
}

/// A ban that follows from a warning has no case of its own, and is not lifted at the end of a temporary one from before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_by_a_threshold_replaces_a_temporary_one() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    let threshold = json!([{"name": "threshold", "type": 2, "options": [{"name": "add", "type": 1, "options": [
        of_type(4, "points", 50), of_type(3, "action", "ban")
    ]}]}]);
    stage.asked(stage.moderator(), "warning", threshold).await;
    settled(&stage, "tempban", user, lasting("7d")).await;
    // A warning below the threshold changes nothing.
    stage.warn(user, json!([of_type(4, "points", 10)])).await;
    assert_eq!(timers(&stage, "tempban_end").await, 1);
    let said = stage.warn(user, json!([of_type(4, "points", 60)])).await;
    assert!(said.contains("50 points reached: **ban**."), "{said}");
    assert_eq!(timers(&stage, "tempban_end").await, 0);
    assert_eq!(of_case(&stage, 1, "end_outcome").await, "replaced");
    // A process that was firing it at that moment finds that it is over.
    stage
        .execute(&format!(
            "INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at, body)
             VALUES ({guild}, 'tempban_end', 1, now(), now(), '{{\"locale\": \"en-US\"}}')"
        ))
        .await;
    until("it has fired", async || {
        (timers(&stage, "tempban_end").await == 0).then_some(())
    })
    .await;
    stage.delivered().await;
    assert!(stage.control().is_banned(guild, user));
    assert!(stage.control().rest_calls(DELETE).is_empty());
    stage.end().await;
}

/// The end of a temporary ban that Discord did not take at first must not lift the ban that came meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_while_the_end_of_another_is_tried_again() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    settled(&stage, "tempban", user, lasting("7d")).await;
    fault(
        &stage,
        DELETE,
        None,
        discord_simulator::RestFaultKind::Status(502),
    );
    fire(&stage, "tempban_end").await;
    until("Discord has refused it", async || {
        (!stage.control().rest_calls(DELETE).is_empty()).then_some(())
    })
    .await;
    let asked = order(&stage, "ban", user, json!([])).await;
    stage.control().clear_faults();
    let answer = super::became(&stage, &asked).await;
    assert!(answer.ends_with("✅ Done."), "{answer}");
    stage.delivered().await;
    assert!(stage.control().is_banned(guild, user));
    assert_eq!(accepted(&stage, DELETE), 0);
    assert_eq!(of_case(&stage, 1, "end_outcome").await, "replaced");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_temporary_ban_that_was_lifted_before() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let (guild, user, other) = (stage.guild(), stage.user(30), stage.user(31));
    // By the command.
    settled(&stage, "tempban", user, lasting("7d")).await;
    settled(&stage, "unban", user, json!([])).await;
    assert_eq!(timers(&stage, "tempban_end").await, 0);
    // By hand: its end finds nothing to do, and says nothing.
    settled(&stage, "tempban", other, lasting("7d")).await;
    assert!(stage.control().set_banned(guild, other, false));
    fire(&stage, "tempban_end").await;
    case_is(&stage, 3, "end_outcome", "gone").await;
    stage.delivered().await;
    assert!(stage.in_channel(log).iter().all(|entry| !entry.contains("ended")));
    let failed = "SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL";
    assert_eq!(stage.number(failed).await, 0);
    stage.end().await;
}

/// A bot that may not lift a ban at its end says so once, and lifts it when it may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_the_bot_may_not_carry_out_yet() {
    let stage = Stage::with(|config| config.effects.retry_blocked = Duration::from_secs(1)).await;
    let log = stage.log_to(0).await;
    let (guild, user) = (stage.guild(), stage.user(30));
    assert!(stage.control().set_bot_permissions(guild, ALL));
    settled(&stage, "tempban", user, lasting("7d")).await;
    assert!(stage.control().set_bot_permissions(guild, ALL & !super::BAN));
    fire(&stage, "tempban_end").await;
    let entry = stage.logged(log, "could not be lifted").await;
    assert!(entry.contains("I lack the permission"), "{entry}");
    case_is(&stage, 1, "end_outcome", "warning-obstacle-permission").await;
    assert!(stage.control().is_banned(guild, user));
    until("it was tried again", async || {
        let tried = stage
            .number("SELECT max(attempts) FROM outbox WHERE kind = 'mod_lift'")
            .await;
        (tried > 1).then_some(())
    })
    .await;
    assert!(stage.control().set_bot_permissions(guild, ALL));
    case_is(&stage, 1, "end_outcome", "lifted").await;
    assert!(!stage.control().is_banned(guild, user));
    let told = stage.in_channel(log);
    assert_eq!(
        told.iter()
            .filter(|entry| entry.contains("could not be lifted"))
            .count(),
        1
    );
    stage.end().await;
}

/// The case of a ban that could not be lifted at its end stays until the ban is lifted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_case_of_an_end_that_waits_cannot_be_deleted() {
    let stage = Stage::with(|config| config.effects.retry_blocked = Duration::from_secs(1)).await;
    let (guild, user, asker) = (stage.guild(), stage.user(30), stage.moderator());
    assert!(stage.control().set_bot_permissions(guild, ALL));
    settled(&stage, "tempban", user, lasting("7d")).await;
    assert!(stage.control().set_bot_permissions(guild, ALL & !super::BAN));
    fire(&stage, "tempban_end").await;
    case_is(&stage, 1, "end_outcome", "warning-obstacle-permission").await;
    let options = json!([{"name": "delete", "type": 1, "options": [of_type(4, "case", 1)]}]);
    let question = stage.asked(asker, "case", options).await;
    let question = question.reply().expect("a question").clone();
    let button = question["components"][0]["components"][0]["custom_id"]
        .as_str()
        .expect("a button");
    let press = InteractionRequest::component(guild, asker, button, &[], question.clone());
    let said = text(&stage.ask(&press).await);
    assert!(said.contains("has not ended"), "{said}");
    assert!(stage.control().set_bot_permissions(guild, ALL));
    case_is(&stage, 1, "end_outcome", "lifted").await;
    assert!(!stage.control().is_banned(guild, user));
    let said = text(&stage.ask(&press).await);
    assert!(said.contains("was deleted"), "{said}");
    stage.end().await;
}
