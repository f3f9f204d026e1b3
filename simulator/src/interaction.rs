//! Interactions: dispatched by the controls, answered by the bot over REST.

mod resolved;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::{
    hub::Hub,
    payload::{Overlay, RawEvent, attachments, object},
    snowflake::mix,
};

/// How long a token can be used.
const TOKEN_LIFE: Duration = Duration::from_mins(15);

/// An interaction to be started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InteractionRequest {
    /// In which guild.
    pub guild_id: u64,
    /// By which member.
    pub user_id: u64,
    /// In which channel; the guild's first one when it is not given.
    #[serde(default)]
    pub channel_id: Option<u64>,
    /// Discord's number for the kind: 2 command, 3 component, 4 autocomplete, 5 modal.
    #[serde(rename = "type")]
    pub kind: u8,
    /// The `data` of the interaction, as Discord documents it for the kind. A command's `id` is filled in from the
    /// registered commands when it is missing.
    pub data: Value,
    /// The message that a component belongs to.
    #[serde(default)]
    pub message: Option<Value>,
    /// The permissions of the member in the channel, as Discord writes them.
    #[serde(default)]
    pub member_permissions: Option<String>,
    /// The language of the member, for example `de`.
    #[serde(default)]
    pub locale: Option<String>,
}

impl InteractionRequest {
    /// A slash command with options as Discord sends them: `[{"name": …, "type": …, "value": …}]`.
    pub fn command(guild_id: u64, user_id: u64, name: &str, options: &Value) -> Self {
        let mut data = json!({"type": 1, "name": name});
        if options.as_array().is_some_and(|options| !options.is_empty()) {
            data["options"] = options.clone();
        }
        Self::of_kind(2, guild_id, user_id, data)
    }

    /// The autocompletion of a slash command; the option in question has `"focused": true`.
    pub fn autocomplete(guild_id: u64, user_id: u64, name: &str, options: &Value) -> Self {
        Self {
            kind: 4,
            ..Self::command(guild_id, user_id, name, options)
        }
    }

    /// An entry of the menu of a user that the bot has added.
    pub fn user_menu(guild_id: u64, user_id: u64, name: &str, target_id: u64) -> Self {
        let data = json!({"type": 2, "name": name, "target_id": target_id.to_string()});
        Self::of_kind(2, guild_id, user_id, data)
    }

    /// An entry of the menu of a message that the bot has added. The message is one that was written, or came over REST.
    pub fn message_menu(guild_id: u64, user_id: u64, name: &str, target_id: u64) -> Self {
        let data = json!({"type": 3, "name": name, "target_id": target_id.to_string()});
        Self::of_kind(2, guild_id, user_id, data)
    }

    /// A press of a button, or a choice in a menu when there are values.
    pub fn component(guild_id: u64, user_id: u64, custom_id: &str, values: &[&str], message: Value) -> Self {
        let kind = if values.is_empty() { 2 } else { 3 };
        let mut data = json!({"custom_id": custom_id, "component_type": kind});
        if !values.is_empty() {
            data["values"] = json!(values);
        }
        Self {
            message: Some(message),
            ..Self::of_kind(3, guild_id, user_id, data)
        }
    }

    /// A submitted modal.
    pub fn modal(guild_id: u64, user_id: u64, custom_id: &str, components: &Value) -> Self {
        Self::of_kind(
            5,
            guild_id,
            user_id,
            json!({"custom_id": custom_id, "components": components}),
        )
    }

    fn of_kind(kind: u8, guild_id: u64, user_id: u64, data: Value) -> Self {
        Self {
            guild_id,
            user_id,
            channel_id: None,
            kind,
            data,
            message: None,
            member_permissions: None,
            locale: None,
        }
    }
}

/// What has become of an interaction.
#[derive(Clone, Debug, Default, Serialize)]
pub struct InteractionState {
    /// Its id; a string in JSON, as everywhere on Discord.
    #[serde(serialize_with = "as_text")]
    pub id: u64,
    /// Its token.
    pub token: String,
    /// The body of the first answer, `{type, data}`.
    pub callback: Option<Value>,
    /// How long the first answer took, in milliseconds.
    pub answered_after_ms: Option<u64>,
    /// The original answer as a message, with all edits.
    pub original: Option<Value>,
    /// The bodies of the edits of the original answer.
    pub edits: Vec<Value>,
    /// The messages that followed.
    pub follow_ups: Vec<Value>,
    /// How many more first answers were tried and refused.
    pub refused_callbacks: u64,
}

