//! Pages for the staff of a server: cases, the audit log, and what is scheduled.

use discord_simulator::{Guild, InteractionRequest};
use serde_json::{Value, json};

use super::{SCRIPT, TIME_OUT, here_with_website, stage_with_website};
use crate::support::{
    asking::Here,
    browser::Browser,
    moderators::{member, of_type, text},
    session::Session,
};

const IMAGE: &str = "\"><img src=x onerror=alert(1)>";

/// A case of a guild, whose names and reason are what an attacker would choose.
async fn add_case(
    session: &Session,
    guild: u64,
    case: i64,
    kind: &str,
    (user, moderator): (u64, u64),
    reason: &str,
) {
    let sql = "INSERT INTO mod_case (guild_id, case_id, kind, user_id, user_name, moderator_id, moderator_name, reason, created_at, outcome)
               VALUES ($1, $2, $3, $4, $5, $6, $5, $7, now(), 'done')";
    session
        .client
        .execute(
            sql,
            &[
                &guild.cast_signed(),
                &case,
                &kind,
                &user.cast_signed(),
                &IMAGE,
                &moderator.cast_signed(),
                &reason,
            ],
        )
        .await
        .expect("a case");
}

/// A member with a role that has these permissions.
fn with_permissions(here: &Here, rank: u32, permissions: u64) -> u64 {
    let control = here.discord.control();
    let role = control.create_role(here.guild(), "staff", 5).expect("a role");
    assert!(control.set_role_permissions(here.guild(), role, permissions));
    let user = here.member(rank);
    assert!(control.set_member_roles(here.guild(), user, &[role]));
    user
}

