//! Discord says no, or not now: what moderators learn, and what is tried again.

use discord_simulator::{LimitScope, RestFaultKind};
use serde_json::json;

use super::{accepted, case_is, fault, order, settled, stage, until};

const PUT: &str = "PUT /guilds/{id}/bans/{id}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_discord_refuses_is_said_and_not_repeated() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let user = stage.user(30);
    fault(&stage, PUT, None, RestFaultKind::Status(403));
    let answer = settled(&stage, "ban", user, json!([])).await;
    assert!(
        answer.ends_with("⛔ It was not carried out: Discord refused it."),
        "{answer}"
    );
    let entry = stage.logged(log, "❗").await;
    assert!(
        entry.contains("Case #1") && entry.contains("was not carried out"),
        "{entry}"
    );
    stage.delivered().await;
    assert_eq!(stage.control().rest_calls(PUT).len(), 1);
    case_is(&stage, 1, "outcome", "warning-obstacle-refused").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_is_tried_again() {
    let stage = stage().await;
    let (guild, user, other) = (stage.guild(), stage.user(30), stage.user(31));
    fault(&stage, PUT, Some(2), RestFaultKind::Status(502));
    let asked = order(&stage, "ban", user, json!([])).await;
    case_is(&stage, 1, "outcome", "done").await;
    assert!(stage.control().is_banned(guild, user));
    assert!(super::became(&stage, &asked).await.contains("**ban**"));
    let limited = RestFaultKind::RateLimit {
        scope: LimitScope::User,
        retry_after: 0.5,
    };
    fault(&stage, PUT, Some(1), limited);
    let answer = settled(&stage, "ban", other, json!([])).await;
    assert!(answer.ends_with("✅ Done."), "{answer}");
    assert_eq!(accepted(&stage, PUT), 2);
    stage.end().await;
}

/// A message that cannot be sent holds up nothing: neither who takes none, nor a Discord that does not take it now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_fails_does_not_stop_the_ban() {
    let stage = stage().await;
    let (guild, user, other) = (stage.guild(), stage.user(30), stage.user(31));
    assert!(stage.control().set_direct_closed(user, true));
    let answer = settled(&stage, "ban", user, json!([])).await;
    assert!(
        answer.contains("do not accept direct messages") && answer.ends_with("✅ Done."),
        "{answer}"
    );
    case_is(&stage, 1, "message_outcome", "closed").await;
    fault(
        &stage,
        "POST /users/@me/channels",
        None,
        RestFaultKind::Status(502),
    );
    order(&stage, "ban", other, json!([])).await;
    until("the ban did not wait for ever", async || {
        stage.control().is_banned(guild, other).then_some(())
    })
    .await;
    case_is(&stage, 2, "message_outcome", "closed").await;
    let failed = "SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL";
    assert_eq!(stage.number(failed).await, 0);
    stage.end().await;
}

/// The rank is checked again when an action is carried out: a member may have been given a higher role meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_rises_before_the_ban() {
    let stage = stage().await;
    let (guild, user, control) = (stage.guild(), stage.user(30), stage.control());
    let higher = control.create_role(guild, "higher", 3).expect("a role");
    // The ban waits behind the message.
    control.add_fault(discord_simulator::RestFault {
        route: "POST /users/@me/channels".to_owned(),
        count: Some(1),
        delay_ms: 3_000,
        kind: RestFaultKind::None,
    });
    let asked = order(&stage, "ban", user, json!([])).await;
    assert!(control.set_member_roles(guild, user, &[higher]));
    let answer = super::became(&stage, &asked).await;
    assert!(
        answer.contains("highest role is not below the moderator's"),
        "{answer}"
    );
    assert!(!control.is_banned(guild, user));
    case_is(&stage, 1, "outcome", "hindrance-rank").await;
    stage.end().await;
}
