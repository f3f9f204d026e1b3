//! Warnings that are replayed, simultaneous, or made in an outage: each counts once.

use std::time::Duration;

use discord_simulator::InteractionRequest;
use eventide::{
    discord::guilds::authority::Sanctions,
    features::moderation::{
        Act, Severity,
        duration::Expiry,
        warnings::{self, Names, NewWarning},
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

use crate::support::{
    PATIENCE, gone,
    moderators::{Stage, member, of_type, text},
    until,
};

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

/// The replay of a warning gets its first answer, and not the question that the next warning gets because of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_warning_does_not_ask_because_of_itself() {
    let mut stage = Stage::new().await;
    stage.control().advance_time(Duration::from_hours(1));
    stage.set("confirm_warnings", "1").await;
    let user = stage.user(30);
    let options = json!([member(user), of_type(3, "reason", "x")]);
    let answer = stage.asked(stage.moderator(), "warn", options).await;
    assert!(text(&answer).contains("Case **#1**"));
    let control = stage.control();
    stage.restart(control.stats().resumes).await;
    assert!(control.interact_again(answer.id));
    stage.replayed(answer.id).await;
    let bodies = until("the answer to the replay is recorded", async || {
        let calls = control.rest_calls("POST /interactions/{id}/{token}/callback");
        let of_warning = calls.into_iter().filter(|call| call.path.contains(&answer.token));
        let bodies: Vec<Value> = of_warning.map(|call| call.body).collect();
        (bodies.len() > 1).then_some(bodies)
    })
    .await;
    let said: Vec<&str> = bodies
        .iter()
        .filter_map(|body| body["data"]["content"].as_str())
        .collect();
    assert!(said.iter().all(|said| said.contains("Case **#1**")), "{said:?}");
    assert_eq!(stage.counts(user).await, (1, 1));
    // The next one asks.
    let question = stage.warn(user, json!([])).await;
    assert!(question.contains("one active warning"), "{question}");
    assert_eq!(stage.counts(user).await, (1, 1));
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
        evidence: None,
        appeal_url: None,
    };
    let all =
        join_all((0..8).map(|_| warnings::warn(&store, &settings, (act, Language::English), new.clone())))
            .await;
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
