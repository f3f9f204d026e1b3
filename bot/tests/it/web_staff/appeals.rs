//! Appeals of banned users.

use discord_simulator::{InteractionRequest, InteractionState};
use serde_json::{Value, json};
use twilight_model::id::{Id, marker::AuditLogEntryMarker};

use super::{BAN, MANAGE_SERVER, SCRIPT, TIME_OUT, other_guild, stage_with_website};
use crate::support::{
    PATIENCE,
    browser::{Browser, Shown},
    moderators::{Stage, of_type},
    until,
};

/// A server that takes appeals, and a user whom it has banned.
async fn with_a_ban() -> (Stage, u64) {
    let stage = stage_with_website().await;
    stage.set("appeals", "on").await;
    stage.set("appeal_days", "7").await;
    let user = stage.user(31);
    ban(&stage, user, "raid").await;
    (stage, user)
}

async fn ban(stage: &Stage, user: u64, reason: &str) {
    let options = [of_type(6, "user", user.to_string()), of_type(3, "reason", reason)];
    let request = InteractionRequest {
        member_permissions: Some((BAN | TIME_OUT | MANAGE_SERVER).to_string()),
        ..InteractionRequest::command(
            stage.guild(),
            stage.moderator(),
            "ban",
            &options.as_slice().into(),
        )
    };
    stage.ask(&request).await;
    until("the user is banned", async || {
        stage.control().is_banned(stage.guild(), user).then_some(())
    })
    .await;
    stage.delivered().await;
}

fn page(stage: &Stage) -> String {
    format!("/servers/{}/appeal", stage.guild())
}

/// The page of the newest appeal for the staff.
async fn newest(stage: &Stage) -> String {
    let id = stage.text_of("SELECT max(appeal_id)::text FROM appeal").await;
    format!("/servers/{}/appeals/{id}", stage.guild())
}

async fn appeals(stage: &Stage) -> i64 {
    stage.number("SELECT count(*) FROM appeal").await
}

