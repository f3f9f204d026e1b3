//! `/massban`: the preview, the bans with a case each, and everything that can come between.

use std::time::Duration;

use discord_simulator::{InteractionRequest, InteractionState, LimitScope, RestFaultKind};
use serde_json::json;

use super::{ALL, BAN, MANAGE_SERVER, Stage, fault, of_case, of_type, settled, stage, text, until};
use crate::support::PATIENCE;

const BULK: &str = "POST /guilds/{id}/bulk-ban";
/// The button "Ban and tell them".
const TELL: usize = 1;

fn request(stage: &Stage, list: &str) -> InteractionRequest {
    let options = json!([of_type(3, "users", list), of_type(3, "reason", "raid")]);
    InteractionRequest {
        member_permissions: Some(ALL.to_string()),
        ..InteractionRequest::command(stage.guild(), stage.moderator(), "massban", &options)
    }
}

/// The IDs of these members, who have no roles.
fn list(stage: &Stage, ranks: std::ops::Range<u32>) -> String {
    let without_roles = |rank| {
        let user = stage.user(rank);
        assert!(stage.control().set_member_roles(stage.guild(), user, &[]));
        user.to_string()
    };
    let ids: Vec<String> = ranks.map(without_roles).collect();
    ids.join(" ")
}

/// What an answer says, also in an embed.
fn said(state: &InteractionState) -> String {
    let reply = state.reply().expect("a reply");
    let embed = reply["embeds"][0]["description"].as_str().unwrap_or_default();
    format!("{}{embed}", reply["content"].as_str().unwrap_or_default())
}

/// Wait for the answer that does not go on.
async fn last_word(stage: &Stage, id: u64) -> InteractionState {
    let is_over = |state: &InteractionState| {
        let reply = state.reply();
        reply.is_some_and(|_| !said(state).ends_with('…'))
    };
    let answered = stage.control().wait_interaction(id, is_over, PATIENCE).await;
    answered.expect("it ends")
}

async fn preview(stage: &Stage, request: &InteractionRequest) -> InteractionState {
    let id = stage.interact(request);
    last_word(stage, id).await
}

/// Press a button below an answer.
fn press(request: &InteractionRequest, state: &InteractionState, button: usize) -> InteractionRequest {
    let message = state.reply().expect("a reply").clone();
    let id = message["components"][0]["components"][button]["custom_id"]
        .as_str()
        .expect("a button")
        .to_owned();
    InteractionRequest {
        member_permissions: request.member_permissions.clone(),
        ..InteractionRequest::component(request.guild_id, request.user_id, &id, &[], message)
    }
}

/// Ask, confirm, and return the last word.
async fn confirmed(stage: &Stage, request: &InteractionRequest) -> InteractionState {
    let asked = preview(stage, request).await;
    let id = stage.interact(&press(request, &asked, 0));
    last_word(stage, id).await
}

async fn cases(stage: &Stage) -> i64 {
    stage.number("SELECT count(*) FROM mod_case").await
}

