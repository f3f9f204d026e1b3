//! Checks for every command, subcommand and button, derived from the registered definitions, so that new ones are tested as well.

mod authority;
mod longest;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use discord_simulator::{InteractionRequest, InteractionState, SentFile};
use eventide::postgres::embedded::StopMode;
use futures_util::{StreamExt as _, stream};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use crate::support::{
    PATIENCE,
    asking::{ADMINISTRATOR, Here, here},
    effects::delivered,
    gone,
    session::Session,
    until,
};

/// Asked at the same time, fewer than the bot takes.
const AT_ONCE: usize = 8;

/// Tables that change by themselves and are not compared. `warning` and `mod_case` record the outcomes of their effects; a second case would
/// be counted in `mod_guild` as well. Locks, slow modes and deletions record their progress.
const MOVING: [&str; 11] = [
    "outbox",
    "outbox_lane",
    "request",
    "effect_failure",
    "warning",
    "mod_case",
    "given_role",
    "channel_lock",
    "channel_slowmode",
    "purge",
    "report",
];

/// A command, one of its subcommands, or an entry of a menu.
#[derive(Clone, Debug)]
struct Leaf {
    command: String,
    /// Discord's number of its type.
    kind: u64,
    path: String,
    options: Vec<Value>,
    /// The permissions with which Discord shows it.
    needs: Option<String>,
}

/// A control under an answer.
#[derive(Clone, Debug)]
struct Control {
    definition: Value,
    message: Value,
    /// The user who received the reply.
    asker: u64,
}

fn leaves(here: &Here) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for command in here.discord.control().commands(None) {
        let name = command["name"].as_str().expect("a name");
        let needs = command["default_member_permissions"].as_str().map(str::to_owned);
        let of = (name, command["type"].as_u64().expect("a type"), needs.as_ref());
        add(&mut leaves, of, "", &command["options"]);
    }
    assert!(leaves.len() > 30, "{}", leaves.len());
    leaves
}

fn add(leaves: &mut Vec<Leaf>, of: (&str, u64, Option<&String>), path: &str, options: &Value) {
    let options = options.as_array().cloned().unwrap_or_default();
    let is_group = |option: &Value| matches!(option["type"].as_u64(), Some(1 | 2));
    if options.iter().any(is_group) {
        for option in options {
            let path = format!("{path} {}", option["name"].as_str().expect("a name"));
            add(leaves, of, &path, &option["options"]);
        }
    } else {
        leaves.push(Leaf {
            command: of.0.to_owned(),
            kind: of.1,
            path: path.trim().to_owned(),
            options,
            needs: of.2.cloned(),
        });
    }
}

/// A message in the first channel, for the menu of messages.
fn message(here: &Here) -> u64 {
    let control = here.discord.control();
    let id = control.write_message(here.channel(), here.member(2), "hello", &json!({}));
    id.expect("written")
}

impl Leaf {
    fn ask(&self, here: &Here, options: impl IntoIterator<Item = Value>) -> InteractionRequest {
        let options = Value::Array(options.into_iter().collect());
        let mut request = here.managing(&self.command, &self.path, options, Value::Null);
        let target = match self.kind {
            2 => Some(here.member(2)),
            3 => Some(message(here)),
            _ => None,
        };
        if let Some(target) = target {
            request.data = json!({"type": self.kind, "name": self.command, "target_id": target.to_string()});
        }
        request.user_id = here.next_member();
        request
    }

    /// With everything that can be given.
    fn in_full(&self, here: &Here, roles: Roles) -> InteractionRequest {
        self.ask(here, self.options.iter().map(|option| given(here, roles, option)))
    }

    /// With the required options.
    fn in_short(&self, here: &Here, roles: Roles) -> InteractionRequest {
        let required = self.options.iter().filter(|option| option["required"] == true);
        self.ask(here, required.map(|option| given(here, roles, option)))
    }

    /// With the required options, and with its target.
    fn about(&self, here: &Here, roles: Roles, kind: u64) -> InteractionRequest {
        let chosen = |option: &&Value| option["required"] == true || option["type"] == kind;
        let options = self.options.iter().filter(chosen);
        self.ask(here, options.map(|option| given(here, roles, option)))
    }
}

/// The role of these tests, to be given and chosen.
#[derive(Clone, Copy)]
struct Roles {
    low: u64,
}

impl Roles {
    fn of(here: &Here) -> Self {
        let low = here.discord.control().create_role(here.guild(), "reward", 1);
        Self {
            low: low.expect("a role"),
        }
    }
}

