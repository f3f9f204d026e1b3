//! Settings of features: `/settings` and the command line have one parser, one renderer and one table.

use discord_simulator::InteractionRequest;
use serde_json::{Value, json};

use super::command_line::{eventide, well};
use crate::support::{
    asking::{ADMINISTRATOR, Here, here, text},
    session::Session,
    until,
};

/// The text that answers `/settings` with these options.
async fn set(here: &Here, options: Value) -> String {
    let request = asked(here, options);
    said(&here.callback(&request).await)
}

fn asked(here: &Here, options: Value) -> InteractionRequest {
    let mut request = here.managing("settings", "", options, Value::Null);
    request.user_id = here.next_member();
    request
}

fn option(name: &str, value: impl Into<Value>) -> Value {
    let value = value.into();
    let kind = if value.is_boolean() { 5 } else { 3 };
    json!({"name": name, "type": kind, "value": value})
}

/// The text of an answer; of a long one it is in an embed.
fn said(answer: &Value) -> String {
    let data = &answer["data"];
    let embed = data["embeds"][0]["description"].as_str().unwrap_or_default();
    format!("{}{embed}", data["content"].as_str().unwrap_or_default())
}

async fn press(here: &Here, id: &str, values: &[&str]) -> Value {
    let mut request =
        InteractionRequest::component(here.guild(), here.next_member(), id, values, json!({"id": "1"}));
    request.member_permissions = Some(ADMINISTRATOR.to_owned());
    here.callback(&request).await
}

/// The custom IDs of an answer's controls.
fn controls(answer: &Value) -> Vec<String> {
    let rows = answer["data"]["components"].as_array().into_iter().flatten();
    let controls = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
    let ids = controls.filter_map(|control| control["custom_id"].as_str());
    ids.map(str::to_owned).collect()
}

/// A setting as the command line shows it.
async fn by_cli(here: &Here, name: &str) -> String {
    let shown = well(&here.scene, &[&here.guild().to_string()]).await;
    let line = shown
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}  ")));
    line.expect("a line").to_owned()
}

