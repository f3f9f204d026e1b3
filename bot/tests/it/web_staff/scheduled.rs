//! Changing and cancelling what is scheduled.

use super::{BAN, SCRIPT, TIME_OUT, other_guild, stage_with_website};
use crate::support::moderators::Stage;

/// A temporary ban that ends in a day.
async fn ban(stage: &Stage, guild: u64, case: i64) {
    let user = stage.user(31);
    stage
        .execute(&format!(
            "INSERT INTO mod_guild (guild_id, last_case) VALUES ({guild}, {case});
             INSERT INTO mod_case (guild_id, case_id, kind, user_id, moderator_id, reason, created_at, ends_at, outcome)
             VALUES ({guild}, {case}, 'tempban', {user}, 1, '', now(), now() + interval '1 day', 'done')"
        ))
        .await;
    arm(stage, guild, case).await;
}

async fn arm(stage: &Stage, guild: u64, case: i64) {
    stage
        .execute(&format!(
            "INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at)
             VALUES ({guild}, 'tempban_end', {case}, now() + interval '1 day', now() + interval '1 day')"
        ))
        .await;
}

async fn armed(stage: &Stage) -> i64 {
    stage
        .number("SELECT count(*) FROM timer WHERE kind = 'tempban_end'")
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_are_changed_and_cancelled_once_by_those_who_may() {
    let stage = stage_with_website().await;
    let (guild, other) = (stage.guild(), other_guild(&stage));
    ban(&stage, guild, 7).await;
    ban(&stage, other, 8).await;
    let path = format!("/servers/{guild}/scheduled");
    let mut browser = stage.browser(stage.user(1)).await;
    browser.get(&path).await.is(200).shows("name=\"duration\"");
    let change = |duration| {
        [
            ("timer", "tempban_end:7"),
            ("do", "change"),
            ("duration", duration),
        ]
    };
    browser
        .submit(&path, &change("5d"))
        .await
        .is(200)
        .shows("role=\"status\"")
        .shows("now ends 20");
    let later = "SELECT count(*) FROM timer AS t JOIN mod_case AS c ON c.case_id = t.timer_id AND c.ends_at = t.due_at
                 WHERE t.due_at > now() + interval '4 days'";
    assert_eq!(stage.number(later).await, 1);
    let by = "SELECT string_agg(actor_kind || ' ' || actor_id, ',') FROM request WHERE action = 'case_edit'";
    assert_eq!(stage.text_of(by).await, format!("web {}", stage.user(1)));

    // What is wrong is said, and nothing else.
    browser
        .submit(&path, &change(SCRIPT))
        .await
        .is(409)
        .shows("role=\"alert\"")
        .hides(SCRIPT)
        .shows("&lt;script&gt;");
    for timer in ["tempban_end:8", "boost_removal:7", "x", ""] {
        let cancel = [("timer", timer), ("do", "cancel")];
        browser.submit(&path, &cancel).await.is(409);
    }
    // Moderators who may not ban may not keep somebody banned either.
    let cancel = [("timer", "tempban_end:7"), ("do", "cancel")];
    let helper = stage.with_permissions(30, TIME_OUT);
    stage.browser(helper).await.submit(&path, &cancel).await.is(403);
    let mut member = stage.browser(stage.user(32)).await;
    let token = member.get("/sign-out").await.token();
    let form = [&[("token", token.as_str())][..], &cancel[..]].concat();
    member.post(&path, &form).await.is(403);
    let token = browser.get("/sign-out").await.token();
    let form = [&[("token", token.as_str())][..], &cancel[..]].concat();
    let elsewhere = browser.post(&format!("/servers/{other}/scheduled"), &form).await;
    assert!([403, 404].contains(&elsewhere.status), "{elsewhere:?}");
    assert_eq!(armed(&stage).await, 2);

    // A form that is sent twice is one request.
    let token = browser.get(&path).await.token();
    let form = [&[("token", token.as_str())][..], &cancel[..]].concat();
    let words = "no longer ends by itself";
    browser.post(&path, &form).await.is(200).shows(words);
    assert_eq!(armed(&stage).await, 1);
    arm(&stage, guild, 7).await;
    browser.post(&path, &form).await.is(200).shows(words);
    assert_eq!(armed(&stage).await, 2);
    // A moderator who lost the permission since the page was opened.
    let token = browser.get(&path).await.token();
    let form = [&[("token", token.as_str())][..], &cancel[..]].concat();
    assert!(stage.control().set_member_roles(guild, stage.user(1), &[]));
    browser.post(&path, &form).await.is(403);
    assert!(stage.control().set_role_permissions(guild, stage.role, BAN));
    assert_eq!(armed(&stage).await, 2);
    stage.end().await;
}
