//! Attacks on every form. The pages are those that the bot has, so a new one is attacked, too.

use std::collections::{BTreeMap, BTreeSet};

use eventide::app::features::page_patterns;
use serde_json::Value;

use super::{SCRIPT, other_guild, stage_with_website};
use crate::support::{
    browser::{Browser, encoded},
    forms::{Form, forms},
    moderators::Stage,
};

/// What a server of these tests has one of, by the names of its parts in paths.
const ID: u64 = 500_000_000_000_000_000;

/// The ID of something of a server: the same kinds in each server, but with other numbers.
fn own(guild_index: usize) -> u64 {
    ID + guild_index as u64
}

/// A stage whose two servers have something of everything: a case, a report, an appeal, a timer, a token, and a change to undo. Names and
/// texts are hostile.
async fn furnished() -> Stage {
    let stage = stage_with_website().await;
    for (index, guild) in [stage.guild(), other_guild(&stage)].into_iter().enumerate() {
        let (id, case) = (own(index), 70 + index);
        let (user, reporter) = (stage.user(30), stage.user(31));
        stage
            .execute(&format!(
                "INSERT INTO guild_section (guild_id, section, settings)
                 VALUES ({guild}, 'moderation', '{{\"appeals\": true, \"warn_message\": \"{SCRIPT}\"}}');
                 INSERT INTO mod_guild (guild_id, last_case) VALUES ({guild}, {case});
                 INSERT INTO mod_case (guild_id, case_id, kind, user_id, moderator_id, reason, created_at, ends_at, outcome,
                                       user_name, moderator_name)
                 VALUES ({guild}, {case}, 'tempban', {user}, {reporter}, '{SCRIPT}', now(), now() + interval '1 day', 'done',
                         '{SCRIPT}', '{SCRIPT}');
                 INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at)
                 VALUES ({guild}, 'tempban_end', {case}, now() + interval '1 day', now() + interval '1 day');
                 INSERT INTO report (guild_id, report_id, user_id, staff_channel_id, created_at) VALUES ({guild}, {id}, {user}, 1, now());
                 INSERT INTO report_entry (guild_id, report_id, user_id, reason, created_at, locale)
                 VALUES ({guild}, {id}, {reporter}, '{SCRIPT}', now(), 'en-GB');
                 INSERT INTO appeal (guild_id, appeal_id, user_id, appeal, created_at) VALUES ({guild}, {id}, {user}, '{SCRIPT}', now());
                 INSERT INTO api_token (guild_id, token_id, digest, name, parts, created_by, created_at)
                 VALUES ({guild}, {case}, '\\x{case}', '{SCRIPT}', '{{cases}}', 1, now());
                 INSERT INTO warning_threshold (guild_id, points, action) VALUES ({guild}, {case}, 'kick');
                 INSERT INTO member_xp (guild_id, user_id, xp, message_count) VALUES ({guild}, {user}, 500, 20);
                 INSERT INTO request (guild_id, request_id, actor_kind, actor_id, action, details, before, members, created_at)
                 VALUES ({guild}, {id}, 'web', {reporter}, 'settings', '{{\"a\": \"{SCRIPT}\"}}',
                         '{{\"settings\": {{\"moderation.warn_message\": [null, \"{SCRIPT}\"]}}}}', 0, now())"
            ))
            .await;
    }
    let control = stage.control();
    for guild in [stage.guild(), other_guild(&stage)] {
        assert!(control.rename_guild(guild, SCRIPT));
        assert!(control.create_role(guild, SCRIPT, 2).is_some());
    }
    stage
}

/// A path of this pattern in a server, about what the server with this index has.
fn path(pattern: &str, guild: u64, index: usize, stage: &Stage) -> String {
    pattern
        .replace("{guild}", &guild.to_string())
        .replace("{section}", "moderation")
        .replace("{user}", &stage.user(30).to_string())
        .replace("{case}", &(70 + index).to_string())
        .replace("{report}", &own(index).to_string())
        .replace("{appeal}", &own(index).to_string())
}