/// Wait until the panel says it.
async fn panel_says(here: &Here, line: &str) {
    until(line, async || {
        let panel = said(&press(here, "settings:open:moderation", &[]).await);
        panel.contains(line).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discord_and_the_command_line_give_the_same() {
    let here = here().await;
    let control = here.discord.control();
    let role = control.create_role(here.guild(), "protected", 3).expect("a role");
    let guild = here.guild().to_string();
    for (written, shown, line) in [
        ("off", "false", "Direct message about warnings: Off"),
        ("yes", "true", "Direct message about warnings: On"),
    ] {
        let options = json!([option("setting", "moderation.dm_warn"), option("value", written)]);
        let answer = set(&here, options).await;
        assert!(answer.contains(line), "{answer}");
        assert_eq!(by_cli(&here, "moderation.dm_warn").await, shown);
        // The same by the command line.
        let pair = format!("moderation.dm_warn={written}");
        well(&here.scene, &[&guild, "unset", "moderation.dm_warn"]).await;
        well(&here.scene, &[&guild, "set", &pair]).await;
        assert_eq!(by_cli(&here, "moderation.dm_warn").await, shown);
        panel_says(&here, line).await;
    }
    let pair = format!("moderation.protected_roles=<@&{role}>");
    well(&here.scene, &[&guild, "set", &pair]).await;
    panel_says(&here, &format!("Protected roles: <@&{role}>")).await;
    let json = well(&here.scene, &[&guild, "--json"]).await;
    let json: Value = serde_json::from_str(&json).expect("one object");
    assert_eq!(
        json["sections"]["moderation"]["protected_roles"],
        json!([role.to_string()])
    );

    let options = json!([
        option("setting", "moderation.protected_roles"),
        option("reset", true)
    ]);
    assert!(set(&here, options).await.contains("Protected roles: none"));
    assert_eq!(by_cli(&here, "moderation.protected_roles").await, "none");
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_of_a_section_is_changed_in_its_panel() {
    let here = here().await;
    let control = here.discord.control();
    let role = control
        .create_role(here.guild(), "protected", 3)
        .expect("a role")
        .to_string();
    let panel = here.callback(&asked(&here, json!([]))).await;
    assert!(
        controls(&panel).contains(&"settings:section".to_owned()),
        "{panel}"
    );
    let section = press(&here, "settings:section", &["moderation"]).await;
    assert_eq!(section["type"], 7, "the panel itself changes");
    assert!(said(&section).contains("Protected roles: none"), "{section}");

    let editor = press(&here, "settings:pick:moderation", &["protected_roles"]).await;
    assert!(
        controls(&editor).contains(&"settings:choose:moderation.protected_roles".to_owned()),
        "{editor}"
    );
    let changed = press(&here, "settings:choose:moderation.protected_roles", &[&role]).await;
    assert!(
        said(&changed).contains(&format!("Protected roles: <@&{role}>")),
        "{changed}"
    );
    let editor = press(&here, "settings:pick:moderation", &["dm_warn"]).await;
    for word in ["on", "off", "reset"] {
        let id = format!("settings:{word}:moderation.dm_warn");
        assert!(controls(&editor).contains(&id), "{editor}");
    }
    let changed = press(&here, "settings:off:moderation.dm_warn", &[]).await;
    assert!(
        said(&changed).contains("Direct message about warnings: Off"),
        "{changed}"
    );
    let changed = press(&here, "settings:reset:moderation.dm_warn", &[]).await;
    assert!(
        said(&changed).contains("Direct message about warnings: On"),
        "{changed}"
    );
    let back = press(&here, "settings:back", &[]).await;
    assert!(said(&back).contains("Log channel"), "{back}");

    // The names are proposed while they are typed, in German too.
    let mut typing = asked(
        &here,
        json!([{"name": "setting", "type": 3, "value": "geschützt", "focused": true}]),
    );
    typing.kind = 4;
    typing.locale = Some("de".to_owned());
    let choices = here.callback(&typing).await;
    assert_eq!(
        choices["data"]["choices"][0]["value"], "moderation.protected_roles",
        "{choices}"
    );
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_in_one_line() {
    let here = here().await;
    let guild = here.guild().to_string();
    let setting = |name: &str, value: &str| json!([option("setting", name), option("value", value)]);
    for (options, words) in [
        (setting("moderation.dm_warn", "perhaps"), "it is on or off"),
        (
            setting("moderation.dm_wurn", "on"),
            "did you mean moderation.dm_warn?",
        ),
        (
            setting("moderation.protected_roles", "everybody"),
            "it is a list of roles",
        ),
        (
            setting("moderation.protected_roles", "123456789012345678"),
            "This server has no such role",
        ),
        (json!([option("value", "on")]), "choose a setting"),
        (
            json!([
                option("setting", "moderation.dm_warn"),
                option("value", "on"),
                option("reset", true)
            ]),
            "not both",
        ),
    ] {
        let answer = set(&here, options).await;
        assert!(answer.contains(words) && !answer.contains('\n'), "{answer}");
    }
    let mut request = asked(&here, setting("moderation.dm_warn", "off"));
    request.member_permissions = Some("0".to_owned());
    let answer = text(&here.ask(&request).await);
    assert!(answer.contains("Manage Server"), "{answer}");
    let answer = press(&here, "settings:off:moderation.nothing", &[]).await;
    assert!(said(&answer).contains("older version"), "{answer}");

    for (pair, words) in [
        (
            "moderation.dm_warn=perhaps",
            "moderation.dm_warn cannot be \"perhaps\": it is on or off",
        ),
        ("moderation.dm_wurn=on", "did you mean moderation.dm_warn?"),
        ("moderation.protected_roles=5", "it is a list of roles"),
    ] {
        // What is right beside it is not done either.
        let (code, out, errors) =
            eventide(&here.scene, &[&guild, "set", "moderation.dm_warn=off", pair]).await;
        assert_eq!((code, out.as_str()), (Some(64), ""), "{errors}");
        assert!(errors.contains(words), "{errors}");
    }
    assert_eq!(by_cli(&here, "moderation.dm_warn").await, "true");
    here.end().await;
}

/// What was changed since stays, and an entry of the audit log says what was changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_changes_nothing() {
    let here = here().await;
    let setting = |value: &str| json!([option("setting", "moderation.dm_warn"), option("value", value)]);
    let first = here.ask(&asked(&here, setting("off"))).await;
    set(&here, setting("on")).await;
    let here = Box::pin(here.restarted()).await;
    let control = here.discord.control();
    assert!(control.interact_again(first.id));
    until("the replay is over", async || {
        let now = control.interaction(first.id).expect("known");
        (now.refused_callbacks > first.refused_callbacks).then_some(())
    })
    .await;
    assert_eq!(by_cli(&here, "moderation.dm_warn").await, "true");
    here.end().await;
}

/// Deleted roles leave the settings, what another version has stored stays, and it outlives the change of another setting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_roles_are_forgotten_and_unknown_settings_stay() {
    let here = here().await;
    let (guild, control) = (here.guild(), here.discord.control());
    let roles = ["one", "two"].map(|name| control.create_role(guild, name, 3).expect("a role"));
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    session
        .execute(&format!(
            "INSERT INTO guild_section (guild_id, section, settings)
             VALUES ({guild}, 'moderation', '{{\"protected_roles\": [{}, {}], \"newer\": {{\"role\": {}}}, \"text\": \"{}\"}}')",
            roles[0], roles[1], roles[0], roles[0],
        ))
        .await;
    panel_says(
        &here,
        &format!("Protected roles: <@&{}> <@&{}>", roles[0], roles[1]),
    )
    .await;
    assert!(control.delete_role(guild, roles[0]));
    panel_says(&here, &format!("Protected roles: <@&{}>", roles[1])).await;
    let options = json!([option("setting", "moderation.dm_warn"), option("value", "off")]);
    set(&here, options).await;
    let stored = session
        .client
        .query_one("SELECT settings::text FROM guild_section", &[])
        .await
        .expect("a row");
    let stored: Value = serde_json::from_str(stored.get(0)).expect("JSON");
    assert_eq!(
        stored,
        json!({
            "protected_roles": [roles[1]], "newer": {}, "text": roles[0].to_string(), "dm_warn": false,
        })
    );
    session.close().await;
    here.end().await;
}