async fn with_outcome(stage: &Stage, outcome: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM mod_case WHERE outcome = '{outcome}'");
    stage.number(&sql).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_banned_with_a_case_each() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let (guild, control) = (stage.guild(), stage.control());
    let users = list(&stage, 30..75);
    assert!(control.set_member_left(guild, stage.user(31), true));
    let asked = request(&stage, &format!("<@{}>, {users}", stage.user(30)));
    let shown = preview(&stage, &asked).await;
    assert!(said(&shown).contains("**45 users** can be banned"), "{shown:?}");
    assert_eq!((cases(&stage).await, control.rest_calls(BULK).len()), (0, 0));
    let id = stage.interact(&press(&asked, &shown, 0));
    let answer = said(&last_word(&stage, id).await);
    assert!(
        answer.contains("45 of 45 users were banned at once (cases #1 to #45)"),
        "{answer}"
    );
    for rank in 30..75 {
        assert!(control.is_banned(guild, stage.user(rank)), "{rank}");
    }
    assert_eq!(with_outcome(&stage, "done").await, 45);
    let calls = control.rest_calls(BULK);
    let banned: usize = calls
        .iter()
        .map(|call| call.body["user_ids"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(banned, 45, "each once");
    assert!(calls.iter().all(|call| {
        call.reason
            .as_deref()
            .is_some_and(|reason| reason.ends_with(": raid"))
    }));
    let entry = stage.logged(log, "45 of 45 users").await;
    assert!(entry.contains(&format!("<@{}>", asked.user_id)), "{entry}");
    let named = "SELECT count(*) FROM mod_case WHERE kind = 'ban' AND reason = 'raid' AND user_name <> '' AND moderator_name <> ''";
    assert_eq!(stage.number(named).await, 45);
    // The button can be pressed once.
    let again = stage.ask(&press(&asked, &shown, 0)).await;
    assert!(said(&again).contains("already been done"), "{again:?}");
    assert_eq!(cases(&stage).await, 45);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_preview_says_who_cannot_be_banned_and_why() {
    let stage = stage().await;
    let (guild, control) = (stage.guild(), stage.control());
    let role = |name, rank| control.create_role(guild, name, rank).expect("a role");
    let (protected, above_bot) = (role("protected", 1), role("above", 900));
    stage.set("protected_roles", &format!("<@&{protected}>")).await;
    assert!(control.set_member_roles(guild, stage.user(30), &[protected]));
    assert!(control.set_member_roles(guild, stage.user(31), &[above_bot]));
    assert!(control.set_banned(guild, stage.user(32), true));
    let mut asked = request(&stage, "");
    let users = format!(
        "{} {} {} {} {} 100000000000000017 spam {}",
        stage.user(30),
        stage.user(31),
        stage.user(32),
        stage.user(0),
        asked.user_id,
        stage.user(33)
    );
    asked.data["options"][0]["value"] = users.into();
    let shown = said(&preview(&stage, &asked).await);
    for (user, why) in [
        (stage.user(30).to_string(), "a protected role"),
        (stage.user(31).to_string(), "highest role is not below"),
        (stage.user(32).to_string(), "already banned"),
        (asked.user_id.to_string(), "this is you"),
        ("100000000000000017".to_owned(), "no such user"),
        ("spam".to_owned(), "not an ID or mention"),
    ] {
        let line = shown.lines().find(|line| line.contains(why));
        assert!(line.is_some_and(|line| line.contains(&user)), "{why}: {shown}");
    }
    let rank = shown
        .lines()
        .find(|line| line.contains("highest role is not below"));
    assert!(
        rank.is_some_and(|line| line.contains(&stage.user(0).to_string())),
        "the owner: {shown}"
    );
    assert!(shown.contains("**One user** can be banned"), "{shown}");
    for (users, why) in [
        ("spam", "no ID and no mention"),
        (&*stage.user(32).to_string(), "None of these users"),
    ] {
        let shown = said(&preview(&stage, &request(&stage, users)).await);
        assert!(shown.contains(why), "{shown}");
    }
    let many: Vec<String> = (0..201_u64)
        .map(|n| (100_000_000_000_000_000 + n).to_string())
        .collect();
    let shown = said(&preview(&stage, &request(&stage, &many.join(","))).await);
    assert!(shown.contains("201 users. At most 200"), "{shown}");
    assert_eq!(cases(&stage).await, 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permissions_and_the_limit_of_an_hour() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let control = stage.control();
    let asked = request(&stage, &list(&stage, 30..33));
    for (needs, words) in [(BAN, "Ban Members"), (MANAGE_SERVER, "Manage Server")] {
        let lacking = InteractionRequest {
            member_permissions: Some((ALL & !needs).to_string()),
            ..asked.clone()
        };
        let answer = text(&stage.ask(&lacking).await);
        assert!(answer.contains(&format!("You need the **{words}**")), "{answer}");
        assert!(control.set_bot_permissions(stage.guild(), ALL & !needs));
        let answer = text(&stage.ask(&asked).await);
        assert_eq!(answer, format!("I need the **{words}** permission to do that."));
        assert!(control.set_bot_permissions(stage.guild(), ALL));
    }
    let shown = preview(&stage, &asked).await;
    // The same when it is confirmed, and only by the moderator who asked.
    let mut lacking = press(&asked, &shown, 0);
    lacking.member_permissions = Some((ALL & !BAN).to_string());
    assert!(text(&stage.ask(&lacking).await).contains("Ban Members"));
    let mut other = press(&asked, &shown, 0);
    other.user_id = stage.user(25);
    assert!(text(&stage.ask(&other).await).contains("Only the person"));
    stage.set("bans_per_hour", "2").await;
    let refused = stage.ask(&press(&asked, &shown, 0)).await;
    assert!(text(&refused).contains("limit for an hour (2)"), "{refused:?}");
    let entry = stage.logged(log, "3 users at once").await;
    assert!(entry.contains("limit of 2"), "{entry}");
    let kept = stage.ask(&press(&asked, &shown, 2)).await;
    assert!(text(&kept).contains("No one was banned"), "{kept:?}");
    assert_eq!((cases(&stage).await, control.rest_calls(BULK).len()), (0, 0));
    stage.end().await;
}

/// Members who rise or are protected after the preview, users whom Discord does not ban, and all of whom it bans none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_discord_does_not_ban_is_recorded() {
    let stage = stage().await;
    let (guild, control) = (stage.guild(), stage.control());
    let role = |name, position| control.create_role(guild, name, position).expect("a role");
    let (higher, protected, later) = (role("higher", 3), role("protected", 1), role("later", 1));
    stage.set("protected_roles", &format!("<@&{protected}>")).await;
    let asked = request(&stage, &list(&stage, 30..34));
    assert!(control.set_member_roles(guild, stage.user(33), &[later]));
    let shown = preview(&stage, &asked).await;
    assert!(said(&shown).contains("**4 users** can be banned"), "{shown:?}");
    assert!(control.set_member_roles(guild, stage.user(31), &[higher]));
    assert!(control.set_member_roles(guild, stage.user(32), &[protected]));
    let both = format!("<@&{protected}> <@&{later}>");
    stage.set("protected_roles", &both).await;
    let id = stage.interact(&press(&asked, &shown, 0));
    let answer = said(&last_word(&stage, id).await);
    assert!(answer.contains("1 of 4 users"), "{answer}");
    for (rank, why) in [
        (31, "highest role"),
        (32, "a protected role"),
        (33, "a protected role"),
    ] {
        let line = answer.lines().find(|line| line.contains(why)).expect("a line");
        assert!(line.contains(&stage.user(rank).to_string()), "{answer}");
        assert!(!control.is_banned(guild, stage.user(rank)), "{rank}");
    }
    assert_eq!(with_outcome(&stage, "hindrance-rank").await, 1);
    assert_eq!(with_outcome(&stage, "massban-why-protected").await, 2);
    // Banned by hand after the preview: Discord reports a failure, but it is as it should be.
    let asked = request(&stage, &list(&stage, 34..35));
    let shown = preview(&stage, &asked).await;
    assert!(control.set_banned(guild, stage.user(34), true));
    let id = stage.interact(&press(&asked, &shown, 0));
    let answer = said(&last_word(&stage, id).await);
    assert!(answer.contains("1 of 1 users"), "{answer}");
    assert_eq!(control.rest_calls(BULK).last().expect("a call").status, 400);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_is_tried_again_and_what_is_refused_is_not() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let control = stage.control();
    for (ranks, kind) in [
        (30..32, RestFaultKind::Status(502)),
        (32..34, RestFaultKind::StatusAfter(502)),
        (
            34..36,
            RestFaultKind::RateLimit {
                scope: LimitScope::User,
                retry_after: 0.5,
            },
        ),
    ] {
        fault(&stage, BULK, Some(1), kind);
        let answer = said(&confirmed(&stage, &request(&stage, &list(&stage, ranks.clone()))).await);
        assert!(answer.contains("2 of 2 users"), "{ranks:?}: {answer}");
    }
    assert_eq!(with_outcome(&stage, "done").await, 6);
    for (rank, status) in [(40, 403), (44, 404)] {
        fault(&stage, BULK, Some(1), RestFaultKind::Status(status));
        let answer = said(&confirmed(&stage, &request(&stage, &list(&stage, rank..rank + 2))).await);
        assert!(
            answer.contains("0 of 2 users") && answer.contains("then it ended"),
            "{status}: {answer}"
        );
        stage.logged(log, "0 of 2 users").await;
    }
    assert_eq!(
        stage
            .number("SELECT count(*) FROM mod_case WHERE outcome <> 'done'")
            .await,
        4
    );
    assert!((40..46).all(|rank| !control.is_banned(stage.guild(), stage.user(rank))));
    stage.end().await;
}

/// Those who accept messages and are members are told, and all are banned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_told_before() {
    let stage = stage().await;
    let (guild, control) = (stage.guild(), stage.control());
    let asked = request(&stage, &list(&stage, 30..33));
    assert!(control.set_direct_closed(stage.user(30), true));
    assert!(control.set_member_left(guild, stage.user(32), true));
    let shown = preview(&stage, &asked).await;
    let id = stage.interact(&press(&asked, &shown, TELL));
    let answer = said(&last_word(&stage, id).await);
    assert!(answer.contains("3 of 3 users"), "{answer}");
    for (case, became) in [(1, "closed"), (2, "delivered"), (3, "")] {
        assert_eq!(of_case(&stage, case, "message_outcome").await, became, "{case}");
        assert_eq!(of_case(&stage, case, "outcome").await, "done", "{case}");
    }
    let told = stage.sent("You were banned from");
    assert!(
        matches!(&told[..], [told] if told.contains("case #2") && told.contains("raid")),
        "{told:?}"
    );
    let failed = "SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL";
    assert_eq!(stage.number(failed).await, 0);
    stage.end().await;
}

/// A Discord that takes its time for messages, or takes none, delays the bans by no more than a batch may wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telling_members_holds_up_no_ban() {
    const OPEN: &str = "POST /users/@me/channels";
    let stage = stage().await;
    let control = stage.control();
    fault(&stage, OPEN, None, RestFaultKind::Status(502));
    let asked = request(&stage, &list(&stage, 30..32));
    let shown = preview(&stage, &asked).await;
    let id = stage.interact(&press(&asked, &shown, TELL));
    let answer = said(&last_word(&stage, id).await);
    assert!(answer.contains("2 of 2 users"), "{answer}");
    control.clear_faults();
    // Longer for all of them than one batch waits.
    control.add_fault(discord_simulator::RestFault {
        route: OPEN.to_owned(),
        count: None,
        delay_ms: 4_000,
        kind: RestFaultKind::None,
    });
    let asked = request(&stage, &list(&stage, 32..42));
    let shown = preview(&stage, &asked).await;
    let id = stage.interact(&press(&asked, &shown, TELL));
    let answer = said(&last_word(&stage, id).await);
    assert!(answer.contains("10 of 10 users"), "{answer}");
    let untold = "SELECT count(*) FROM mod_case WHERE case_id > 2 AND message_outcome IS NULL";
    assert!(
        stage.number(untold).await > 0,
        "{:?}",
        stage.sent("You were banned")
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_can_be_stopped_between_batches() {
    let stage = stage().await;
    let control = stage.control();
    let asked = request(&stage, &list(&stage, 30..90));
    let shown = preview(&stage, &asked).await;
    control.add_fault(discord_simulator::RestFault {
        route: BULK.to_owned(),
        count: Some(1),
        delay_ms: 2_000,
        kind: RestFaultKind::None,
    });
    let first = stage.ask(&press(&asked, &shown, 0)).await;
    let stopped = stage.ask(&press(&asked, &first, 0)).await;
    assert!(said(&stopped).contains("Stopping"), "{stopped:?}");
    let answer = said(&last_word(&stage, first.id).await);
    assert!(
        answer.contains("of 60 users") && answer.contains("it was stopped"),
        "{answer}"
    );
    let (done, left) = (
        with_outcome(&stage, "done").await,
        with_outcome(&stage, "massban-why-stopped").await,
    );
    assert!(done < 60 && done + left == 60, "{done} and {left}");
    let banned = (30..90).filter(|rank| control.is_banned(stage.guild(), stage.user(*rank)));
    assert_eq!(i64::try_from(banned.count()).ok(), Some(done));
    stage.end().await;
}

/// The bans that are still those of the massban are lifted, with a case each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_bans_are_lifted_by_a_button() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let (guild, control) = (stage.guild(), stage.control());
    let asked = request(&stage, &list(&stage, 30..35));
    let done = confirmed(&stage, &asked).await;
    assert!(said(&done).contains("5 of 5 users"), "{done:?}");
    // One is banned by another case by now, and one no longer is.
    settled(&stage, "unban", stage.user(30), json!([])).await;
    settled(&stage, "ban", stage.user(30), json!([])).await;
    settled(&stage, "unban", stage.user(31), json!([])).await;
    let undo = press(&asked, &done, 0);
    let mut lacking = undo.clone();
    lacking.member_permissions = Some((ALL & !BAN).to_string());
    assert!(text(&stage.ask(&lacking).await).contains("Ban Members"));
    let mut other = undo.clone();
    other.user_id = stage.user(25);
    assert!(text(&stage.ask(&other).await).contains("Only the person"));
    assert_eq!(cases(&stage).await, 8);

    let id = stage.interact(&undo);
    let answer = said(&last_word(&stage, id).await);
    assert!(
        answer.contains("3 of 3 bans were lifted (cases #9 to #11)"),
        "{answer}"
    );
    let banned: Vec<u32> = (30..35)
        .filter(|rank| control.is_banned(guild, stage.user(*rank)))
        .collect();
    assert_eq!(banned, [30]);
    let lifted = "SELECT count(*) FROM mod_case WHERE kind = 'unban' AND case_id > 8 AND outcome = 'done' AND moderator_name <> ''";
    assert_eq!(stage.number(lifted).await, 3);
    let entry = stage.logged(log, "lifted 3 bans").await;
    assert!(entry.contains(&format!("<@{}>", undo.user_id)), "{entry}");
    // A replay lifts nothing, and neither does another press.
    assert!(control.interact_again(id));
    let again = text(&stage.ask(&undo).await);
    assert!(again.contains("None of these bans"), "{again}");
    stage.delivered().await;
    assert_eq!(cases(&stage).await, 11);
    assert_eq!(
        stage
            .in_channel(log)
            .iter()
            .filter(|entry| entry.contains("lifted 3 bans"))
            .count(),
        1
    );
    stage.end().await;
}

/// A process that is killed in the middle, and both interactions once more: each user has one case.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_replayed() {
    let mut stage = Stage::with(|config| config.effects.lease = Duration::from_secs(5)).await;
    assert!(stage.control().set_bot_permissions(stage.guild(), ALL));
    stage.control().advance_time(Duration::from_hours(1));
    let control = stage.control();
    let asked = request(&stage, &list(&stage, 30..80));
    let shown = preview(&stage, &asked).await;
    control.add_fault(discord_simulator::RestFault {
        route: BULK.to_owned(),
        count: Some(1),
        delay_ms: 0,
        kind: RestFaultKind::Silence,
    });
    let begun = stage.ask(&press(&asked, &shown, 0)).await;
    until("the first batch is sent", async || {
        (!control.rest_calls(BULK).is_empty() || control.is_banned(stage.guild(), stage.user(30)))
            .then_some(())
    })
    .await;
    let resumes = control.stats().resumes;
    stage.restart(resumes).await;
    until("all are banned", async || {
        (with_outcome(&stage, "done").await == 50).then_some(())
    })
    .await;
    for id in [shown.id, begun.id] {
        assert!(control.interact_again(id));
        stage.replayed(id).await;
    }
    stage.delivered().await;
    assert_eq!(cases(&stage).await, 50);
    assert!((30..80).all(|rank| control.is_banned(stage.guild(), stage.user(rank))));
    stage.end().await;
}
