//! `/ban`, `/softban`, `/unban`.

use std::time::Duration;

use serde_json::json;

use super::{
    accepted, became, case_is, command, of_case, of_type, order, reason, said, settled, stage, until,
};

const PUT: &str = "PUT /guilds/{id}/bans/{id}";
const DELETE: &str = "DELETE /guilds/{id}/bans/{id}";

/// A ban from the command to the case: the answer, the message that comes before it, the request, the log, the row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_and_what_is_known_of_it() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let (guild, user) = (stage.guild(), stage.user(30));
    let options = json!([
        of_type(3, "reason", "Spam in *every* channel"),
        of_type(3, "delete_messages", "1d")
    ]);
    let answer_to = order(&stage, "ban", user, options).await;
    let first = super::text(&answer_to);
    let summary = format!("🛡️ Case **#1**: **ban** of <@{user}>.");
    assert!(first.starts_with(&summary), "{first}");
    assert_eq!(
        answer_to.callback.as_ref().expect("an answer")["data"]["flags"],
        64
    );
    let answer = became(&stage, &answer_to).await;
    assert!(
        answer.starts_with(&summary) && answer.ends_with("✅ Done."),
        "{answer}"
    );
    assert!(stage.control().is_banned(guild, user));

    let puts = stage.control().rest_calls(PUT);
    assert_eq!(puts.len(), 1);
    assert_eq!(puts[0].body["delete_message_seconds"], 86_400);
    let audit = puts[0].reason.clone().expect("a reason");
    assert!(
        audit.starts_with("Case #1 by ") && audit.ends_with(": Spam in *every* channel"),
        "{audit}"
    );
    let direct = stage.sent("You were banned from **");
    assert_eq!(direct.len(), 1);
    assert!(
        direct[0].contains("(case #1)") && direct[0].contains("> Spam in *every* channel"),
        "{direct:?}"
    );
    let written = stage.control().rest_calls("POST /channels/{id}/messages");
    let content = |call: &discord_simulator::RestCall| {
        let content = call.body["content"].as_str().unwrap_or_default();
        content.contains("You were banned")
    };
    let message = written.iter().find(|call| content(call)).expect("a message");
    assert!(message.number < puts[0].number, "the message comes first");

    stage.delivered().await;
    let entry = stage.logged(log, "**ban** of").await;
    assert!(
        entry.contains("Case **#1**")
            && entry.contains("Moderator: <@")
            && entry.contains("> Spam in *every*"),
        "{entry}"
    );
    for (column, value) in [
        ("kind", "ban"),
        ("outcome", "done"),
        ("message_outcome", "delivered"),
    ] {
        case_is(&stage, 1, column, value).await;
    }
    case_is(&stage, 1, "log_channel_id", &log.to_string()).await;
    for column in ["user_name", "moderator_name", "log_message_id"] {
        assert_ne!(of_case(&stage, 1, column).await, "", "{column}");
    }
    assert_eq!(of_case(&stage, 1, "ends_at").await, "");
    stage.end().await;
}

/// Somebody who has left, or never was here, can be banned by their ID. The bot cannot write to them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_is_no_member_is_banned() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    assert!(stage.control().set_member_left(guild, user, true));
    let answer = settled(&stage, "ban", user, json!([])).await;
    assert!(answer.ends_with("✅ Done."), "{answer}");
    assert!(stage.control().is_banned(guild, user));
    assert!(stage.sent("You were banned").is_empty());
    let puts = stage.control().rest_calls(PUT);
    assert!(
        puts[0]
            .reason
            .as_deref()
            .is_some_and(|audit| audit.starts_with("Case #1 by ") && !audit.contains(':'))
    );
    assert!(puts[0].body["delete_message_seconds"].is_null());
    stage.end().await;
}

/// A softban deletes messages and lets the member come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_softban_is_lifted_at_once() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    let answer = settled(&stage, "softban", user, reason("Links")).await;
    assert!(
        answer.contains("**softban** of") && answer.ends_with("✅ Done."),
        "{answer}"
    );
    case_is(&stage, 1, "end_outcome", "lifted").await;
    assert!(!stage.control().is_banned(guild, user));
    assert_eq!(stage.control().has_left(guild, user), Some(true));
    assert_eq!(
        stage.control().rest_calls(PUT)[0].body["delete_message_seconds"],
        86_400
    );
    assert_eq!(accepted(&stage, DELETE), 1);
    assert_eq!(stage.sent("You can rejoin").len(), 1);
    let reply = said(&stage, "softban", user, json!([])).await;
    assert_eq!(reply, "They are not in this server.");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_is_lifted_and_an_unbanned_user_is_refused() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let (guild, user) = (stage.guild(), stage.user(30));
    let reply = said(&stage, "unban", user, json!([])).await;
    assert_eq!(reply, "They are not banned.");
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 0);
    settled(&stage, "ban", user, json!([])).await;
    let answer = settled(&stage, "unban", user, reason("Appealed")).await;
    assert!(
        answer.contains("**unban** of") && answer.ends_with("✅ Done."),
        "{answer}"
    );
    assert!(!stage.control().is_banned(guild, user));
    assert_eq!(of_case(&stage, 1, "end_outcome").await, "replaced");
    let audit = stage.control().rest_calls(DELETE)[0]
        .reason
        .clone()
        .expect("a reason");
    assert!(
        audit.starts_with("Case #2 by ") && audit.ends_with(": Appealed"),
        "{audit}"
    );
    stage.logged(log, "**unban** of").await;
    assert!(stage.sent("case #2").is_empty(), "no message to the user");
    stage.end().await;
}

