//! Reports on the website: what the staff sees, and does.

use discord_simulator::InteractionRequest;

use super::{SCRIPT, TIME_OUT, other_guild, stage_with_website};
use crate::support::{
    browser::Browser,
    moderators::{IN_TIMEOUT_UNTIL, OUT_OF_TIMEOUT_SINCE, Stage, of_type, text},
};

const ADMINISTRATOR: u64 = 1 << 3;

/// A server that takes reports.
async fn with_reports() -> Stage {
    let stage = stage_with_website().await;
    let channel = stage.discord.world().guilds()[0].channels()[1].id;
    stage.set("reports", &format!("<#{channel}>")).await;
    stage
}

/// A member reports another one. Returns the path of the report's page.
async fn report(stage: &Stage, reporter: u64, user: u64, reason: &str) -> String {
    let options = [
        of_type(6, "member", user.to_string()),
        of_type(3, "reason", reason),
    ];
    let request = InteractionRequest {
        member_permissions: Some("0".to_owned()),
        ..InteractionRequest::command(stage.guild(), reporter, "report", &options.as_slice().into())
    };
    let answer = text(&stage.ask(&request).await);
    assert!(answer.contains("has your report"), "{answer}");
    let sql = format!("SELECT max(report_id)::text FROM report WHERE user_id = {user}");
    format!("/servers/{}/reports/{}", stage.guild(), stage.text_of(&sql).await)
}

async fn cases(stage: &Stage) -> i64 {
    stage.number("SELECT count(*) FROM mod_case").await
}

