//! What a server decided about its moderators, as bans, kicks and timeouts keep to it.

use serde_json::json;

use super::{of_case, of_type, order, said, settled, stage, until};

/// A reason that is required, for what punishes and not for what is taken back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reason_can_be_required() {
    let stage = stage().await;
    stage.set("require_reason", "on").await;
    let (guild, user) = (stage.guild(), stage.user(30));
    for name in ["ban", "kick"] {
        let refused = said(&stage, name, user, json!([])).await;
        assert!(refused.contains("requires a reason"), "{name}: {refused}");
    }
    let options = json!([of_type(3, "duration", "1h")]);
    let refused = said(&stage, "timeout", user, options).await;
    assert!(refused.contains("requires a reason"), "{refused}");
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 0);
    settled(&stage, "ban", user, json!([of_type(3, "reason", "spam")])).await;
    assert!(stage.control().is_banned(guild, user));
    settled(&stage, "unban", user, json!([])).await;
    assert!(!stage.control().is_banned(guild, user));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_with_a_protected_role_are_not_punished() {
    let stage = stage().await;
    let (guild, control, user) = (stage.guild(), stage.control(), stage.user(30));
    let role = control.create_role(guild, "protected", 1).expect("a role");
    assert!(control.set_member_roles(guild, user, &[role]));
    stage.set("protected_roles", &format!("<@&{role}>")).await;
    for name in ["ban", "softban", "kick"] {
        let refused = said(&stage, name, user, json!([])).await;
        assert!(refused.contains("protected role"), "{name}: {refused}");
    }
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 0);
    assert!(!control.is_banned(guild, user));
    stage.end().await;
}

/// One moderator's bans of every kind count together; the refusal is in the log once, and the next hour begins anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bans_of_one_moderator_are_limited() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let own = stage.discord.world().guilds()[0].channels()[1].id;
    stage.set("bans_per_hour", "2").await;
    stage.set("log_bans", &own.to_string()).await;
    let moderator = stage.user(5);
    let by = |name: &'static str, user: u64| {
        let mut request = super::command(&stage, name, user, &json!([]));
        request.user_id = moderator;
        request
    };
    for (name, rank) in [("ban", 30), ("softban", 31)] {
        let answer = super::text(&stage.ask(&by(name, stage.user(rank))).await);
        assert!(answer.contains("Case **#"), "{answer}");
    }
    let refused = stage.ask(&by("ban", stage.user(32))).await;
    assert!(
        super::text(&refused).contains("limit for an hour (2)"),
        "{refused:?}"
    );
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 2);
    let entry = stage.logged(own, "reached the limit of 2").await;
    assert!(entry.contains(&format!("<@{moderator}>")), "{entry}");
    assert!(stage.in_channel(log).is_empty(), "bans have a log of their own");
    // Another moderator, and another action, are not concerned.
    let answer = said(&stage, "ban", stage.user(33), json!([])).await;
    assert!(answer.contains("Case **#3**"), "{answer}");
    let answer = super::text(
        &stage
            .ask(&{
                let mut request = super::command(&stage, "kick", stage.user(34), &json!([]));
                request.user_id = moderator;
                request
            })
            .await,
    );
    assert!(answer.contains("Case **#4**"), "{answer}");
    stage.delivered().await;

    stage
        .execute("UPDATE mod_case SET created_at = created_at - interval '61 minutes'")
        .await;
    let answer = super::text(&stage.ask(&by("ban", stage.user(35))).await);
    assert!(answer.contains("Case **#5**"), "{answer}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_the_servers_choice_and_have_its_words() {
    let stage = stage().await;
    stage.set("dm_kick", "off").await;
    stage.set("ban_message", "You are out: {reason}").await;
    stage.set("appeal", "Case {case}").await;
    settled(&stage, "kick", stage.user(30), json!([])).await;
    stage.delivered().await;
    assert_eq!(stage.sent("Case 1").len(), 0);
    let options = json!([of_type(3, "reason", "spam")]);
    settled(&stage, "ban", stage.user(31), options).await;
    stage.delivered().await;
    assert_eq!(stage.sent("You are out"), ["You are out: spam\nCase 2"]);
    stage.end().await;
}

/// Who cancels the end of a temporary ban makes it permanent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_ban_is_cancelled_by_those_who_may_ban() {
    let stage = stage().await;
    let user = stage.user(30);
    order(&stage, "tempban", user, json!([of_type(3, "duration", "1d")])).await;
    until("it has an end", async || {
        (!of_case(&stage, 1, "ends_at").await.is_empty()).then_some(())
    })
    .await;
    let options = json!([{"name": "cancel", "type": 1, "options": [of_type(3, "timer", "tempban_end:1")]}]);
    let mut request = discord_simulator::InteractionRequest::command(
        stage.guild(),
        stage.moderator(),
        "scheduled",
        &options,
    );
    request.member_permissions = Some(super::ALL.to_string());
    let answer = super::text(&stage.ask(&request).await);
    assert!(answer.contains("no longer ends by itself"), "{answer}");
    assert_eq!(of_case(&stage, 1, "ends_at").await, "");
    assert_eq!(
        stage
            .number("SELECT count(*) FROM timer WHERE kind = 'tempban_end'")
            .await,
        0
    );
    stage.end().await;
}
