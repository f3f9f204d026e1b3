//! Members who come back: staff learn of it, and a long timeout goes on.

use std::time::Duration;

use discord_simulator::{InteractionRequest, RestFaultKind};
use serde_json::json;

use super::{ALL, Stage, accepted, case_is, fault, lasting, of_case, of_type, settled, timers, until};

const PATCH: &str = "PATCH /guilds/{id}/members/{id}";

async fn stage_with(member_events: bool) -> Stage {
    let stage = Stage::with(|config| config.discord.member_events = member_events).await;
    assert!(stage.control().set_bot_permissions(stage.guild(), ALL));
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_learn_of_members_with_cases_who_come_back() {
    let mut stage = stage_with(true).await;
    let log = stage.log_to(0).await;
    let [twice, once, muted, new] = [30, 31, 32, 33].map(|rank| stage.user(rank));
    for user in [twice, twice, once] {
        stage.warn(user, json!([])).await;
    }
    settled(&stage, "timeout", muted, lasting("2d")).await;
    let (guild, control) = (stage.guild(), stage.control());
    let returns = |user| {
        assert!(control.set_member_left(guild, user, true));
        control.advance_time(Duration::from_secs(1));
        assert!(control.set_member_left(guild, user, false));
    };
    let alerts = |stage: &Stage| -> Vec<String> {
        let log = stage.in_channel(log);
        log.into_iter().filter(|entry| entry.starts_with("👀")).collect()
    };
    // Off by default: the last one shows that these were written.
    returns(twice);
    returns(muted);
    let marker = json!({
        "guild_id": guild.to_string(), "user": {"id": stage.user(34).to_string(), "username": "somebody"}, "roles": [],
        "joined_at": "2036-11-23T12:00:00.000000+00:00", "pending": true,
    });
    control.dispatch(Some(guild), "GUILD_MEMBER_ADD", &marker.to_string());
    until("they are written", async || {
        let screened = stage.number("SELECT count(*) FROM member_arrival").await;
        (screened > 0).then_some(())
    })
    .await;
    stage.set("rejoin_alert", "2").await;
    for user in [twice, once, new, muted] {
        returns(user);
    }
    stage.logged(log, "in timeout until <t:").await;
    stage
        .logged(log, &format!("<@{twice}> is back, with 2 cases"))
        .await;
    let all = alerts(&stage);
    assert_eq!(all.len(), 2, "{all:?}");
    for words in [
        format!("<@{twice}> is back, with 2 cases (the newest is **#2**)"),
        format!("<@{muted}> is back, and in timeout until <t:"),
    ] {
        assert!(all.iter().any(|entry| entry.contains(&words)), "{words}: {all:?}");
    }
    // Discord keeps a timeout that it has whole.
    assert_eq!(accepted(&stage, PATCH), 1);
    // A replay of the events, in another process, adds none.
    let resumes = control.stats().resumes;
    stage.restart(resumes).await;
    stage.warn(once, json!([])).await;
    returns(once);
    stage.logged(log, &format!("<@{once}> is back")).await;
    assert_eq!(alerts(&stage).len(), 3);
    stage.end().await;
}

/// A long timeout whose member leaves until the part that Discord has is over.
async fn a_long_timeout_goes_on(member_events: bool) {
    let stage = stage_with(member_events).await;
    let (guild, user, control) = (stage.guild(), stage.user(30), stage.control());
    settled(&stage, "timeout", user, lasting("60d")).await;
    assert!(control.set_member_left(guild, user, true));
    super::punishment_timers::fire(&stage, "timeout_renewal").await;
    case_is(&stage, 1, "end_outcome", "case-away").await;
    assert_eq!(timers(&stage, "timeout_renewal").await, 1, "it is tried again");
    // The part is over.
    assert!(control.end_timeout(guild, user));
    control.advance_time(Duration::from_secs(1));
    assert!(control.set_member_left(guild, user, false));
    if !member_events {
        super::punishment_timers::fire(&stage, "timeout_renewal").await;
    }
    until("the member is in timeout again", async || {
        control.timeout_of(guild, user)
    })
    .await;
    case_is(&stage, 1, "end_outcome", "").await;
    assert_eq!(of_case(&stage, 1, "ended_at").await, "");
    assert_eq!(timers(&stage, "timeout_renewal").await, 1);
    assert_eq!(accepted(&stage, PATCH), 2);
    // A moderator lifts it by hand: it is over.
    assert!(control.end_timeout(guild, user));
    super::punishment_timers::fire(&stage, "timeout_renewal").await;
    case_is(&stage, 1, "end_outcome", "gone").await;
    assert_eq!(control.timeout_of(guild, user), None);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_timeout_goes_on_when_its_member_is_back() {
    a_long_timeout_goes_on(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_timeout_goes_on_without_the_members_intent() {
    a_long_timeout_goes_on(false).await;
}

/// A long timeout whose member leaves before it becomes shorter on Discord.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeout_that_became_shorter_meanwhile() {
    let stage = stage_with(true).await;
    let (guild, user, control) = (stage.guild(), stage.user(30), stage.control());
    settled(&stage, "timeout", user, lasting("60d")).await;
    let before = control.timeout_of(guild, user).expect("a timeout");
    fault(&stage, PATCH, None, RestFaultKind::Status(502));
    let options = json!([{"name": "edit", "type": 1, "options": [
        of_type(4, "case", 1), of_type(3, "duration", "1d")
    ]}]);
    let edit = InteractionRequest {
        member_permissions: Some(ALL.to_string()),
        ..InteractionRequest::command(guild, stage.moderator(), "case", &options)
    };
    stage.ask(&edit).await;
    until("Discord has not taken it", async || {
        let calls = control.rest_calls(PATCH);
        calls.iter().any(|call| call.status == 502).then_some(())
    })
    .await;
    assert!(control.set_member_left(guild, user, true));
    control.clear_faults();
    case_is(&stage, 1, "end_outcome", "case-away").await;
    assert_eq!(timers(&stage, "timeout_renewal").await, 0);
    assert_eq!(accepted(&stage, PATCH), 1);
    control.advance_time(Duration::from_secs(1));
    assert!(control.set_member_left(guild, user, false));
    until("it is shorter on Discord too", async || {
        control.timeout_of(guild, user).filter(|end| *end < before)
    })
    .await;
    case_is(&stage, 1, "end_outcome", "").await;
    assert_eq!(of_case(&stage, 1, "ended_at").await, "");
    assert_eq!(accepted(&stage, PATCH), 2);
    stage.end().await;
}