/// The patterns of pages for people.
fn patterns() -> impl Iterator<Item = &'static str> {
    page_patterns()
        .into_iter()
        .filter(|pattern| !pattern.starts_with("/api/"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_takes_a_form_of_another_website_or_session() {
    let stage = furnished().await;
    let before = stage.text_of(&dump(&stage, None).await).await;
    let (mut victim, mut attacker) = (
        stage.browser(stage.user(0)).await,
        stage.browser(stage.user(1)).await,
    );
    let own = victim.get("/sign-out").await.token();
    let foreign = attacker.get("/sign-out").await.token();
    for pattern in patterns().chain(["/sign-out", "/servers", "/"]) {
        let page = path(pattern, stage.guild(), 0, &stage);
        for token in ["", "1.x", &foreign] {
            victim
                .post(&page, &[("token", token), ("do", "ban")])
                .await
                .is(403);
        }
        for origin in [None, Some("https://evil.example"), Some("null")] {
            let origin = origin.map(|origin| ("Origin".to_owned(), origin.to_owned()));
            victim.headers = origin.into_iter().collect();
            let form = encoded(&[("token", &own), ("do", "ban")]);
            victim.send("POST", &page, &form).await.is(403);
        }
        victim.headers.clear();
    }
    assert_eq!(stage.text_of(&dump(&stage, None).await).await, before);
    stage.end().await;
}

/// Links of pages of a server, from one to the next. Returns one page for each pattern.
async fn crawl(browser: &mut Browser, stage: &Stage) -> BTreeMap<&'static str, String> {
    let start = format!("/servers/{}", stage.guild());
    let mut seen = BTreeSet::from([start.clone()]);
    let mut next = vec![start.clone()];
    let mut found = BTreeMap::new();
    while let Some(page) = next.pop() {
        let shown = browser.get(&page).await;
        shown.is(200);
        let bare = page.split('?').next().unwrap_or_default();
        if let Some(pattern) = pattern_of(bare) {
            found.entry(pattern).or_insert_with(|| bare.to_owned());
        }
        if !shown
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
        {
            continue;
        }
        shown.hides(SCRIPT);
        for link in shown.between("href=\"", "\"") {
            let link = link.replace("&amp;", "&");
            let is_inside = link.starts_with(&start);
            if is_inside && seen.len() < 300 && seen.insert(link.clone()) {
                next.push(link);
            }
        }
    }
    found
}

/// The pattern of a path: of those that match, the one with the fewest names.
fn pattern_of(path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.split('/').collect();
    let matches = |pattern: &&str| {
        let names: Vec<&str> = pattern.split('/').collect();
        let is_one = |(part, name): (&&str, &&str)| part == name || name.starts_with('{');
        parts.len() == names.len() && parts.iter().zip(&names).all(is_one)
    };
    let names = |pattern: &&str| pattern.matches('{').count();
    patterns().filter(matches).min_by_key(names)
}

/// SQL for everything that a server has, or both, as one text.
async fn dump(stage: &Stage, guild: Option<u64>) -> String {
    let tables = stage
        .text_of(
            "SELECT string_agg(DISTINCT c.table_name, ',' ORDER BY c.table_name) FROM information_schema.columns AS c
             JOIN information_schema.tables AS t USING (table_schema, table_name)
             WHERE c.table_schema = current_schema() AND c.column_name = 'guild_id' AND t.table_type = 'BASE TABLE'
               -- What the bot learns of members, and what it delivers.
               AND c.table_name NOT IN ('guild_staff', 'outbox', 'outbox_lane')",
        )
        .await;
    let wanted = guild.map_or_else(|| "true".to_owned(), |guild| format!("t.guild_id = {guild}"));
    let parts: Vec<String> = tables
        .split(',')
        .map(|table| {
            format!(
                "SELECT '{table}: ' || coalesce(string_agg(to_jsonb(t)::text, ',' ORDER BY to_jsonb(t)::text), '') AS part
                 FROM {table} AS t WHERE {wanted}"
            )
        })
        .collect();
    format!(
        "SELECT string_agg(part, E'\\n' ORDER BY part) FROM ({}) AS all_parts",
        parts.join(" UNION ALL ")
    )
}

/// The patterns of pages that have a form, whether or not a link leads to them.
async fn with_forms(browser: &mut Browser, stage: &Stage) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for pattern in patterns().filter(|pattern| pattern.contains("{guild}")) {
        let token = browser.get("/sign-out").await.token();
        let page = path(pattern, stage.guild(), 0, stage);
        let shown = browser.post(&page, &[("token", &token)]).await;
        if shown.status != 405 {
            found.insert(pattern);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_form_reaches_what_another_server_has() {
    let stage = furnished().await;
    let (guild, other) = (stage.guild(), other_guild(&stage));
    let mut owner = stage.browser(stage.user(0)).await;
    let pages = crawl(&mut owner, &stage).await;
    // Names and texts are hostile, and the crawl looked for them.
    let staff: BTreeSet<_> = with_forms(&mut owner, &stage).await;
    // Only those who are banned see this one, in which nothing names anything.
    let missed: Vec<_> = staff
        .iter()
        .filter(|pattern| !pages.contains_key(**pattern) && !pattern.ends_with("/appeal"))
        .collect();
    assert!(missed.is_empty(), "no link leads to the forms of {missed:?}");
    assert!(staff.len() >= 9, "{staff:?}");

    let of_other = dump(&stage, Some(other)).await;
    let before = stage.text_of(&of_other).await;
    // The server itself, and what it has, under the paths of one's own server.
    let token = owner.get("/sign-out").await.token();
    for pattern in patterns().filter(|pattern| pattern.contains("{guild}")) {
        let there = path(pattern, other, 1, &stage);
        owner.get(&there).await.is(404);
        let sent = owner.post(&there, &[("token", &token), ("do", "ban")]).await;
        assert!([404, 405].contains(&sent.status), "{there}: {}", sent.status);
        let named = ["{case}", "{report}", "{appeal}"];
        if named.iter().any(|name| pattern.contains(name)) {
            let here = path(pattern, guild, 1, &stage);
            owner.get(&here).await.is(404);
            let sent = owner.post(&here, &[("token", &token), ("do", "ban")]).await;
            assert!([404, 405].contains(&sent.status), "{here}: {}", sent.status);
        }
    }
    // Its IDs in every field of every form.
    let world = stage.discord.world();
    let channel = world.guilds()[1].channels()[0].id.to_string();
    let role = stage
        .control()
        .create_role(other, "foreign", 2)
        .expect("a role")
        .to_string();
    let (id, case) = (own(1).to_string(), "71".to_owned());
    let timer = format!("tempban_end:{case}");
    let foreign = [&channel, &role, &id, &case, &timer, &other.to_string()].map(Clone::clone);
    let mut sent = 0;
    for page in pages.values() {
        for number in 0.. {
            let Some(form) = forms(&owner.get(page).await).into_iter().nth(number) else {
                break;
            };
            for foreign in &foreign {
                sent += attack(&mut owner, page, (number, &form), foreign).await;
            }
        }
    }
    assert!(sent > 60, "{sent}");
    assert_eq!(
        stage.text_of(&of_other).await,
        before,
        "another server has changed"
    );
    // Nor has this one its roles or channels now.
    for (id, what) in [(&role, "role"), (&channel, "channel")] {
        let sql = format!(
            "SELECT (SELECT count(*) FROM level_role WHERE role_id = {id}) + (SELECT count(*) FROM xp_multiplier WHERE target_id = {id})
                  + (SELECT count(*) FROM xp_boost WHERE target_id = {id})
                  + (SELECT count(*) FROM guild_settings
                     WHERE {id} IN (log_channel_id, announce_channel_id, welcome_channel_id))
                  + (SELECT count(*) FROM guild_section WHERE settings::text ~ '[ \\[]{id}[,\\]}}]')"
        );
        assert_eq!(stage.number(&sql).await, 0, "a foreign {what}");
    }
    stage.end().await;
}

/// Send a form once for each of its buttons, with a foreign ID in every field that a visitor can alter. Returns how many were sent.
async fn attack(owner: &mut Browser, page: &str, (number, form): (usize, &Form), foreign: &str) -> usize {
    let buttons = if form.buttons.is_empty() {
        vec![(String::new(), String::new())]
    } else {
        form.buttons.clone()
    };
    let count = buttons.len();
    for (button, word) in buttons {
        // A token is good for one request.
        let shown = owner.get(page).await;
        let Some(fresh) = forms(&shown).into_iter().nth(number) else {
            return 0;
        };
        let fields: Vec<(&str, &str)> = fresh
            .fields
            .iter()
            .map(|field| match field.name.as_str() {
                // Which form it is, and what it held, are no names of anything.
                "token" | "form" => (field.name.as_str(), field.value.as_str()),
                name if name.starts_with("before.") => (name, field.value.as_str()),
                name => (name, foreign),
            })
            .chain(
                [(button.as_str(), word.as_str())]
                    .into_iter()
                    .filter(|(name, _)| !name.is_empty()),
            )
            .collect();
        let path = fresh.action.as_deref().unwrap_or(page);
        let shown = owner.post(path, &fields).await;
        assert!(shown.status < 500, "{page}: {fields:?}: {}", shown.text());
    }
    count
}

/// What is found in JSON for programs is not read as HTML by a browser.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_for_programs_are_no_html() {
    let stage = furnished().await;
    let mut owner = stage.browser(stage.user(0)).await;
    let page = format!("/servers/{}/api", stage.guild());
    let fields = [
        ("do", "create"),
        ("name", SCRIPT),
        ("part", "cases"),
        ("part", "leaderboard"),
        ("part", "statistics"),
    ];
    let made = owner.submit(&page, &fields).await;
    let token = made.is(200).hides(SCRIPT).between("<p><code>", "<")[0].to_owned();
    for pattern in page_patterns()
        .into_iter()
        .filter(|pattern| pattern.starts_with("/api/"))
    {
        let answer = owner.read(&path(pattern, stage.guild(), 0, &stage), &token).await;
        let kind = answer.is(200).header("content-type").expect("a type");
        assert_eq!(kind, "application/json", "{pattern}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let _: Value = serde_json::from_str(answer.text()).expect("JSON");
    }
    stage.end().await;
}
