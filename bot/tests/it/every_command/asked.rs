//! Questions to the bot that are derived from the registered definitions, and its answers.

use std::collections::BTreeMap;

use discord_simulator::{InteractionRequest, InteractionState, SentFile};
use serde_json::{Value, json};

use crate::support::{
    PATIENCE,
    asking::{ADMINISTRATOR, Here},
    session::Session,
};

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
pub(super) struct Leaf {
    pub(super) command: String,
    /// Discord's number of its type.
    pub(super) kind: u64,
    pub(super) path: String,
    pub(super) options: Vec<Value>,
    /// The permissions with which Discord shows it.
    pub(super) needs: Option<String>,
}

/// A control under an answer.
#[derive(Clone, Debug)]
pub(super) struct Control {
    pub(super) definition: Value,
    pub(super) message: Value,
    /// The user who received the reply.
    pub(super) asker: u64,
}

pub(super) fn leaves(here: &Here) -> Vec<Leaf> {
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
    /// By a member who manages the server, another one each time.
    pub(super) fn ask(&self, here: &Here, options: impl IntoIterator<Item = Value>) -> InteractionRequest {
        let mut request = self.question(here, options);
        request.user_id = here.next_member();
        request
    }

    /// By no member in particular.
    pub(super) fn question(
        &self,
        here: &Here,
        options: impl IntoIterator<Item = Value>,
    ) -> InteractionRequest {
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
        request
    }

    /// All options, except files besides: those are kept in a log channel, which these servers do not have.
    pub(super) fn all(&self) -> impl Iterator<Item = &Value> {
        let is_file = |option: &Value| option["type"] == 11 && option["required"] != true;
        self.options.iter().filter(move |option| !is_file(option))
    }

    /// With everything that can be given.
    pub(super) fn in_full(&self, here: &Here, roles: Roles) -> InteractionRequest {
        self.ask(here, self.all().map(|option| given(here, roles, option)))
    }

    /// With the required options.
    pub(super) fn in_short(&self, here: &Here, roles: Roles) -> InteractionRequest {
        let required = self.options.iter().filter(|option| option["required"] == true);
        self.ask(here, required.map(|option| given(here, roles, option)))
    }

    /// The options that are completed while they are typed.
    pub(super) fn completed(&self) -> impl Iterator<Item = &Value> {
        self.options
            .iter()
            .filter(|option| option["autocomplete"] == true)
    }

    /// This text so far in an option that is completed.
    pub(super) fn typing(&self, here: &Here, option: &Value, text: &str) -> InteractionRequest {
        let typed = json!({"name": option["name"], "type": option["type"], "value": text, "focused": true});
        let mut request = self.ask(here, [typed]);
        request.kind = 4;
        request
    }

    /// With the required options, and with its target.
    pub(super) fn about(&self, here: &Here, roles: Roles, kind: u64) -> InteractionRequest {
        let chosen = |option: &&Value| option["required"] == true || option["type"] == kind;
        let options = self.options.iter().filter(chosen);
        self.ask(here, options.map(|option| given(here, roles, option)))
    }
}

/// The role of these tests, to be given and chosen.
#[derive(Clone, Copy)]
pub(super) struct Roles {
    pub(super) low: u64,
}

impl Roles {
    pub(super) fn of(here: &Here) -> Self {
        let low = here.discord.control().create_role(here.guild(), "reward", 1);
        Self {
            low: low.expect("a role"),
        }
    }
}

/// An option with a sensible value.
pub(super) fn given(here: &Here, roles: Roles, option: &Value) -> Value {
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
pub(super) fn wrong(option: &Value) -> Value {
    let (kind, value) = match option["type"].as_u64() {
        Some(3) => (4, json!(7)),
        _ => (3, json!("what nobody can use")),
    };
    json!({"name": option["name"], "type": kind, "value": value})
}

/// Every control of an answer.
pub(super) fn controls(state: &InteractionState, asker: u64) -> Vec<Control> {
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
    pub(super) fn press(&self, here: &Here, roles: Roles) -> InteractionRequest {
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
pub(super) fn submitted(
    here: &Here,
    asker: u64,
    (form, message): (&Value, Option<&Value>),
) -> InteractionRequest {
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
pub(super) async fn answered(here: &Here, request: &InteractionRequest) -> InteractionState {
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

/// The values of the choices of an answer to what was typed.
pub(super) fn choices(state: &InteractionState) -> Vec<Value> {
    let callback = state.callback.as_ref().expect("an answer");
    assert_eq!(callback["type"], 8, "choices: {callback}");
    let choices = callback["data"]["choices"].as_array().expect("a list");
    choices.iter().map(|choice| choice["value"].clone()).collect()
}

/// All that an answer says.
pub(super) fn said(state: &InteractionState) -> String {
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

/// The stored data of servers and members, by table. One statement, since this is asked again and again.
pub(super) async fn stored(session: &Session) -> BTreeMap<String, String> {
    let tables = eventide::app::features::tables()
        .into_iter()
        .filter(|table| table.delete.is_some())
        .map(|table| table.name)
        .filter(|table| !MOVING.contains(table));
    let all: Vec<String> = tables
        .map(|table| {
            format!(
                "SELECT '{table}', coalesce(string_agg(t::text, ';' ORDER BY t::text), '') FROM {table} AS t WHERE guild_id <> 0"
            )
        })
        .collect();
    let rows = session.client.query_typed(&all.join(" UNION ALL "), &[]).await;
    let rows = rows.expect("read");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}