/// Send a form with the token of another page, since the page itself has none.
async fn force(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Shown {
    let token = browser.get("/sign-out").await.token();
    browser
        .post(path, &[&[("token", token.as_str())][..], fields].concat())
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from the ban to the decision")]
async fn a_banned_user_appeals_and_reads_the_decision() {
    let (stage, user) = with_a_ban().await;
    let log = stage.log_to(0).await;
    let path = page(&stage);
    let link = stage.sent("You can appeal here: http");
    assert!(link.len() == 1 && link[0].ends_with(&path), "{link:?}");
    let mut banned = stage.browser(user).await;
    banned.get(&path).await.is(200).shows("<textarea");
    for wrong in ["", " ", &"a".repeat(1_001)] {
        banned.submit(&path, &[("appeal", wrong)]).await.is(400);
    }
    let token = banned.get(&path).await.token();
    let form = [("token", token.as_str()), ("appeal", SCRIPT)];
    for _attempt in 0..2 {
        let done = banned.post(&path, &form).await;
        done.is(200)
            .shows("The staff has your appeal")
            .hides(SCRIPT)
            .shows("&lt;script&gt;")
            .hides("<textarea");
    }
    force(&mut banned, &path, &[("appeal", "again")]).await.is(409);
    assert_eq!(appeals(&stage).await, 1);
    let entry = stage.logged(log, "appeals against their ban").await;
    assert!(
        entry.contains(&newest(&stage).await) && !entry.contains("script"),
        "{entry}"
    );

    // The staff reads it and votes; only those who may ban decide.
    let helper = stage.with_permissions(30, TIME_OUT);
    let (mut helper, mut moderator) = (stage.browser(helper).await, stage.browser(stage.user(1)).await);
    let (list, appeal) = (
        format!("/servers/{}/appeals", stage.guild()),
        newest(&stage).await,
    );
    for shown in [&list, &appeal] {
        let shown = helper.get(shown).await;
        shown
            .is(200)
            .hides(SCRIPT)
            .shows("&lt;script&gt;")
            .hides("value=\"accept\"");
    }
    helper.submit(&appeal, &[("do", "against")]).await.is(200);
    helper
        .submit(&appeal, &[("do", "for")])
        .await
        .is(200)
        .shows("1 for, 0 against");
    moderator
        .submit(&appeal, &[("do", "against")])
        .await
        .is(200)
        .shows("1 for, 1 against");
    for word in ["accept", "decline"] {
        helper.submit(&appeal, &[("do", word)]).await.is(403);
    }
    let decline = [("do", "decline"), ("answer", "<b>not yet</b>")];
    moderator
        .submit(&appeal, &decline)
        .await
        .is(200)
        .shows("&lt;b&gt;not yet")
        .hides("value=\"accept\"");
    for word in ["for", "decline", "accept"] {
        force(&mut moderator, &appeal, &[("do", word)]).await.is(409);
    }
    assert!(stage.control().is_banned(stage.guild(), user));

    // The user reads it, and waits.
    let declined = banned.get(&path).await;
    declined
        .is(200)
        .shows("declined")
        .shows("&lt;b&gt;not yet")
        .shows("You can appeal again from")
        .hides("<textarea");
    declined.hides(&stage.user(1).to_string());
    force(&mut banned, &path, &[("appeal", "again")])
        .await
        .is(409)
        .shows("You can appeal again from");
    assert_eq!(appeals(&stage).await, 1);
    stage
        .execute("UPDATE appeal SET closed_at = closed_at - interval '8 days'")
        .await;
    banned.submit(&path, &[("appeal", "sorry")]).await.is(200);
    assert_eq!(appeals(&stage).await, 2);

    // Accepted: an unban by the moderator, once.
    let appeal = newest(&stage).await;
    let token = moderator.get(&appeal).await.token();
    let form = [
        ("token", token.as_str()),
        ("do", "accept"),
        ("answer", "welcome back"),
    ];
    for _attempt in 0..2 {
        moderator.post(&appeal, &form).await.is(200);
    }
    until("the ban is lifted", async || {
        (!stage.control().is_banned(stage.guild(), user)).then_some(())
    })
    .await;
    let by = "SELECT string_agg(moderator_id || ' ' || reason, ',') FROM mod_case WHERE kind = 'unban'";
    assert_eq!(stage.text_of(by).await, format!("{} welcome back", stage.user(1)));
    banned
        .get(&path)
        .await
        .is(200)
        .shows("accepted")
        .shows("welcome back")
        .shows("not banned")
        .hides("<textarea");
    force(&mut banned, &path, &[("appeal", "again")]).await.is(404);
    stage.end().await;
}

/// `/unban` accepts the appeal that is open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_unban_accepts_the_open_appeal() {
    let (stage, user) = with_a_ban().await;
    let mut banned = stage.browser(user).await;
    banned.submit(&page(&stage), &[("appeal", "sorry")]).await.is(200);
    let options = [of_type(6, "user", user.to_string())];
    let request = InteractionRequest {
        member_permissions: Some((BAN | TIME_OUT).to_string()),
        ..InteractionRequest::command(
            stage.guild(),
            stage.moderator(),
            "unban",
            &options.as_slice().into(),
        )
    };
    stage.ask(&request).await;
    until("the appeal is accepted", async || {
        let accepted = "SELECT count(*) FROM appeal WHERE is_accepted";
        (stage.number(accepted).await == 1).then_some(())
    })
    .await;
    stage.end().await;
}

/// The message about a warning that leads to a ban says where to appeal, and about no other warning.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_by_a_threshold_can_be_appealed() {
    let (stage, _banned) = with_a_ban().await;
    let link = "You can appeal here: http";
    let before = stage.sent(link).len();
    let asked = |name: &str, options: Value| InteractionRequest {
        member_permissions: Some((BAN | TIME_OUT | MANAGE_SERVER).to_string()),
        ..InteractionRequest::command(stage.guild(), stage.moderator(), name, &options)
    };
    let threshold = json!([{"name": "threshold", "type": 2, "options": [{"name": "add", "type": 1, "options": [
        of_type(4, "points", 50), of_type(3, "action", "ban")
    ]}]}]);
    stage.ask(&asked("warning", threshold)).await;
    for (rank, points, links) in [(32, 1, 0), (33, 60, 1)] {
        let user = stage.user(rank);
        let warning = json!([
            of_type(6, "member", user.to_string()),
            of_type(3, "reason", "x"),
            of_type(4, "points", points)
        ]);
        stage.ask(&asked("warn", warning)).await;
        stage.delivered().await;
        assert_eq!(stage.control().is_banned(stage.guild(), user), links == 1);
        assert_eq!(stage.sent(link).len() - before, links);
    }
    stage.end().await;
}