/// An option with a sensible value.
fn given(here: &Here, roles: Roles, option: &Value) -> Value {
    let first = &option["choices"][0]["value"];
    let value = match option["type"].as_u64() {
        _ if !first.is_null() => first.clone(),
        Some(4) => option["min_value"].as_i64().unwrap_or(1).max(1).into(),
        Some(10) => option["min_value"].as_f64().unwrap_or(1.0).max(1.5).into(),
        // A setting is changed or reset.
        Some(5) if option["name"] == "reset" => false.into(),
        Some(5) => true.into(),
        Some(6) => here.member(2).to_string().into(),
        Some(7) => here.channel().to_string().into(),
        Some(8) => roles.low.to_string().into(),
        Some(11) => {
            let file = SentFile {
                name: "a.png".to_owned(),
                content_type: "image/png".to_owned(),
                content: vec![7; 9],
            };
            here.discord.control().upload(file).to_string().into()
        }
        _ => match option["name"].as_str() {
            Some("setting") => "moderation.dm_warn".into(),
            // Of a setting.
            Some("value") => "on".into(),
            Some("colour") => "#3ba55d".into(),
            Some("expires" | "duration") => "7d".into(),
            _ => "1".into(),
        },
    };
    json!({"name": option["name"], "type": option["type"], "value": value})
}

/// The same option with a value of a type that Discord does not send for it.
fn wrong(option: &Value) -> Value {
    let (kind, value) = match option["type"].as_u64() {
        Some(3) => (4, json!(7)),
        _ => (3, json!("what nobody can use")),
    };
    json!({"name": option["name"], "type": kind, "value": value})
}

/// Every control of an answer.
fn controls(state: &InteractionState, asker: u64) -> Vec<Control> {
    fn collect(value: &Value, found: &mut Vec<Value>) {
        if value["custom_id"].is_string() && value["disabled"] != true {
            found.push(value.clone());
        }
        for inner in value["components"].as_array().into_iter().flatten() {
            collect(inner, found);
        }
    }
    let mut found = Vec::new();
    let message = state.reply().cloned().unwrap_or_default();
    collect(&message, &mut found);
    let controls = found.into_iter().map(|definition| Control {
        definition,
        message: message.clone(),
        asker,
    });
    controls.collect()
}

impl Control {
    fn press(&self, here: &Here, roles: Roles) -> InteractionRequest {
        let kind = self.definition["type"].as_u64().expect("a type");
        let value = match kind {
            3 => self.definition["options"][0]["value"]
                .as_str()
                .expect("a choice")
                .to_owned(),
            5 => here.member(2).to_string(),
            6 => roles.low.to_string(),
            8 => here.channel().to_string(),
            _ => String::new(),
        };
        let values: &[&str] = if kind == 2 { &[] } else { &[&value] };
        let id = self.definition["custom_id"].as_str().expect("an id");
        let mut request =
            InteractionRequest::component(here.guild(), self.asker, id, values, self.message.clone());
        request.data["component_type"] = kind.into();
        request.member_permissions = Some(ADMINISTRATOR.to_owned());
        request
    }
}

/// A form that was filled in.
fn submitted(here: &Here, asker: u64, (form, message): (&Value, Option<&Value>)) -> InteractionRequest {
    let rows = form["components"].as_array().expect("rows").iter();
    let filled = rows.map(|row| {
        let mut row = row.clone();
        let fields = row["components"].as_array_mut().into_iter().flatten();
        for field in fields {
            field["value"] = "10".into();
        }
        if row["component"].is_object() {
            let is_time = row["component"]["custom_id"] == "duration";
            row["component"]["value"] = if is_time { "7d" } else { "10" }.into();
        }
        row
    });
    let filled: Value = filled.collect();
    let id = form["custom_id"].as_str().expect("an id");
    let mut request = InteractionRequest::modal(here.guild(), asker, id, &filled);
    request.message = message.cloned();
    request.member_permissions = Some(ADMINISTRATOR.to_owned());
    request
}

/// Wait for whatever is the answer to this: a message, a form or choices.
async fn answered(here: &Here, request: &InteractionRequest) -> InteractionState {
    let control = here.discord.control();
    let id = control.interact(request).expect("asked");
    let is_answered = |state: &InteractionState| {
        let kind = state
            .callback
            .as_ref()
            .and_then(|callback| callback["type"].as_u64());
        matches!(kind, Some(8 | 9)) || state.reply().is_some()
    };
    let state = control.wait_interaction(id, is_answered, PATIENCE).await;
    assert!(state.is_some(), "no answer to {}", request.data);
    let state = state.unwrap_or_default();
    let said = said(&state);
    assert!(!said.contains("Something went wrong"), "{}: {said}", request.data);
    state
}

