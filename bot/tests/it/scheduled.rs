//! `/scheduled`: what is to happen later in a server, shown to its staff, changed and cancelled by those who may.

use std::collections::BTreeSet;

use discord_simulator::InteractionRequest;
use eventide::{
    app::features::{scheduled_kinds, timers},
    config::Config,
    discord::rest::Rest,
    settings::Settings,
};
use serde_json::{Value, json};

use crate::support::{
    asking::{Here, here, text},
    session::Session,
    until,
};

/// A timer of the guild, due in a day.
async fn arm(session: &Session, guild: u64, kind: &str, timer_id: i64) {
    session
        .execute(&format!(
            "INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at)
             VALUES ({guild}, '{kind}', {timer_id}, now() + interval '1 day', now() + interval '1 day')"
        ))
        .await;
}

async fn count(session: &Session, kind: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM timer WHERE kind = '{kind}'");
    session.client.query_one(&sql, &[]).await.expect("counted").get(0)
}

fn cancel(here: &Here, timer: &str) -> InteractionRequest {
    let options = json!([{"name": "timer", "type": 3, "value": timer}]);
    let mut request = here.managing("scheduled", "cancel", options, Value::Null);
    request.user_id = here.next_member();
    request
}

async fn list(here: &Here, options: Value) -> String {
    here.manage("scheduled", "list", options, Value::Null).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_see_what_is_to_happen_and_what_failed() {
    let here = here().await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let guild = here.guild();
    assert!(list(&here, json!([])).await.contains("Nothing is scheduled"));
    arm(&session, guild, "tempban_end", 7).await;
    arm(&session, guild, "of_a_later_version", 8).await;
    arm(&session, guild + 1, "tempban_end", 9).await;
    let shown = list(&here, json!([])).await;
    assert!(shown.contains("end of the temporary ban in case #7"), "{shown}");
    assert!(
        shown.contains("a timer of the kind of_a_later_version"),
        "{shown}"
    );
    assert!(shown.contains("<t:") && !shown.contains("#9"), "{shown}");

    let failed = json!([{"name": "failed", "type": 5, "value": true}]);
    assert!(list(&here, failed.clone()).await.contains("has failed"));
    session
        .execute("UPDATE timer SET failed_at = now(), failure = 'Unknown Ban' WHERE timer_id = 7")
        .await;
    let shown = list(&here, failed).await;
    assert!(shown.contains("case #7. Failed: Unknown Ban"), "{shown}");
    assert!(!list(&here, json!([])).await.contains("case #7"));

    let mut request = here.managing("scheduled", "list", json!([]), Value::Null);
    request.member_permissions = Some("0".to_owned());
    let refused = text(&here.ask(&request).await);
    assert!(refused.contains("You need the **"), "{refused}");
    session.close().await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_is_changed_and_cancelled_once_by_those_who_may() {
    const TIME_OUT: u64 = 1 << 40;
    const BAN: u64 = 1 << 2;
    let here = here().await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let guild = here.guild();
    assert!(here.discord.control().set_bot_permissions(guild, TIME_OUT | BAN));
    let user = here.member(2);
    session
        .execute(&format!(
            "INSERT INTO mod_guild (guild_id, last_case) VALUES ({guild}, 7);
             INSERT INTO mod_case (guild_id, case_id, kind, user_id, moderator_id, reason, created_at, ends_at, outcome)
             VALUES ({guild}, 7, 'tempban', {user}, 1, '', now(), now() + interval '1 day', 'done')"
        ))
        .await;
    arm(&session, guild, "tempban_end", 7).await;
    arm(&session, guild, "boost_removal", 8).await;

    // The list to choose from has what can be changed.
    let options = json!([{"name": "timer", "type": 3, "value": "ban", "focused": true}]);
    let mut typing = here.managing("scheduled", "cancel", options, Value::Null);
    typing.kind = 4;
    let choices = here.callback(&typing).await["data"]["choices"].clone();
    assert_eq!(choices[0]["value"], "tempban_end:7", "{choices}");
    assert_eq!(choices.as_array().map(Vec::len), Some(1), "{choices}");
    let name = choices[0]["name"].as_str().expect("a name");
    assert!(
        name.starts_with("end of the temporary ban of @") && name.ends_with(" in case #7"),
        "{name}"
    );
    assert!(!name.contains(&user.to_string()), "a name and no ID: {name}");
    let shown = list(&here, json!([])).await;
    assert!(
        shown.contains(&format!("temporary ban of <@{user}> in case #7")),
        "{shown}"
    );

    for (timer, words) in [
        ("boost_removal:8", "cannot be changed or cancelled"),
        ("of_nobody:8", "choose a timer"),
        ("tempban_end", "choose a timer"),
        ("tempban_end:9", "There is no case **#9**"),
    ] {
        let answer = text(&here.ask(&cancel(&here, timer)).await);
        assert!(answer.contains(words), "{answer}");
    }
    // Moderators who may not ban may not keep somebody banned either.
    let mut request = cancel(&here, "tempban_end:7");
    request.member_permissions = Some(TIME_OUT.to_string());
    let answer = text(&here.ask(&request).await);
    assert!(answer.contains("Ban Members"), "{answer}");
    assert_eq!(count(&session, "tempban_end").await, 1);

    let options = json!([
        {"name": "timer", "type": 3, "value": "tempban_end:7"},
        {"name": "duration", "type": 3, "value": "5d"}
    ]);
    let answer = here.manage("scheduled", "change", options, Value::Null).await;
    assert!(
        answer.contains("temporary ban of") && answer.contains("now ends <t:"),
        "{answer}"
    );
    let later = "SELECT count(*) FROM timer AS t JOIN mod_case AS c ON c.case_id = t.timer_id AND c.ends_at = t.due_at
                 WHERE t.due_at > now() + interval '4 days'";
    let moved: i64 = session.client.query_one(later, &[]).await.expect(later).get(0);
    assert_eq!(moved, 1);

    let cancelled = here.ask(&cancel(&here, "tempban_end:7")).await;
    assert!(text(&cancelled).contains("the ban of"), "{cancelled:?}");
    assert!(
        text(&cancelled).contains("no longer ends by itself"),
        "{cancelled:?}"
    );
    assert_eq!(count(&session, "tempban_end").await, 0);
    // A replay does not cancel what was armed since, and gets the same answer.
    arm(&session, guild, "tempban_end", 7).await;
    let here = Box::pin(here.restarted()).await;
    let control = here.discord.control();
    assert!(control.interact_again(cancelled.id));
    until("the replay is over", async || {
        let now = control.interaction(cancelled.id).expect("known");
        (now.refused_callbacks > cancelled.refused_callbacks).then_some(())
    })
    .await;
    assert_eq!(count(&session, "tempban_end").await, 1);
    session.close().await;
    here.end().await;
}

/// A feature that registers a kind of timer says how it reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_timer_has_words() {
    let here = here().await;
    let (config, store) = (Config::defaults(), here.scene.store());
    let settings = Settings::new(&config.levels);
    let rest: &Rest = &here.bot.rest;
    let kinds: BTreeSet<&str> = timers(&config, &store, rest, &settings)
        .kinds()
        .into_iter()
        .collect();
    let worded: BTreeSet<&str> = scheduled_kinds().into_iter().collect();
    assert!(kinds.is_subset(&worded), "{kinds:?} without {worded:?}");
    store.close();
    here.end().await;
}
