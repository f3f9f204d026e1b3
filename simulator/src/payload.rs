//! From a record to the JSON of an event.

pub(crate) mod attachments;
pub(crate) mod json;
pub(crate) mod message;
pub(crate) mod object;
mod overlay;

use std::sync::Arc;

use json::{id, number, raw};
use message::Context;
pub use overlay::Overwrite;
pub(crate) use overlay::{
    ADMINISTRATOR, ATTACH_FILES, BAN_MEMBERS, EMBED_LINKS, KICK_MEMBERS, MANAGE_CHANNELS, MANAGE_MESSAGES,
    MANAGE_NICKNAMES, MANAGE_ROLES, MODERATE_MEMBERS, Overlay, SEND_MESSAGES, VIEW_AUDIT_LOG, VIEW_CHANNEL,
};
use serde_json::Value;

use crate::{
    record::{Kind, Record},
    world::World,
};

/// An event that was given from outside.
pub(crate) struct RawEvent {
    pub(crate) name: String,
    /// JSON of `d`.
    pub(crate) data: String,
    /// The intents of which a session needs one, or 0.
    pub(crate) intents: u64,
    /// The snowflake of its time, where it has one already.
    pub(crate) id: Option<u64>,
}

/// What an event has beside its record.
pub(crate) enum Beside {
    Nothing,
    Raw(Arc<RawEvent>),
    /// The newest message of each channel of the guild; 0 where there is none.
    LastMessages(Box<[u64]>),
}

/// What the payloads of a session need to know about it.
#[derive(Clone)]
pub(crate) struct SessionView {
    pub(crate) id: String,
    pub(crate) shard: [u32; 2],
    pub(crate) intents: u64,
    pub(crate) gateway_url: String,
    pub(crate) guild_create_members: u32,
    pub(crate) ready_fields: Vec<(String, Option<Value>)>,
}

impl SessionView {
    fn covers(&self, guild_id: u64) -> bool {
        (guild_id >> 22) % u64::from(self.shard[1]) == u64::from(self.shard[0])
    }
}

/// Appends a whole dispatch. The envelope's `t`, `s` and `op` come before `d`, as Discord sends them: twilight
/// looks for them from the front.
pub(crate) fn dispatch(
    out: &mut Vec<u8>,
    world: &World,
    overlay: &Overlay,
    view: &SessionView,
    seq: u64,
    record: &Record,
    beside: &Beside,
) {
    raw(out, "{\"t\":\"");
    raw(
        out,
        match beside {
            Beside::Raw(event) => &event.name,
            _ => record.kind.event_name(),
        },
    );
    raw(out, "\",\"s\":");
    number(out, seq);
    raw(out, ",\"op\":0,\"d\":");
    let context = Context {
        world,
        overlay,
        intents: view.intents,
    };
    match record.kind {
        Kind::Human | Kind::Reply | Kind::Bot | Kind::Webhook | Kind::System | Kind::Direct => {
            message::create(out, context, record);
        }
        Kind::MessageUpdate => message::update(out, context, record),
        Kind::MessageDelete => {
            raw(out, "{\"id\":");
            id(out, record.reference);
            raw(out, ",\"channel_id\":");
            id(out, message::channel_id(world, record));
            raw(out, ",\"guild_id\":");
            id(out, world.guild_at(record.guild).id());
            out.push(b'}');
        }
        Kind::Ready => value(out, &ready(world, overlay, view)),
        Kind::Resumed => raw(out, "{\"_trace\":[\"simulator\"]}"),
        Kind::GuildCreate => {
            let mut guild = object::guild_create(world, overlay, record.guild, view.guild_create_members);
            if let Beside::LastMessages(newest) = beside {
                object::set_last_messages(&mut guild, newest);
            }
            value(out, &guild);
        }
        Kind::Typing => value(out, &object::typing(world, overlay, record)),
        Kind::MemberUpdate => value(out, &object::member_update(world, overlay, record)),
        Kind::Presence => value(out, &object::presence(world, record)),
        Kind::ChannelUpdate => value(out, &object::channel_update(world, overlay, record)),
        Kind::Reaction => value(out, &object::reaction(world, overlay, record)),
        Kind::Raw => match beside {
            Beside::Raw(event) => raw(out, &event.data),
            _ => raw(out, "null"),
        },
    }
    out.push(b'}');
}

fn value(out: &mut Vec<u8>, value: &Value) {
    // Writing to a vector cannot fail, and the values have only string keys.
    drop(serde_json::to_writer(out, value));
}

fn ready(world: &World, overlay: &Overlay, view: &SessionView) -> Value {
    let guilds: Vec<Value> = (0..)
        .zip(world.guilds())
        .filter(|(index, guild)| view.covers(guild.id()) && !overlay.is_kicked(*index))
        .map(|(_, guild)| serde_json::json!({"unavailable": true, "id": guild.id().to_string()}))
        .collect();
    let mut ready = serde_json::json!({
        "v": 10, "user_settings": {}, "user": object::bot_user(world), "session_type": "normal",
        "session_id": view.id, "resume_gateway_url": view.gateway_url, "shard": view.shard,
        "relationships": [], "private_channels": [], "presences": [], "guilds": guilds,
        "guild_join_requests": [], "geo_ordered_rtc_regions": ["rotterdam"], "game_relationships": [],
        "auth": {}, "application": {"id": world.bot_id().to_string(), "flags": 565_248},
        "_trace": ["simulator"],
    });
    if let Value::Object(fields) = &mut ready {
        for (name, value) in &view.ready_fields {
            match value {
                Some(value) => drop(fields.insert(name.clone(), value.clone())),
                None => drop(fields.remove(name)),
            }
        }
    }
    ready
}