/// A ban that ends otherwise leaves no appeal to be decided, and the staff sees why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_appeal_is_closed_when_the_ban_ends_otherwise() {
    let (stage, by_hand) = with_a_ban().await;
    let log = stage.log_to(0).await;
    let (expired, undone) = (stage.user(32), stage.user(33));
    let asked = |name: &str, options: Value| InteractionRequest {
        member_permissions: Some((BAN | TIME_OUT | MANAGE_SERVER).to_string()),
        ..InteractionRequest::command(stage.guild(), stage.moderator(), name, &options)
    };
    let tempban = json!([
        of_type(6, "user", expired.to_string()),
        of_type(3, "duration", "1d")
    ]);
    stage.ask(&asked("tempban", tempban)).await;
    let massban = asked("massban", json!([of_type(3, "users", undone.to_string())]));
    let mut shown = stage.ask(&massban).await;
    for word in ["tell", "undo"] {
        let find = |state: &InteractionState| {
            let reply = state.reply().cloned().unwrap_or_default();
            let buttons = reply["components"][0]["components"].as_array().cloned();
            let id = buttons.into_iter().flatten().find_map(|button| {
                let id = button["custom_id"].as_str()?.to_owned();
                id.contains(&format!(":{word}:")).then_some(id)
            })?;
            Some((id, reply))
        };
        let found = stage
            .control()
            .wait_interaction(shown.id, |state| find(state).is_some(), PATIENCE)
            .await;
        let (id, message) = found.as_ref().and_then(find).expect(word);
        if word == "undo" {
            assert_eq!(
                stage.sent("You can appeal here: http").len(),
                3,
                "each of them was told"
            );
            for user in [by_hand, expired, undone] {
                let mut banned = stage.browser(user).await;
                banned.submit(&page(&stage), &[("appeal", "sorry")]).await.is(200);
            }
        }
        let press = InteractionRequest {
            member_permissions: massban.member_permissions.clone(),
            ..InteractionRequest::component(stage.guild(), massban.user_id, &id, &[], message)
        };
        shown = stage.ask(&press).await;
    }
    assert!(stage.control().set_banned(stage.guild(), by_hand, false));
    let ms = i64::try_from(stage.control().now_ms()).expect("a time");
    let entry: Id<AuditLogEntryMarker> = eventide::support::ids::at_millis(ms).expect("an ID");
    let unban = json!({
        "id": entry.to_string(), "guild_id": stage.guild().to_string(), "user_id": stage.user(2).to_string(),
        "target_id": by_hand.to_string(), "action_type": 23, "changes": [],
    });
    let control = stage.control();
    control.dispatch(
        Some(stage.guild()),
        "GUILD_AUDIT_LOG_ENTRY_CREATE",
        &unban.to_string(),
    );
    stage
        .execute("UPDATE mod_case SET ends_at = now() - interval '1 second' WHERE kind = 'tempban'")
        .await;
    stage.make_due("tempban_end").await;
    for (user, ended, words) in [
        (by_hand, "by_hand", "lifted the ban in Discord"),
        (expired, "expired", "the ban has ended"),
        (undone, "undone", "took back the massban"),
    ] {
        until(&format!("the appeal is closed: {ended}"), async || {
            let closed = format!(
                "SELECT count(*) FROM appeal WHERE user_id = {user} AND ended = '{ended}' AND closed_at IS NOT NULL"
            );
            (stage.number(&closed).await == 1).then_some(())
        })
        .await;
        let entry = stage.logged(log, words).await;
        assert!(
            entry.contains(&format!("The appeal of <@{user}> is closed")),
            "{entry}"
        );
        let mut staff = stage.browser(stage.user(1)).await;
        let list = format!("/servers/{}/appeals?state=closed&member={user}", stage.guild());
        staff.get(&list).await.is(200).shows(words);
        let mut own = stage.browser(user).await;
        own.get(&page(&stage))
            .await
            .is(200)
            .shows("closed, because your ban has ended");
    }
    let open = format!("/servers/{}/appeals", stage.guild());
    let mut staff = stage.browser(stage.user(1)).await;
    staff.get(&open).await.is(200).shows("no such appeals");
    stage.end().await;
}

