//! `/kick`, `/timeout`, `/untimeout`.

use std::time::Duration;

use serde_json::json;

use super::{accepted, case_is, lasting, of_case, reason, said, settled, stage, timers, until};

const MEMBER: &str = "/guilds/{id}/members/{id}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_is_kicked_once() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    // The answer gets lost, so it is tried again.
    super::fault(
        &stage,
        &format!("DELETE {MEMBER}"),
        Some(1),
        discord_simulator::RestFaultKind::StatusAfter(502),
    );
    let asked = super::order(&stage, "kick", user, reason("Rude")).await;
    until("the member is gone", async || {
        (stage.control().has_left(guild, user) == Some(true)).then_some(())
    })
    .await;
    let answer = super::became(&stage, &asked).await;
    assert!(
        answer.contains("**kick** of") && answer.ends_with("✅ Done."),
        "{answer}"
    );
    stage.delivered().await;
    assert_eq!(stage.control().rest_calls(&format!("DELETE {MEMBER}")).len(), 1);
    assert_eq!(stage.sent("You were removed from **").len(), 1);
    let reply = said(&stage, "kick", user, json!([])).await;
    assert_eq!(reply, "They are not in this server.");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeout_begins_is_shortened_and_is_lifted() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    let reply = said(&stage, "untimeout", user, json!([])).await;
    assert_eq!(reply, "They are not in timeout.");
    let answer = settled(&stage, "timeout", user, lasting("2d")).await;
    assert!(
        answer.contains("**timeout** of") && answer.contains("until <t:") && answer.ends_with("✅ Done."),
        "{answer}"
    );
    let long = stage.control().timeout_of(guild, user).expect("a timeout");
    assert_eq!(stage.sent("You are in timeout in **").len(), 1);
    assert_eq!(timers(&stage, "timeout_renewal").await, 0, "Discord ends it");
    settled(&stage, "timeout", user, lasting("1h")).await;
    let short = stage.control().timeout_of(guild, user).expect("a timeout");
    assert!(short < long, "{short} {long}");
    assert_eq!(of_case(&stage, 1, "end_outcome").await, "replaced");
    let answer = settled(&stage, "untimeout", user, json!([])).await;
    assert!(answer.ends_with("✅ Done."), "{answer}");
    assert_eq!(stage.control().timeout_of(guild, user), None);
    stage.end().await;
}

/// Discord allows 28 days at once. A longer timeout is prolonged, until it ends or is lifted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeout_longer_than_discord_allows() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    settled(&stage, "timeout", user, lasting("60d")).await;
    let first = stage.control().timeout_of(guild, user).expect("a timeout");
    assert_eq!(timers(&stage, "timeout_renewal").await, 1);
    let patches = || accepted(&stage, &format!("PATCH {MEMBER}"));
    assert_eq!(patches(), 1);
    stage.control().advance_time(Duration::from_secs(5));
    super::punishment_timers::fire(&stage, "timeout_renewal").await;
    until("it is prolonged", async || (patches() == 2).then_some(())).await;
    let second = stage.control().timeout_of(guild, user).expect("a timeout");
    assert!(second > first, "{second} {first}");
    assert_eq!(timers(&stage, "timeout_renewal").await, 1, "and once more");
    // Lifted by hand: nothing is prolonged any more.
    assert!(stage.control().end_timeout(guild, user));
    super::punishment_timers::fire(&stage, "timeout_renewal").await;
    case_is(&stage, 1, "end_outcome", "gone").await;
    super::punishment_timers::fire(&stage, "timeout_renewal").await;
    until("no timer is left", async || {
        (timers(&stage, "timeout_renewal").await == 0).then_some(())
    })
    .await;
    stage.delivered().await;
    assert_eq!(patches(), 2);
    assert_eq!(stage.control().timeout_of(guild, user), None);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_timeout_ends_with_the_command() {
    let stage = stage().await;
    let user = stage.user(30);
    settled(&stage, "timeout", user, lasting("60d")).await;
    assert_eq!(timers(&stage, "timeout_renewal").await, 1);
    settled(&stage, "untimeout", user, json!([])).await;
    assert_eq!(timers(&stage, "timeout_renewal").await, 0);
    assert_eq!(of_case(&stage, 1, "end_outcome").await, "replaced");
    stage.end().await;
}
