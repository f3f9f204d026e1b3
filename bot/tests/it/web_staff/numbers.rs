//! Statistics, the API for programs, and the page for operators.

use serde_json::Value;

use super::here_with_website;
use crate::support::{
    browser::{Browser, Shown},
    session::Session,
};

/// Counts of the last hours.
async fn count(session: &Session, guild: u64) {
    session
        .execute(&format!(
            "INSERT INTO statistic (guild_id, kind, begins_at, is_day, channel_id, command, amount)
             SELECT {guild}, kind, date_trunc('hour', now()) - make_interval(hours => h), false, channel_id, command, amount
             FROM (VALUES ('message', 1, 777000000000000777, '', 1200), ('message', 2, 777000000000000777, '', 34),
                          ('command', 1, 0, 'rank', 5), ('join', 1, 0, '', 6), ('leave', 1, 0, '', 7))
                  AS v (kind, h, channel_id, command, amount)"
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statistics_are_drawn_listed_and_downloaded() {
    let here = here_with_website(|_| {}).await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let guild = here.guild();
    count(&session, guild).await;
    count(&session, here.discord.world().guilds()[1].id()).await;
    let mut browser = Browser::signed_in(&here, &session, here.next_member()).await;
    let path = format!("/servers/{guild}/statistics");
    for days in [1, 7, 30, 90, 365] {
        let page = browser.get(&format!("{path}?days={days}")).await;
        page.is(200)
            .shows("1,234")
            .shows("777000000000000777")
            .shows("<svg")
            .shows("rank")
            .hides("style=\"");
        page.shows("does not count at present");
    }
    browser.get(&format!("{path}?days=2")).await.is(400);
    let file = browser.get(&format!("{path}.csv?days=1")).await;
    assert_eq!(
        file.is(200).header("content-disposition"),
        Some("attachment; filename=\"statistics.csv\"")
    );
    assert_eq!(file.text().lines().count(), 6, "{}", file.text());
    file.shows(",hour,message,777000000000000777,,1200")
        .shows(",hour,command,,rank,5");
    session.close().await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_read_with_a_token_what_it_was_made_for() {
    let here = here_with_website(|config| config.web.requests_per_minute = 100_000).await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let (guild, other) = (here.guild(), here.discord.world().guilds()[1].id());
    count(&session, guild).await;
    let mut browser = Browser::signed_in(&here, &session, here.next_member()).await;
    let path = format!("/servers/{guild}/api");
    let mut other_browser = Browser::signed_in(&here, &session, here.next_member()).await;
    refuses_bad_forms(&mut browser, &mut other_browser, &path).await;
    let made = browser
        .submit(
            &path,
            &[
                ("do", "create"),
                ("name", "<b>bot</b>"),
                ("part", "statistics"),
                ("part", "leaderboard"),
                ("part", "x"),
            ],
        )
        .await;
    made.is(200).hides("<b>bot</b>").shows("&lt;b&gt;bot&lt;/b&gt;");
    let (_, rest) = made.text().split_once("<p><code>").expect("a token");
    let token = rest.split('<').next().expect("a token").to_owned();
    browser
        .get(&path)
        .await
        .is(200)
        .hides(&token)
        .shows("&lt;b&gt;bot&lt;/b&gt;");
    // The token itself is nowhere in the database.
    let sql = "SELECT (SELECT count(*) FROM api_token WHERE encode(digest, 'escape') LIKE $1 OR name LIKE $1)
                    + (SELECT count(*) FROM request WHERE request::text LIKE $1)";
    let pattern = format!("%{token}%");
    let found: i64 = session
        .client
        .query_one(sql, &[&pattern])
        .await
        .expect("searched")
        .get(0);
    assert_eq!(found, 0);

    let (program, mut stranger) = (Browser::of(&here), Browser::of(&here));
    let api = format!("/api/v1/servers/{guild}");
    let read = async |what: &str| program.read(&format!("{api}/{what}"), &token).await;
    let statistics: Value =
        serde_json::from_str(read("statistics?days=1").await.is(200).text()).expect("JSON");
    let counts = statistics["counts"].as_array().expect("counts");
    assert_eq!(counts.len(), 5, "{statistics}");
    assert!(
        counts
            .iter()
            .any(|count| count["channel_id"] == "777000000000000777" && count["amount"] == 1_200)
    );
    let board: Value = serde_json::from_str(read("leaderboard?by=week").await.is(200).text()).expect("JSON");
    assert!(board["members"].is_array(), "{board}");
    refused(&read("cases").await, 403);
    refused(&read("leaderboard?by=luck").await, 400);
    refused(&read("leaderboard?after=0").await, 400);
    refused(&read("nothing").await, 404);
    refused(&stranger.get(&format!("{api}/statistics")).await, 401);
    refused(&program.read(&format!("{api}/statistics"), "x").await, 401);
    refused(
        &program
            .read(&format!("/api/v1/servers/{other}/statistics"), &token)
            .await,
        401,
    );
    refused(
        &stranger.send("POST", &format!("{api}/statistics"), "a=1").await,
        405,
    );

    // Each token has its limit.
    let mut last = 200;
    for _request in 0..200 {
        last = read("statistics?days=1").await.status;
        if last != 200 {
            break;
        }
    }
    assert_eq!(last, 429);
    let (_, id) = browser
        .get(&path)
        .await
        .text()
        .split_once("name=\"id\" value=\"")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a token");
    let id = id.split('"').next().expect("its number");
    browser
        .submit(&path, &[("do", "revoke"), ("id", id)])
        .await
        .is(303);
    refused(&read("statistics").await, 401);
    session.close().await;
    here.end().await;
}

/// Neither forms of others nor tokens without a name or a part are accepted.
async fn refuses_bad_forms(browser: &mut Browser, other_browser: &mut Browser, path: &str) {
    let foreign = other_browser.get(path).await.token();
    for token in ["1.x", &foreign] {
        let fields = [
            ("token", token),
            ("do", "create"),
            ("name", "a"),
            ("part", "cases"),
        ];
        browser.post(path, &fields).await.is(403);
    }
    for wrong in [
        vec![("name", "")],
        vec![("name", "a")],
        vec![("name", &*"a".repeat(51)), ("part", "cases")],
    ] {
        let mut fields = vec![("do", "create")];
        fields.extend(wrong);
        browser.submit(path, &fields).await.is(400);
    }
}

/// Check an error for programs.
fn refused(page: &Shown, status: u16) {
    let error: Value = serde_json::from_str(page.is(status).text()).expect("JSON");
    let reason = error["error"].as_str().expect("a reason");
    assert!(!reason.is_empty() && !reason.contains('\n'), "{reason}");
}

/// The description has the answers that there are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_as_they_are_described() {
    let here = here_with_website(|_| {}).await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let guild = here.guild();
    count(&session, guild).await;
    session
        .execute(&format!(
            "INSERT INTO mod_case (guild_id, case_id, kind, user_id, moderator_id, reason, created_at)
             VALUES ({guild}, 1, 'ban', {0}, {0}, '', now());
             INSERT INTO case_note (guild_id, case_id, note_id, author_id, note, created_at) VALUES ({guild}, 1, 1, {0}, 'n', now());
             INSERT INTO member_xp (guild_id, user_id, xp, message_count) VALUES ({guild}, {0}, 500, 20)
             ON CONFLICT (guild_id, user_id) DO NOTHING",
            here.member(1)
        ))
        .await;
    let mut browser = Browser::signed_in(&here, &session, here.next_member()).await;
    let all = ["leaderboard", "cases", "statistics"].map(|part| ("part", part));
    let fields = [&[("do", "create"), ("name", "all")][..], &all].concat();
    let made = browser.submit(&format!("/servers/{guild}/api"), &fields).await;
    let (_, rest) = made.is(200).text().split_once("<p><code>").expect("a token");
    let token = rest.split('<').next().expect("a token");
    let description = browser.get("/api/v1/openapi.json").await;
    let description: Value = serde_json::from_str(description.is(200).text()).expect("JSON");
    for (path, methods) in description["paths"].as_object().expect("paths") {
        let path = path.replace("{guild}", &guild.to_string()).replace("{case}", "1");
        let answer: Value =
            serde_json::from_str(browser.read(&path, token).await.is(200).text()).expect("JSON");
        let schema = &methods["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        conforms(&description, schema, &answer, &path);
    }
    session.close().await;
    here.end().await;
}

/// Check that a value has the type and exactly the fields of its schema.
fn conforms(description: &Value, schema: &Value, value: &Value, place: &str) {
    let mut fields = serde_json::Map::new();
    let mut parts = vec![schema];
    while let Some(part) = parts.pop() {
        if let Some(name) = part["$ref"].as_str() {
            let pointer = name.trim_start_matches('#');
            parts.push(description.pointer(pointer).expect("a schema"));
        }
        parts.extend(part["allOf"].as_array().into_iter().flatten());
        if let Some(items) = value.as_array() {
            assert_eq!(part["type"], "array", "{place}: {value}");
            assert!(!items.is_empty(), "{place} has nothing to compare");
            for item in items {
                conforms(description, &part["items"], item, place);
            }
            return;
        }
        fields.extend(part["properties"].as_object().cloned().unwrap_or_default());
        let kinds = match &part["type"] {
            Value::String(kind) => vec![kind.as_str()],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => continue,
        };
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            _ => "object",
        };
        assert!(kinds.contains(&kind), "{place}: {value} is no {kinds:?}");
    }
    if let Some(found) = value.as_object() {
        let (described, found_names): (Vec<_>, Vec<_>) = (fields.keys().collect(), found.keys().collect());
        let sorted = |mut names: Vec<&String>| {
            names.sort();
            names.into_iter().cloned().collect::<Vec<_>>()
        };
        assert_eq!(sorted(described), sorted(found_names), "{place}");
        for (name, value) in found {
            conforms(description, &fields[name], value, &format!("{place} {name}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_see_the_state_of_the_bot() {
    let here = here_with_website(|config| {
        config.web.operators = [twilight_model::id::Id::new(1_000)].into();
    })
    .await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    session
        .execute(
            "INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at, failed_at, failure)
                  VALUES (5, 'tempban_end', 1, now(), now(), now(), '<script>alert(1)</script>')",
        )
        .await;
    let mut operator = Browser::signed_in(&here, &session, 1_000).await;
    let page = operator.get("/operators").await;
    page.is(200)
        .shows(">0/")
        .shows("Doctor")
        .shows("checkpoints")
        .shows("statistics")
        .hides("<script>alert")
        .shows("&lt;script&gt;");
    let mut manager = Browser::signed_in(&here, &session, here.next_member()).await;
    manager.get("/operators").await.is(404);
    Browser::of(&here).get("/operators").await.is(404);
    session.close().await;
    here.end().await;
}
