//! Every setting of a server can be changed on the website.

use std::collections::BTreeSet;

use eventide::settings::GuildSettings;
use serde_json::{Map, Value};
use twilight_model::id::Id;

use super::{browser, database, website};
use crate::support::{
    browser::Browser,
    forms::{Field, Form, forms},
    session::Session,
};

/// Columns of `guild_settings` that are no settings.
const NO_SETTINGS: [&str; 5] = [
    "guild_id",
    "updated_at",
    "card_asked_id",
    "announce_off_reason",
    "rewards_off_reason",
];

/// Whether menus have their first or their last value that is not chosen, and which of two fields that exclude each other is empty.
#[derive(Clone, Copy)]
struct Choice {
    is_last: bool,
    empty: &'static str,
}

const CHOICES: [Choice; 2] = [
    Choice {
        is_last: false,
        empty: "channel",
    },
    Choice {
        is_last: true,
        empty: "role",
    },
];

/// What a visitor enters into a field. `None` leaves a box unticked.
fn entered(field: &Field, choice: Choice, role: &str) -> Option<String> {
    let chosen = match field.kind.as_str() {
        "hidden" => field.value.clone(),
        "checkbox" => {
            let is_of_roles = field.value != "on";
            let ticked = if is_of_roles {
                field.value == role
            } else {
                !field.is_checked
            };
            return ticked.then(|| field.value.clone());
        }
        "number" => field.most.clone().unwrap_or_else(|| "1".to_owned()),
        "select" if !field.is_required && field.name == choice.empty && field.values[0].is_empty() => {
            String::new()
        }
        "select" if field.values.iter().any(|value| value == role) => role.to_owned(),
        "select" => {
            let others = field.values.iter();
            let mut others = others.filter(|value| !value.is_empty() && **value != field.value);
            let other = if choice.is_last {
                others.next_back()
            } else {
                others.next()
            };
            other.unwrap_or(&field.value).clone()
        }
        _ => match field.name.as_str() {
            // Only the first action takes one.
            "duration" if choice.is_last => String::new(),
            "duration" => "1h".to_owned(),
            "colour" => "#123456".to_owned(),
            _ => "x".to_owned(),
        },
    };
    Some(chosen)
}

async fn send(manager: &mut Browser, page: &str, form: &Form, choice: Choice, role: &str) {
    let values = form
        .fields
        .iter()
        .map(|field| (field.name.as_str(), entered(field, choice, role)));
    let values: Vec<(&str, String)> = values.filter_map(|(name, value)| Some((name, value?))).collect();
    let values: Vec<(&str, &str)> = values
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let path = form.action.as_deref().unwrap_or(page);
    let done = manager.post(path, &values).await;
    assert!(
        [200, 303].contains(&done.status),
        "{page}: {values:?}: {}",
        done.text()
    );
}

/// The tables with the trigger that notifies all processes of changed settings.
async fn tables(session: &Session) -> Vec<String> {
    let sql = "SELECT DISTINCT c.relname::text FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
               JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE p.proname = 'notify_guild_settings'";
    let rows = session.client.query(sql, &[]).await.expect(sql);
    rows.iter().map(|row| row.get(0)).collect()
}

async fn row(session: &Session, guild: u64) -> Map<String, Value> {
    let sql = format!("SELECT to_jsonb(s)::text FROM guild_settings AS s WHERE guild_id = {guild}");
    let row = session.client.query_one(&sql, &[]).await.expect("a row");
    serde_json::from_str(row.get(0)).expect("an object")
}