/// The reports in a list.
async fn listed(browser: &mut Browser, path: &str) -> Vec<String> {
    let list = browser.get(path).await;
    let prefix = path.split('?').next().unwrap_or_default();
    let before = format!("href=\"{prefix}/");
    let found = list.is(200).between(&before, "\"").into_iter();
    found.map(|id| format!("{prefix}/{id}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_are_found_and_escaped_and_shown_to_the_staff_only() {
    let stage = with_reports().await;
    let (guild, other) = (stage.guild(), other_guild(&stage));
    let [first, second] = [stage.user(31), stage.user(32)];
    let one = report(&stage, stage.user(33), first, SCRIPT).await;
    let two = report(&stage, stage.user(34), second, "rude").await;
    let path = format!("/servers/{guild}/reports");
    let mut browser = stage.browser(stage.user(1)).await;
    browser
        .get(&path)
        .await
        .is(200)
        .hides(SCRIPT)
        .shows("&lt;script&gt;");
    assert_eq!(listed(&mut browser, &path).await, [two.as_str(), &one]);
    for (query, found) in [
        (format!("member={first}"), vec![one.as_str()]),
        (format!("reporter={}", stage.user(34)), vec![two.as_str()]),
        ("q=RUDE".to_owned(), vec![two.as_str()]),
        ("state=closed".to_owned(), vec![]),
        ("state=all".to_owned(), vec![two.as_str(), one.as_str()]),
        (
            format!("before={}", two.rsplit('/').next().expect("an ID")),
            vec![one.as_str()],
        ),
    ] {
        assert_eq!(
            listed(&mut browser, &format!("{path}?{query}")).await,
            found,
            "{query}"
        );
    }
    for query in ["state=x", "member=x", "before=x"] {
        browser.get(&format!("{path}?{query}")).await.is(400);
    }
    browser
        .get(&one)
        .await
        .is(200)
        .hides(SCRIPT)
        .shows("&lt;script&gt;");

    // Reports of another server, by its own path and by this one's.
    stage
        .execute(&format!(
            "INSERT INTO report (guild_id, report_id, user_id, staff_channel_id, created_at)
             VALUES ({other}, 200000000000000001, {first}, 1, now())"
        ))
        .await;
    for hidden in [
        format!("{path}/200000000000000001"),
        format!("{path}/x"),
        format!("/servers/{other}/reports/200000000000000001"),
    ] {
        let token = browser.get("/sign-out").await.token();
        let form = [("token", token.as_str()), ("do", "dismiss")];
        let (get, post) = (
            browser.get(&hidden).await.status,
            browser.post(&hidden, &form).await.status,
        );
        assert!([403, 404].contains(&get) && get == post, "{hidden}: {get} {post}");
    }
    let open = "SELECT count(*) FROM report WHERE closed_at IS NULL";
    assert_eq!(stage.number(open).await, 3);
    // Members without the permission, and visitors who have not signed in.
    let mut member = stage.browser(first).await;
    for page in [&path, &one] {
        member.get(page).await.is(403).hides("rude");
        stage.stranger().get(page).await.is(303);
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_staff_claims_dismisses_and_punishes_once() {
    let stage = with_reports().await;
    let users: Vec<u64> = (31..35).map(|rank| stage.user(rank)).collect();
    let mut pages = Vec::new();
    for (user, rank) in users.iter().zip(35..) {
        pages.push(report(&stage, stage.user(rank), *user, "rude").await);
    }
    let (mut one, mut two) = (
        stage.browser(stage.user(1)).await,
        stage.browser(stage.user(2)).await,
    );
    one.submit(&pages[0], &[("do", "claim")])
        .await
        .is(200)
        .shows("You have claimed");
    two.submit(&pages[0], &[("do", "claim")])
        .await
        .is(409)
        .shows("Claimed by")
        .hides("value=\"claim\"");
    two.submit(&pages[0], &[("do", "release")])
        .await
        .is(200)
        .shows("no longer claimed")
        .shows("value=\"claim\"");
    one.submit(&pages[0], &[("do", "claim")])
        .await
        .is(200)
        .shows("value=\"release\"");
    two.submit(&pages[1], &[("do", "dismiss")])
        .await
        .is(200)
        .shows("is dismissed")
        .hides("value=\"claim\"");
    let token = one.get("/sign-out").await.token();
    let form = [("token", token.as_str()), ("do", "dismiss")];
    one.post(&pages[1], &form).await.is(409).shows("closed already");
    one.submit(&pages[0], &[("do", "praise")]).await.is(404);

    // A warning, sent twice.
    let token = one.get(&pages[0]).await.token();
    let form = [("token", token.as_str()), ("do", "warn"), ("reason", SCRIPT)];
    for _attempt in 0..2 {
        one.post(&pages[0], &form).await.is(200).hides(SCRIPT).shows("#1");
    }
    assert_eq!(cases(&stage).await, 1);
    let by = "SELECT kind || ' ' || m.moderator_id || ' ' || actor_kind FROM mod_case AS m
              JOIN report AS r USING (guild_id, case_id) JOIN request AS q ON q.subject_id = m.case_id AND q.action = 'warn'";
    assert_eq!(stage.text_of(by).await, format!("warning {} web", stage.user(1)));
    // Without a reason, and by those who may not.
    one.submit(&pages[2], &[("do", "warn"), ("reason", " ")])
        .await
        .is(409);
    let helper = stage.with_permissions(30, TIME_OUT);
    let mut helper = stage.browser(helper).await;
    helper.get(&pages[2]).await.is(200).hides("value=\"ban\"");
    helper.submit(&pages[2], &[("do", "ban")]).await.is(403);
    assert_eq!(cases(&stage).await, 1);
    one.submit(
        &pages[2],
        &[("do", "ban"), ("reason", "raid"), ("duration", "soon")],
    )
    .await
    .is(409);
    one.submit(
        &pages[2],
        &[("do", "ban"), ("reason", "raid"), ("duration", "7d")],
    )
    .await
    .is(200)
    .shows("temporary ban");
    helper
        .submit(
            &pages[3],
            &[("do", "timeout"), ("duration", "1h"), ("reason", "")],
        )
        .await
        .is(200);
    stage.delivered().await;
    assert!(stage.control().is_banned(stage.guild(), users[2]));
    assert!(stage.control().timeout_of(stage.guild(), users[3]).is_some());
    assert_eq!(
        stage
            .number("SELECT count(*) FROM report WHERE closed_at IS NULL")
            .await,
        0
    );
    stage.end().await;
}

/// Discord leaves a member in timeout only what reading takes, and so does the website, but for administrators.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moderator_in_timeout_does_nothing() {
    let stage = with_reports().await;
    let (guild, control) = (stage.guild(), stage.control());
    let page = report(&stage, stage.user(33), stage.user(31), "rude").await;
    let moderator = stage.user(1);
    let mut browser = stage.browser(moderator).await;
    let token = browser.get(&page).await.is(200).token();
    let warn = [("token", token.as_str()), ("do", "warn"), ("reason", "x")];
    let tokens = format!("/servers/{guild}/api");
    let create = [
        ("token", token.as_str()),
        ("do", "create"),
        ("name", "x"),
        ("part", "cases"),
    ];
    assert!(control.time_out(guild, moderator, IN_TIMEOUT_UNTIL));
    browser.post(&page, &warn).await.is(403).hides("rude");
    browser.post(&tokens, &create).await.is(403);
    browser.get(&page).await.is(403).hides("rude");
    let made = "SELECT (SELECT count(*) FROM mod_case) + (SELECT count(*) FROM api_token)";
    assert_eq!(stage.number(made).await, 0);
    // A timeout that is over, and one of an administrator.
    assert!(control.time_out(guild, moderator, OUT_OF_TIMEOUT_SINCE));
    browser.post(&page, &warn).await.is(200).shows("#1");
    let administrator = stage.with_permissions(30, ADMINISTRATOR);
    assert!(control.time_out(guild, administrator, IN_TIMEOUT_UNTIL));
    let mut browser = stage.browser(administrator).await;
    browser.get(&page).await.is(200).shows("rude");
    stage.end().await;
}

/// A member with many warnings is warned after a question, as on Discord.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warning_of_a_member_with_many_is_confirmed() {
    let stage = with_reports().await;
    let user = stage.user(31);
    stage.warn(user, serde_json::Value::Null).await;
    stage.set("confirm_warnings", "1").await;
    let page = report(&stage, stage.user(33), user, "rude").await;
    let mut browser = stage.browser(stage.user(1)).await;
    let asked = browser.submit(&page, &[("do", "warn"), ("reason", SCRIPT)]).await;
    asked.is(200).shows("name=\"sure\"").hides(SCRIPT);
    assert_eq!(cases(&stage).await, 1);
    let token = asked.token();
    let form = [
        ("token", token.as_str()),
        ("do", "warn"),
        ("reason", SCRIPT),
        ("sure", "yes"),
    ];
    for _attempt in 0..2 {
        browser
            .post(&page, &form)
            .await
            .is(200)
            .shows("#2")
            .hides("name=\"sure\"");
    }
    assert_eq!(cases(&stage).await, 2);
    stage.end().await;
}