/// A ban that another moderator lifted meanwhile is reported as such.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_that_was_lifted_meanwhile() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    settled(&stage, "ban", user, json!([])).await;
    super::fault(
        &stage,
        DELETE,
        Some(1),
        // A 502 could mean that this attempt has lifted the ban.
        discord_simulator::RestFaultKind::RateLimit {
            scope: discord_simulator::LimitScope::User,
            retry_after: 1.0,
        },
    );
    let answer_to = order(&stage, "unban", user, json!([])).await;
    until("the first try was refused", async || {
        (!stage.control().rest_calls(DELETE).is_empty()).then_some(())
    })
    .await;
    assert!(stage.control().set_banned(guild, user, false));
    let answer = became(&stage, &answer_to).await;
    assert!(answer.ends_with("They are not banned."), "{answer}");
    case_is(&stage, 2, "outcome", "gone").await;
    stage.end().await;
}

/// A process that dies before the answer is seen: the next one gets the command again, changes nothing, and does not refuse it either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replayed_commands_do_nothing_twice() {
    let mut stage = stage().await;
    // What is asked in a time to come is not too old after a restart, however long that takes.
    stage.control().advance_time(Duration::from_hours(1));
    let users: Vec<u64> = (30..36).map(|rank| stage.user(rank)).collect();
    let mut asked = Vec::new();
    for (name, user, more) in [
        ("ban", users[0], json!([])),
        ("tempban", users[1], super::lasting("7d")),
        ("softban", users[2], json!([])),
        ("kick", users[3], json!([])),
        ("timeout", users[4], super::lasting("1h")),
        ("untimeout", users[4], json!([])),
        ("ban", users[5], json!([])),
        ("unban", users[5], json!([])),
    ] {
        let answer_to = stage.ask(&command(&stage, name, user, &more)).await;
        became(&stage, &answer_to).await;
        asked.push(answer_to.id);
    }
    stage.delivered().await;
    let control = stage.discord.control();
    let before = control.stats().resumes;
    stage.restart(before).await;
    let requests = control.rest_calls("PUT *").len()
        + control.rest_calls("DELETE *").len()
        + control.rest_calls("PATCH /guilds/*").len();
    for id in &asked {
        assert!(control.interact_again(*id));
        until("the replay was carried out, and its answer refused", async || {
            let after = control.interaction(*id).expect("known");
            (after.refused_callbacks > 0).then_some(())
        })
        .await;
    }
    stage.delivered().await;
    let after = control.rest_calls("PUT *").len()
        + control.rest_calls("DELETE *").len()
        + control.rest_calls("PATCH /guilds/*").len();
    assert_eq!(requests, after, "nothing is done on Discord again");
    let cases = i64::try_from(asked.len()).expect("few");
    assert_eq!(stage.number("SELECT last_case FROM mod_guild").await, cases);
    assert_eq!(
        stage
            .number("SELECT count(*) FROM timer WHERE kind = 'tempban_end'")
            .await,
        1
    );
    stage.end().await;
}

/// Two moderators at the same moment: each has a case, in a row, and the newest decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_moderators_at_once() {
    let stage = stage().await;
    let (guild, user) = (stage.guild(), stage.user(30));
    let asked: Vec<u64> = (0..6)
        .map(|_| stage.interact(&command(&stage, "ban", user, &json!([]))))
        .collect();
    for id in asked {
        let answer = stage
            .control()
            .wait_interaction(id, |answer| answer.reply().is_some(), crate::support::PATIENCE)
            .await;
        let answer = super::text(&answer.expect("an answer"));
        assert!(answer.contains("**ban** of"), "{answer}");
    }
    stage.delivered().await;
    assert!(stage.control().is_banned(guild, user));
    let numbered = "SELECT count(*) FROM mod_case AS c
                    WHERE case_id BETWEEN 1 AND 6 AND (ended_at IS NULL) = (case_id = 6)";
    assert_eq!(stage.number(numbered).await, 6);
    assert_eq!(of_case(&stage, 6, "outcome").await, "done");
    stage.end().await;
}