/// A guild in which this user is no member.
fn foreign_guild(here: &Here, user: u64) -> u64 {
    let world = here.discord.world();
    let is_member = |guild: u64| {
        (0..)
            .map_while(|rank| world.member_id(guild, rank))
            .any(|member| member == user)
    };
    let mut guilds = world.guilds().iter().map(Guild::id);
    guilds.find(|guild| !is_member(*guild)).expect("a guild")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cases_are_found_filtered_and_escaped() {
    let here = here_with_website(|_| {}).await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let (guild, [bad, worse]) = (here.guild(), [here.member(3), here.member(4)]);
    let moderator = with_permissions(&here, 1, TIME_OUT);
    for case in 1..=60 {
        add_case(&session, guild, case, "warning", (bad, moderator), "spam").await;
    }
    add_case(&session, guild, 61, "ban", (worse, moderator), SCRIPT).await;
    session
        .client
        .execute(
            "INSERT INTO case_note (guild_id, case_id, note_id, author_id, author_name, note, created_at)
             VALUES ($1, 61, 1, $2, $3, $4, now())",
            &[&guild.cast_signed(), &moderator.cast_signed(), &IMAGE, &SCRIPT],
        )
        .await
        .expect("a note");
    let mut browser = Browser::signed_in(&here, &session, moderator).await;
    let path = format!("/servers/{guild}/cases");
    let list = browser.get(&path).await;
    list.is(200).shows(">#61</a>").shows(">#12</a>").hides(">#11</a>");
    list.hides(SCRIPT).hides("<img src=x").shows("&lt;script&gt;");
    let (_, older) = list.text().split_once("before=").expect("a link to older cases");
    let older = older.split('"').next().expect("a number");
    browser
        .get(&format!("{path}?before={older}"))
        .await
        .is(200)
        .shows(">#11</a>")
        .hides(">#12</a>");
    for (query, shown, hidden) in [
        ("kind=ban", ">#61</a>", ">#60</a>"),
        ("q=SCRIPT", ">#61</a>", ">#60</a>"),
        (&format!("member={bad}"), ">#60</a>", ">#61</a>"),
    ] {
        browser
            .get(&format!("{path}?{query}"))
            .await
            .is(200)
            .shows(shown)
            .hides(hidden);
    }
    let other = here.member(2);
    browser
        .get(&format!("{path}?moderator={other}"))
        .await
        .is(200)
        .shows("There are no such cases.");
    for query in ["kind=exile", "member=x", "before=x"] {
        browser.get(&format!("{path}?{query}")).await.is(400);
    }

    let case = browser.get(&format!("{path}/61")).await;
    case.is(200)
        .hides(SCRIPT)
        .hides("<img src=x")
        .shows("&lt;script&gt;alert(1)&lt;/script&gt;");
    assert_eq!(
        case.text().matches("&lt;script&gt;").count(),
        2,
        "the reason and a note: {}",
        case.text()
    );
    browser
        .get(&format!("{path}/members/{worse}"))
        .await
        .is(200)
        .shows(">#61</a>")
        .hides(">#60</a>");
    browser
        .get(&format!("{path}/moderators"))
        .await
        .is(200)
        .shows("61")
        .hides("<img src=x");

    shown_to_nobody_else(&here, &session, (moderator, bad)).await;
    session.close().await;
    here.end().await;
}

/// Visitors who may not see the cases learn nothing of them.
async fn shown_to_nobody_else(here: &Here, session: &Session, (moderator, bad): (u64, u64)) {
    let guild = here.guild();
    let path = format!("/servers/{guild}/cases");
    let mut browser = Browser::signed_in(here, session, moderator).await;
    // Other servers and their cases are not shown, not even whether they exist.
    let foreign = foreign_guild(here, moderator);
    add_case(session, foreign, 99, "ban", (bad, moderator), "elsewhere").await;
    for hidden in [
        format!("{path}/99"),
        format!("{path}/0"),
        format!("{path}/x"),
        format!("/servers/{foreign}/cases"),
        format!("/servers/{foreign}/cases/99"),
        format!("/servers/{foreign}/cases/members/{bad}"),
        format!("/servers/{foreign}/audit"),
        format!("/servers/{foreign}/scheduled"),
        format!("/servers/{foreign}/statistics"),
        format!("/servers/{foreign}/statistics.csv"),
        format!("/servers/{foreign}/api"),
    ] {
        browser.get(&hidden).await.is(404).hides("elsewhere");
    }
    // Members without the permission, and visitors who have not signed in, see none of it.
    let mut member = Browser::signed_in(here, session, here.member(5)).await;
    let mut stranger = Browser::of(here);
    for page in [
        "cases",
        "cases/61",
        "cases/moderators",
        "audit",
        "scheduled",
        "statistics",
        "statistics.csv",
        "api",
    ] {
        let path = format!("/servers/{guild}/{page}");
        member.get(&path).await.is(403).hides("#61");
        stranger.get(&path).await.is(404).hides("#61");
    }
    // Moderators do not see what needs Manage Server.
    for page in ["audit", "statistics", "statistics.csv", "api"] {
        browser.get(&format!("/servers/{guild}/{page}")).await.is(403);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_log_shows_requests_and_escapes_them() {
    let here = here_with_website(|_| {}).await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let guild = here.guild();
    let options = json!([
        {"name": "setting", "type": 3, "value": "moderation.appeal"}, {"name": "value", "type": 3, "value": SCRIPT}
    ]);
    here.manage("settings", "", options, Value::Null).await;
    session
        .execute(&format!(
            "INSERT INTO request (guild_id, request_id, actor_kind, action, details, created_at)
             SELECT {guild}, 100000000000000000 + n, 'cli', 'old', jsonb_build_object('n', n), '2016-01-01' FROM generate_series(1, 60) AS n"
        ))
        .await;
    let mut browser = Browser::signed_in(&here, &session, here.next_member()).await;
    let path = format!("/servers/{guild}/audit");
    let first = browser.get(&path).await;
    first
        .is(200)
        .hides(SCRIPT)
        .shows("&lt;script&gt;")
        .shows("the bot's operator");
    let (_, before) = first.text().split_once("before=").expect("older entries");
    let before = before.split('"').next().expect("a number");
    browser
        .get(&format!("{path}?before={before}"))
        .await
        .is(200)
        .shows("<code>n</code>: 1<")
        .hides("&lt;script&gt;");
    browser
        .get(&format!("{path}?action=old"))
        .await
        .is(200)
        .hides("&lt;script&gt;");
    browser
        .get(&format!("{path}?actor={}", here.member(1)))
        .await
        .is(200)
        .shows("There are no such entries.");
    session.close().await;
    here.end().await;
}

/// What is deleted is gone from the audit log too, and what another case had stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reasons_of_a_deleted_case_are_in_no_request() {
    let stage = stage_with_website().await;
    let sub = |name: &str, case: i64, reason: Option<String>| {
        let reason = reason.map(|reason| of_type(3, "reason", reason));
        let options: Vec<Value> = [of_type(4, "case", case)].into_iter().chain(reason).collect();
        json!([{"name": name, "type": 1, "options": options}])
    };
    for case in 1..=2 {
        let given = json!([
            member(stage.user(30)),
            of_type(3, "reason", format!("first of {case}"))
        ]);
        let second = sub("edit", case, Some(format!("second of {case}")));
        let third = sub("edit", case, Some(format!("third of {case}")));
        for (command, options) in [
            ("warn", given),
            ("warning", second),
            ("case", third),
            ("warning", sub("remove", case, None)),
        ] {
            text(&stage.asked(stage.moderator(), command, options).await);
        }
    }
    let mut browser = stage.browser(stage.user(1)).await;
    let path = format!("/servers/{}/audit", stage.guild());
    let all = |case: i64| ["first", "second", "third"].map(|which| format!("{which} of {case}"));
    let before = browser.get(&path).await;
    for reason in all(1) {
        before.is(200).shows(&reason);
    }
    let asker = stage.user(20);
    let question = stage.asked(asker, "case", sub("delete", 1, None)).await;
    let question = question.reply().expect("a question").clone();
    let button = question["components"][0]["components"][0]["custom_id"]
        .as_str()
        .expect("a button");
    let press = InteractionRequest::component(stage.guild(), asker, button, &[], question.clone());
    let said = text(&stage.ask(&press).await);
    assert!(said.contains("was deleted"), "{said}");
    let after = browser.get(&path).await;
    for reason in all(1) {
        after.is(200).hides(&reason);
    }
    for reason in all(2) {
        after.shows(&reason);
    }
    let left = "SELECT count(*) FROM request AS r WHERE r::text LIKE '% of 1%'";
    assert_eq!(stage.number(left).await, 0);
    // The answers to replays can still be read.
    let answers = "SELECT count(*) FROM request WHERE subject_id = 1 AND result->>'reason' = ''";
    assert_eq!(stage.number(answers).await, 2);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_scheduled_and_what_failed_is_shown() {
    let here = here_with_website(|_| {}).await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let guild = here.guild();
    let other = here.discord.world().guilds()[1].id();
    for (guild, timer) in [(guild, 7), (guild, 9), (other, 8)] {
        session
            .execute(&format!(
                "INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at)
                 VALUES ({guild}, 'tempban_end', {timer}, now() + interval '1 day', now() + interval '1 day')"
            ))
            .await;
    }
    session
        .execute(&format!(
            "UPDATE timer SET failed_at = now(), failure = '{SCRIPT}' WHERE timer_id = 9"
        ))
        .await;
    let mut browser = Browser::signed_in(&here, &session, with_permissions(&here, 1, TIME_OUT)).await;
    let page = browser.get(&format!("/servers/{guild}/scheduled")).await;
    page.is(200)
        .shows("temporary ban in case #7")
        .shows("case #9")
        .hides("#8");
    page.hides(SCRIPT)
        .shows("&lt;script&gt;")
        .shows("<h2>Failed</h2>");
    session.close().await;
    here.end().await;
}