impl InteractionState {
    /// The message that the asker sees, once it is more than a promise to answer.
    pub fn reply(&self) -> Option<&Value> {
        let deferred = self
            .callback
            .as_ref()
            .is_some_and(|callback| matches!(callback["type"].as_u64(), Some(5 | 6)));
        if deferred && self.edits.is_empty() {
            self.follow_ups.first()
        } else {
            self.original.as_ref()
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn as_text<S: Serializer>(id: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// How a callback was taken.
pub(crate) enum Acknowledged {
    First,
    Twice,
    Unknown,
}

struct Open {
    since: Instant,
    channel: u64,
    guild: u32,
    from_message: bool,
    /// JSON of what was dispatched.
    dispatched: String,
    state: InteractionState,
}

/// All interactions, by token.
#[derive(Default)]
pub(crate) struct Interactions {
    open: FxHashMap<String, Open>,
    tokens: FxHashMap<u64, String>,
}

impl Interactions {
    pub(crate) fn is_open(&self, token: &str) -> bool {
        self.open
            .get(token)
            .is_some_and(|open| open.since.elapsed() < TOKEN_LIFE)
    }

    pub(crate) fn channel(&self, token: &str) -> u64 {
        self.open.get(token).map_or(0, |open| open.channel)
    }

    /// Whether the interaction comes from a message, which its answer can change: from a component there, or from a modal that
    /// a component has opened.
    pub(crate) fn is_from_message(&self, token: &str) -> bool {
        self.open.get(token).is_some_and(|open| open.from_message)
    }

    pub(crate) fn state(&self, id: u64) -> Option<InteractionState> {
        self.open
            .get(self.tokens.get(&id)?)
            .map(|open| open.state.clone())
    }

    /// Take the first answer, which may take so long.
    pub(crate) fn acknowledge(
        &mut self,
        longest: Duration,
        (id, token): (&str, &str),
        body: &Value,
        message: Option<Value>,
    ) -> Acknowledged {
        let Some(open) = self
            .open
            .get_mut(token)
            .filter(|open| id.parse() == Ok(open.state.id))
        else {
            return Acknowledged::Unknown;
        };
        if open.state.callback.is_some() {
            open.state.refused_callbacks += 1;
            return Acknowledged::Twice;
        }
        let after = open.since.elapsed();
        if after > longest {
            open.state.refused_callbacks += 1;
            return Acknowledged::Unknown;
        }
        open.state.answered_after_ms = u64::try_from(after.as_millis()).ok();
        open.state.callback = Some(body.clone());
        open.state.original = message;
        Acknowledged::First
    }

    pub(crate) fn follow_up(&mut self, token: &str, body: &Value, message: Value) {
        if let Some(open) = self.open.get_mut(token) {
            let deferred = open
                .state
                .callback
                .as_ref()
                .is_some_and(|callback| callback["type"] == 5);
            if deferred && open.state.edits.is_empty() && open.state.follow_ups.is_empty() {
                // Discord takes the first follow-up of a deferred answer for the answer.
                open.state.edits.push(body.clone());
                open.state.original = Some(message);
            } else {
                open.state.follow_ups.push(message);
            }
        }
    }

    fn find(&mut self, token: &str, message: &str) -> Option<&mut Value> {
        let state = &mut self.open.get_mut(token)?.state;
        let wanted = |value: &Value| message == "@original" || value["id"] == message;
        if state.original.as_ref().is_some_and(wanted) {
            return state.original.as_mut();
        }
        state.follow_ups.iter_mut().find(|value| value["id"] == message)
    }

    pub(crate) fn message(&mut self, token: &str, message: &str) -> Option<Value> {
        self.find(token, message).cloned()
    }

    /// Attachments get IDs after `now`.
    pub(crate) fn edit(&mut self, token: &str, message: &str, body: &Value, now: u64) -> Option<Value> {
        let found = self.find(token, message)?;
        for field in ["content", "embeds", "components"] {
            if let Some(value) = body.get(field).filter(|value| !value.is_null()) {
                found[field] = value.clone();
            }
        }
        found["attachments"] = attachments::edited(found, body, now);
        // No longer "is thinking".
        found["flags"] = (found["flags"].as_u64().unwrap_or(0) & !128).into();
        let edited = found.clone();
        let state = &mut self.open.get_mut(token)?.state;
        if state
            .original
            .as_ref()
            .is_some_and(|original| original["id"] == edited["id"])
        {
            state.edits.push(body.clone());
        }
        Some(edited)
    }

    pub(crate) fn delete(&mut self, token: &str, message: &str) -> bool {
        let Some(id) = self.find(token, message).map(|found| found["id"].clone()) else {
            return false;
        };
        if let Some(open) = self.open.get_mut(token) {
            open.state.original.take_if(|original| original["id"] == id);
            open.state.follow_ups.retain(|other| other["id"] != id);
        }
        true
    }
}

/// Dispatches `INTERACTION_CREATE`. Returns the interaction's id, or `None` for an unknown guild, member or channel.
pub(crate) fn start(hub: &Hub, request: &InteractionRequest) -> Option<u64> {
    let world = &hub.world;
    let guild = world.guild_index(request.guild_id)?;
    let member = world.member_index(guild, request.user_id)?;
    let channel = match request.channel_id {
        Some(id) => world.channel_index(id).filter(|&(of, _)| of == guild)?.1,
        None => 0,
    };
    let mut data = request.data.clone();
    if matches!(request.kind, 2 | 4) && data["id"].is_null() {
        data["id"] = command_id(hub, request.guild_id, &data).into();
    }
    if data["type"] == 3 {
        let of = world.guild_at(guild).channels()[usize::from(channel)].id;
        resolved::fill_message(&mut data, hub, of);
    }
    let uploads = hub.rest().uploads.clone();
    let mut engine = hub.lock();
    resolved::fill(&mut data, (world, &engine.overlay, &uploads), guild);
    engine.clock.follow(1);
    let id = engine.clock.next_id();
    let token = format!("sim{id:x}{:016x}{:016x}", mix(id), mix(!id));
    let payload = payload(
        hub,
        request,
        &engine.overlay,
        [guild, member, channel.into()],
        id,
        &token,
        &data,
    )
    .to_string();
    let open = Open {
        since: Instant::now(),
        channel: world.guild_at(guild).channels()[usize::from(channel)].id,
        guild,
        from_message: request.message.is_some(),
        dispatched: payload.clone(),
        state: InteractionState {
            id,
            token: token.clone(),
            ..InteractionState::default()
        },
    };
    let mut interactions = hub.interactions();
    interactions.tokens.insert(id, token.clone());
    interactions.open.insert(token, open);
    drop(interactions);
    engine.publish_raw(world, Some(guild), event(payload));
    Some(id)
}

/// Dispatches an interaction once more, as a resume can. False for one that there is not.
pub(crate) fn repeat(hub: &Hub, id: u64) -> bool {
    let found = {
        let interactions = hub.interactions();
        let token = interactions.tokens.get(&id);
        token
            .and_then(|token| interactions.open.get(token))
            .map(|open| (open.guild, open.dispatched.clone()))
    };
    let Some((guild, payload)) = found else {
        return false;
    };
    hub.lock().publish_raw(&hub.world, Some(guild), event(payload));
    true
}

fn event(data: String) -> RawEvent {
    RawEvent {
        name: "INTERACTION_CREATE".to_owned(),
        data,
        intents: 0,
        id: None,
    }
}

fn payload(
    hub: &Hub,
    request: &InteractionRequest,
    overlay: &Overlay,
    [guild, member, channel]: [u32; 3],
    id: u64,
    token: &str,
    data: &Value,
) -> Value {
    let world = &hub.world;
    let at = world.guild_at(guild);
    let mut who = object::member(world, overlay, guild, member);
    who["permissions"] = request
        .member_permissions
        .as_deref()
        .unwrap_or("2248473465835073")
        .into();
    let channel = object::channel(world, overlay, (guild, u16::try_from(channel).unwrap_or(0)), true);
    let locale = request.locale.as_deref().unwrap_or("en-US");
    let mut payload = json!({
        "id": id.to_string(), "application_id": world.bot_id().to_string(), "type": request.kind, "data": data,
        "guild_id": at.id().to_string(), "channel_id": channel["id"], "channel": channel, "member": who,
        "guild": {"id": at.id().to_string(), "locale": "en-US", "features": ["COMMUNITY"]},
        "token": token, "version": 1, "locale": locale, "guild_locale": "en-US",
        "app_permissions": "2248473465835073", "entitlements": [], "entitlement_sku_ids": [],
        "authorizing_integration_owners": {"0": at.id().to_string()}, "context": 0,
        "attachment_size_limit": 10_485_760,
    });
    if let Some(message) = &request.message {
        payload["message"] = message.clone();
    }
    payload
}

/// The id of a registered command, the guild's own first.
fn command_id(hub: &Hub, guild: u64, data: &Value) -> String {
    let rest = hub.rest();
    let mut commands = rest.commands(Some(guild)).iter().chain(rest.commands(None));
    let found = commands
        .find(|command| command["name"] == data["name"] && command["type"] == data["type"])
        .and_then(|command| command["id"].as_str());
    found.map_or_else(|| hub.world.bot_id().to_string(), str::to_owned)
}