/// All that an answer says.
fn said(state: &InteractionState) -> String {
    let callback = state.callback.as_ref().expect("an answer");
    if matches!(callback["type"].as_u64(), Some(8 | 9)) {
        return callback["data"].to_string();
    }
    let reply = state.reply().expect("a reply");
    let text = reply["content"].as_str().unwrap_or_default();
    let says_something =
        !text.is_empty() || reply["embeds"][0].is_object() || reply["attachments"][0].is_object();
    assert!(says_something, "{reply}");
    format!("{text} {}", reply["embeds"])
}

/// The stored data of servers and members, by table.
async fn stored(session: &Session) -> BTreeMap<String, String> {
    let mut stored = BTreeMap::new();
    for table in eventide::app::features::tables()
        .into_iter()
        .filter(|table| table.delete.is_some())
        .map(|table| table.name)
        .filter(|table| !MOVING.contains(table))
    {
        let digest = session
            .client
            .query_one(
                &format!("SELECT coalesce(string_agg(t::text, ';' ORDER BY t::text), '') FROM {table} AS t WHERE guild_id <> 0"),
                &[],
            )
            .await
            .expect("read");
        stored.insert(table.to_owned(), digest.get(0));
    }
    stored
}

/// An interaction that is sent again to a process that has not handled it, as Discord does after a resume, changes nothing, even if the
/// same data has changed since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_replayed_changes_nothing() {
    let here = here().await;
    // Interactions in the future are not too old after a restart, however long that takes.
    here.discord.control().advance_time(Duration::from_hours(1));
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let roles = Roles::of(&here);
    let (mut had, mut found, mut changing) = (Vec::new(), Vec::new(), BTreeSet::new());
    for leaf in leaves(&here) {
        for request in [
            leaf.in_full(&here, roles),
            leaf.about(&here, roles, 6),
            leaf.about(&here, roles, 8),
            leaf.in_short(&here, roles),
        ] {
            let before = stored(&session).await;
            let state = answered(&here, &request).await;
            if before != stored(&session).await {
                changing.insert(format!("{} {}", leaf.command, leaf.path));
            }
            found.extend(controls(&state, request.user_id));
            let callback = state.callback.clone().expect("an answer");
            if callback["type"] == 9 {
                let form = submitted(&here, request.user_id, (&callback["data"], None));
                let state = answered(&here, &form).await;
                had.push((form, state.id));
            }
            had.push((request, state.id));
        }
    }
    // Otherwise this could not notice that anything is done twice.
    assert!(changing.len() > 20, "{changing:?}");
    let (mut pressed, mut forms) = (BTreeSet::new(), 0);
    for control in found {
        let request = control.press(&here, roles);
        if !pressed.insert(request.data.to_string()) {
            continue;
        }
        let state = answered(&here, &request).await;
        let callback = state.callback.clone().expect("an answer");
        had.push((request, state.id));
        if callback["type"] == 9 {
            forms += 1;
            let form = submitted(&here, control.asker, (&callback["data"], Some(&control.message)));
            let state = answered(&here, &form).await;
            had.push((form, state.id));
        }
    }
    assert!(pressed.len() > 8 && forms > 0, "{pressed:?}, {forms} forms");

    let here = Box::pin(here.restarted()).await;
    let control = here.discord.control();
    let after = stored(&session).await;
    for (request, id) in had {
        let before = control.interaction(id).expect("known");
        assert!(control.interact_again(id));
        until(&format!("the replay of {} is over", request.data), async || {
            let now = control.interaction(id).expect("known");
            (now.refused_callbacks > before.refused_callbacks).then_some(())
        })
        .await;
        assert_eq!(stored(&session).await, after, "{}", request.data);
        let now = control.interaction(id).expect("known");
        assert_eq!(now.original, before.original, "{}", request.data);
        assert_eq!(now.follow_ups, before.follow_ups, "{}", request.data);
    }
    session.close().await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lacks_the_permission_changes_nothing() {
    let here = here().await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let roles = Roles::of(&here);
    let mut found = Vec::new();
    let before = stored(&session).await;
    let (needing, free): (Vec<_>, Vec<_>) = leaves(&here).into_iter().partition(|leaf| leaf.needs.is_some());
    assert!(!free.is_empty());
    for leaf in &needing {
        let mut request = leaf.in_full(&here, roles);
        request.member_permissions = Some("0".to_owned());
        let state = answered(&here, &request).await;
        assert!(
            said(&state).contains("You need the **"),
            "{leaf:?}: {}",
            said(&state)
        );
        assert_eq!(
            state.reply().expect("a reply")["flags"],
            64,
            "seen by the asker alone"
        );
        // A button below a reply to another member.
        let request = leaf.in_short(&here, roles);
        let state = answered(&here, &request).await;
        found.extend(controls(&state, request.user_id));
    }
    assert!(needing.len() > 20, "{}", needing.len());
    let between = stored(&session).await;
    assert_ne!(before, between, "those with the permission do change something");
    assert!(!found.is_empty());
    for control in found {
        let mut request = control.press(&here, roles);
        request.user_id = here.next_member();
        request.member_permissions = Some("0".to_owned());
        let state = answered(&here, &request).await;
        assert_eq!(
            state.callback.as_ref().expect("an answer")["data"]["flags"],
            64,
            "{request:?}"
        );
        assert!(
            said(&state).contains("You need the **"),
            "{request:?}: {}",
            said(&state)
        );
    }
    assert_eq!(stored(&session).await, between);
    session.close().await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_of_another_type_are_told() {
    let here = here().await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let roles = Roles::of(&here);
    let before = stored(&session).await;
    let mut tried = 0;
    for leaf in leaves(&here) {
        for (at, option) in leaf.options.iter().enumerate() {
            let options = leaf.options.iter().enumerate().map(|(index, other)| {
                if index == at {
                    wrong(option)
                } else {
                    given(&here, roles, other)
                }
            });
            let request = leaf.ask(&here, options);
            let state = answered(&here, &request).await;
            let told = said(&state);
            assert!(told.contains("is not valid"), "{}: {told}", request.data);
            assert!(told.contains(option["name"].as_str().expect("a name")), "{told}");
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
    assert_eq!(stored(&session).await, before);
    session.close().await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_answered_while_the_database_is_away() {
    let mut here = here().await;
    let control = here.discord.control();
    // That an answer comes in time is the matter of others: beside other tests, many at once may take longer.
    control.change_rest(|rules| rules.first_answer = PATIENCE);
    let roles = Roles::of(&here);
    let leaves = leaves(&here);
    let mut questions = Vec::new();
    for leaf in &leaves {
        let request = leaf.in_short(&here, roles);
        let state = answered(&here, &request).await;
        questions.extend(
            controls(&state, request.user_id)
                .iter()
                .map(|control| control.press(&here, roles)),
        );
    }
    let presses = questions.len();
    assert!(presses > 8, "{presses}");
    for leaf in &leaves {
        questions.push(leaf.in_full(&here, roles));
        for option in leaf
            .options
            .iter()
            .filter(|option| option["autocomplete"] == true)
        {
            let typed =
                json!({"name": option["name"], "type": option["type"], "value": "1", "focused": true});
            let mut request = leaf.ask(&here, [typed]);
            request.kind = 4;
            questions.push(request);
        }
    }
    let store = here.scene.store();
    delivered(&store).await;
    store.close();
    let postmaster = Pid::from_raw(here.scene.postgres.pid());
    kill(postmaster, Signal::SIGQUIT).expect("a signal");
    gone(&here.scene.postgres.connection()).await;
    let before = control.rest_calls("*").last().map_or(0, |call| call.number);
    let asked = stream::iter(&questions).map(async |request| (request, answered(&here, request).await));
    let answers: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
    let away = answers
        .iter()
        .filter(|(_, state)| said(state).contains("The database is not responding"));
    assert!(away.count() > leaves.len() / 2, "most need the database");
    // What could not be kept does not happen: besides the answers, Discord was only read.
    let changes = control.rest_calls("*").into_iter().filter(|call| {
        let is_answer = ["POST /interactions/", "PATCH /webhooks/", "POST /webhooks/"];
        call.number > before
            && call.method != "GET"
            && !is_answer.iter().any(|route| call.route.starts_with(route))
    });
    let changes: Vec<String> = changes.map(|call| call.route).collect();
    assert!(changes.is_empty(), "{changes:?}");
    here.scene
        .postgres
        .restart(StopMode::Immediate)
        .await
        .expect("a restart");
    here.end().await;
}