/// Neither a server nor a ban is revealed to others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_appeal_is_there_for_the_banned_user_only() {
    let (stage, user) = with_a_ban().await;
    let (path, other) = (page(&stage), other_guild(&stage));
    let mut banned = stage.browser(user).await;
    banned.submit(&path, &[("appeal", "sorry")]).await.is(200);
    let nothing = banned.get("/servers/999999999999999999/leaderboard").await;
    let mut others = vec![
        // A member, the staff, and a user whom the other server does not know.
        (stage.browser(stage.user(33)).await, path.clone()),
        (stage.browser(stage.user(1)).await, path.clone()),
        (stage.browser(999_999_999_999_999_999).await, path.clone()),
        (stage.browser(user).await, format!("/servers/{other}/appeal")),
        (
            stage.browser(user).await,
            "/servers/999999999999999999/appeal".to_owned(),
        ),
        (stage.browser(user).await, "/servers/x/appeal".to_owned()),
    ];
    for (browser, path) in &mut others {
        let shown = browser.get(path).await;
        assert_eq!((shown.status, shown.text()), (404, nothing.text()), "{path}");
        force(browser, path, &[("appeal", "me too")]).await.is(404);
    }
    // Who has not signed in is sent to Discord, whatever the server.
    for path in [path.as_str(), "/servers/999999999999999999/appeal"] {
        stage.stranger().get(path).await.is(303);
    }
    // The pages for the staff: not for the banned user, nor for members, nor from another server.
    let staff = newest(&stage).await;
    banned.get(&staff).await.is(404);
    stage.browser(stage.user(33)).await.get(&staff).await.is(403);
    let elsewhere = staff.replace(&stage.guild().to_string(), &other.to_string());
    let mut moderator = stage.browser(stage.user(1)).await;
    let shown = moderator.get(&elsewhere).await.status;
    assert!([403, 404].contains(&shown), "{shown}");
    stage
        .execute(&format!(
            "INSERT INTO appeal (guild_id, appeal_id, user_id, appeal, created_at) VALUES ({other}, 200000000000000001, {user}, 'x', now())"
        ))
        .await;
    let foreign = format!("/servers/{}/appeals/200000000000000001", stage.guild());
    moderator.get(&foreign).await.is(404);
    force(&mut moderator, &foreign, &[("do", "decline")])
        .await
        .is(404);
    assert_eq!(appeals(&stage).await, 2);
    // Switched off, it is gone.
    stage.set("appeals", "off").await;
    until("the page is gone", async || {
        (banned.get(&path).await.status == 404).then_some(())
    })
    .await;
    stage.end().await;
}

/// The link comes last, and what comes before it is shortened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_message_about_a_ban_has_the_link() {
    let stage = stage_with_website().await;
    stage.set("appeals", "on").await;
    let message = format!("{}{{reason}}", "m".repeat(1_490));
    stage.set("ban_message", &message).await;
    stage.set("appeal", &"a".repeat(1_500)).await;
    ban(&stage, stage.user(31), &"x".repeat(1_000)).await;
    let sent = stage.sent("You can appeal here: http");
    assert!(
        sent.len() == 1 && sent[0].starts_with("mmm") && sent[0].ends_with(&page(&stage)),
        "{sent:?}"
    );
    assert!(sent[0].encode_utf16().count() <= 2_000, "{sent:?}");
    stage.end().await;
}