/// What a server has chosen, and the number of its changes in the history.
async fn chosen(session: &Session, guild: u64, tables: &[String]) -> (Vec<String>, i64) {
    let mut chosen = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT coalesce(string_agg(row, ',' ORDER BY row), '')
             FROM (SELECT (to_jsonb(t) - '{{updated_at,card_asked_id}}'::text[])::text AS row FROM {table} AS t WHERE guild_id = {guild}) AS t"
        );
        chosen.push(session.client.query_one(&sql, &[]).await.expect("read").get(0));
    }
    let sql = format!("SELECT count(*) FROM request WHERE guild_id = {guild} AND before ? 'settings'");
    let changes = session.client.query_one(&sql, &[]).await.expect("counted");
    (chosen, changes.get(0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_change_every_column_and_table_of_settings() {
    let here = website().await;
    let guild = here.guild();
    let role = here.discord.control().create_role(guild, "reward", 2);
    let role = role.expect("a role").to_string();
    let session = database(&here).await;
    session
        .execute(&format!("INSERT INTO guild_settings (guild_id) VALUES ({guild})"))
        .await;
    let before = row(&session, guild).await;
    let mut left: BTreeSet<String> = before
        .keys()
        .filter(|column| !NO_SETTINGS.contains(&column.as_str()))
        .cloned()
        .collect();
    let mut tables = tables(&session).await;
    assert!(tables.len() >= 5, "{tables:?}");
    let mut empty: BTreeSet<String> = tables.iter().cloned().collect();
    tables.push("warning_threshold".to_owned());
    let usual = here.bot.settings.of(&here.bot.store, Id::new(guild)).await;
    let usual = usual.expect("settings");

    let settings = format!("/servers/{guild}/settings");
    let mut manager = browser(&here);
    manager.sign_in(&here, here.next_member()).await;
    let overview = manager.get(&settings).await;
    let link = format!("href=\"{settings}/");
    let pages: BTreeSet<String> = overview
        .is(200)
        .between(&link, "\"")
        .into_iter()
        .filter(|page| !["history", "transfer"].contains(page))
        .map(|page| format!("{settings}/{page}"))
        .collect();
    assert!(pages.len() > 8, "{pages:?}");
    for page in &pages {
        for choice in CHOICES {
            for number in 0.. {
                // Each has a token of its own, and shows what was changed before.
                let shown = manager.get(page).await;
                let others = forms(shown.is(200)).into_iter();
                let is_removal = |form: &Form| form.fields.iter().any(|field| field.value == "remove");
                let mut others = others.filter(|form| !is_removal(form));
                let Some(form) = others.nth(number) else {
                    break;
                };
                let (rows, changes) = chosen(&session, guild, &tables).await;
                send(&mut manager, page, &form, choice, &role).await;
                let (now, in_history) = chosen(&session, guild, &tables).await;
                assert!(
                    rows == now || in_history == changes + 1,
                    "form {number} of {page} is not in the history: {rows:?} {now:?}"
                );
                let now = row(&session, guild).await;
                left.retain(|column| now[column] == before[column]);
                let mut filled = Vec::new();
                for table in &empty {
                    let sql = format!("SELECT EXISTS (SELECT FROM {table} WHERE guild_id = {guild})");
                    if session.client.query_one(&sql, &[]).await.expect("read").get(0) {
                        filled.push(table.clone());
                    }
                }
                empty.retain(|table| !filled.contains(table));
            }
        }
    }
    assert!(left.is_empty(), "no form changes {left:?} of guild_settings");
    assert!(empty.is_empty(), "no form changes {empty:?}");

    // All of it can be taken back, the newest first.
    let sql = "SELECT request_id::text FROM request WHERE before ? 'settings' ORDER BY request_id DESC";
    for row in session.client.query(sql, &[]).await.expect(sql) {
        let fields = [("request", row.get(0))];
        manager
            .submit(&format!("{settings}/history"), &fields)
            .await
            .is(303);
    }
    let now = here.bot.settings.of(&here.bot.store, Id::new(guild)).await;
    let now = (*now.expect("settings")).clone();
    // A boost has ended, and stays until all messages before its end are counted.
    assert_eq!(now.earning.clone().with(vec![], vec![], vec![]), usual.earning);
    assert!(now.earning.roles().is_empty() && now.earning.channels().is_empty());
    let now = GuildSettings {
        earning: usual.earning.clone(),
        sections: usual.sections.clone(),
        ..now
    };
    assert_eq!(now, *usual);
    for (table, empty) in [
        ("guild_section", "settings = '{}'"),
        ("warning_threshold", "false"),
        ("level_role", "false"),
    ] {
        let sql = format!("SELECT count(*) FROM {table} WHERE guild_id = {guild} AND NOT ({empty})");
        let left: i64 = session.client.query_one(&sql, &[]).await.expect("counted").get(0);
        assert_eq!(left, 0, "{table}");
    }
    here.end().await;
}
