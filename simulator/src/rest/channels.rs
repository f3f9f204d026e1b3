//! Channels and their messages: those of the traffic, and those that the bot sends.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Answer, Asked, channel_changes, deletion, form::message};
use crate::{
    engine::{MessageRange, Place},
    payload::{
        ATTACH_FILES, EMBED_LINKS, Overlay, RawEvent, SEND_MESSAGES, VIEW_CHANNEL, attachments,
        json::timestamp_text, object,
    },
    snowflake::time_ms,
};

/// Where a channel is.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) id: u64,
    pub(super) place: Place,
}

impl Spot {
    pub(super) fn find(asked: &Asked<'_>, id: u64) -> Option<Self> {
        let world = &asked.hub.world;
        let place = match world.channel_index(id) {
            Some((guild, channel)) => Place::Guild { guild, channel },
            None => Place::Direct {
                person: world.person_of_direct_channel(id)?,
            },
        };
        Some(Self { id, place })
    }

    /// What Discord says to a bot that may not do this.
    pub(super) fn may(self, asked: &Asked<'_>, permission: u64) -> Result<(), Answer> {
        let overlay = Arc::clone(&asked.hub.lock().overlay);
        match self.place {
            Place::Guild { guild, channel } => {
                let may = overlay.bot_may_in(&asked.hub.world, guild, channel);
                if overlay.channel(guild, channel).deleted {
                    Err(Answer::unknown("Channel", 10_003))
                } else if overlay.is_kicked(guild) || may & VIEW_CHANNEL == 0 {
                    Err(Answer::error(403, 50_001, "Missing Access"))
                } else if may & permission == 0 {
                    Err(Answer::error(403, 50_013, "Missing Permissions"))
                } else {
                    Ok(())
                }
            }
            Place::Direct { person } => {
                if permission == SEND_MESSAGES && overlay.is_direct_closed(person) {
                    return Err(Answer::error(403, 50_007, "Cannot send messages to this user"));
                }
                Ok(())
            }
        }
    }

    /// What Discord says to a bot that may not send all of this.
    fn may_send(self, asked: &Asked<'_>) -> Result<(), Answer> {
        self.may(asked, SEND_MESSAGES)?;
        for (part, permission) in [("embeds", EMBED_LINKS), ("_files", ATTACH_FILES)] {
            if asked.body[part].as_array().is_some_and(|list| !list.is_empty()) {
                self.may(asked, permission)?;
            }
        }
        Ok(())
    }

    pub(super) const fn guild(self) -> Option<u32> {
        match self.place {
            Place::Guild { guild, .. } => Some(guild),
            Place::Direct { .. } => None,
        }
    }

    pub(super) const fn intents(self) -> u64 {
        if self.guild().is_some() { 1 << 9 } else { 1 << 12 }
    }
}

pub(super) fn answer(asked: &Asked<'_>) -> Option<Answer> {
    let ["channels", id, rest @ ..] = asked.segments else {
        return None;
    };
    let Some(spot) = id.parse().ok().and_then(|id| Spot::find(asked, id)) else {
        return Some(Answer::unknown("Channel", 10_003));
    };
    if let Err(refused) = spot.may(asked, VIEW_CHANNEL) {
        return Some(refused);
    }
    Some(match (asked.method, rest) {
        ("GET", []) => Answer::ok(channel(asked, spot)),
        ("PATCH", []) => channel_changes::change(asked, spot),
        ("PUT" | "DELETE", ["permissions", id]) => channel_changes::overwrite(asked, spot, id),
        ("GET", ["messages"]) => list(asked, spot),
        ("POST", ["messages"]) => create(asked, spot),
        ("POST", ["messages", "bulk-delete"]) => deletion::bulk(asked, spot),
        ("PUT" | "DELETE", ["messages", _, "reactions", ..] | ["messages", "pins", _] | ["pins", _])
        | ("POST", ["typing"]) => Answer::empty(),
        (_, ["messages", message]) => {
            let Ok(message) = message.parse() else {
                return Some(Answer::unknown("Message", 10_008));
            };
            match asked.method {
                "GET" => get(asked, spot, message),
                "PATCH" => edit(asked, spot, message),
                "DELETE" => deletion::single(asked, spot, message),
                _ => return None,
            }
        }
        _ => return None,
    })
}

pub(super) fn channel(asked: &Asked<'_>, spot: Spot) -> Value {
    let world = &asked.hub.world;
    match spot.place {
        Place::Guild { guild, channel } => {
            object::channel(world, &asked.hub.lock().overlay, (guild, channel), true)
        }
        Place::Direct { person } => object::direct_channel(world, person),
    }
}

fn list(asked: &Asked<'_>, spot: Spot) -> Answer {
    let limit = asked.number("limit").unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return Answer::invalid(
            "limit",
            "NUMBER_TYPE_MAX",
            "int value should be between 1 and 100.",
        );
    }
    let limit = usize::try_from(limit).unwrap_or(50);
    let after = asked.number("after");
    let before = asked.number("before").unwrap_or(u64::MAX);
    // With `after` alone Discord gives the oldest ones after it, else the newest ones; always the newest first.
    let range = MessageRange {
        after: after.unwrap_or(0),
        before,
        limit,
        oldest: after.is_some() && before == u64::MAX,
    };
    let rest = asked.hub.rest();
    let engine = asked.hub.lock();
    let with_gone = MessageRange {
        limit: limit + rest.gone.len(),
        ..range
    };
    let mut found: Vec<(u64, Value)> = engine
        .channel_messages(with_gone, spot.place)
        .into_iter()
        .filter_map(|index| engine.history.get(index))
        .filter(|record| !rest.gone.contains(&record.id))
        .map(|record| {
            (
                record.id,
                object::message(&asked.hub.world, &engine.overlay, &record),
            )
        })
        .collect();
    for kept in [&rest.messages, &rest.written] {
        let kept = kept.get(&spot.id).into_iter().flatten();
        let within = kept.filter(|&(&id, _)| id > range.after && id < range.before);
        found.extend(within.map(|(&id, message)| (id, message.clone())));
    }
    found.sort_unstable_by_key(|&(id, _)| id);
    if range.oldest {
        found.truncate(limit);
    } else {
        found.drain(..found.len().saturating_sub(limit));
    }
    Answer::ok(found.into_iter().rev().map(|(_, message)| message).collect())
}

fn get(asked: &Asked<'_>, spot: Spot, id: u64) -> Answer {
    let rest = asked.hub.rest();
    if let Some(message) = rest.message(spot.id, id) {
        return Answer::ok(message.clone());
    }
    if rest.gone.contains(&id) {
        return Answer::unknown("Message", 10_008);
    }
    let engine = asked.hub.lock();
    let range = MessageRange {
        after: id - 1,
        before: id + 1,
        limit: 1,
        oldest: true,
    };
    let record = engine
        .channel_messages(range, spot.place)
        .first()
        .and_then(|&index| engine.history.get(index));
    record.map_or_else(
        || Answer::unknown("Message", 10_008),
        |record| Answer::ok(object::message(&asked.hub.world, &engine.overlay, &record)),
    )
}

/// The object of a message that the bot sends.
pub(super) fn own_message(asked: &Asked<'_>, id: u64, channel: u64, body: &Value) -> Value {
    let list = |name: &str| {
        if body[name].is_array() {
            body[name].clone()
        } else {
            json!([])
        }
    };
    let mut message = json!({
        "id": id.to_string(), "channel_id": channel.to_string(), "type": 0,
        "content": body["content"].as_str().unwrap_or(""), "author": object::bot_user(&asked.hub.world),
        "timestamp": timestamp_text(time_ms(id)), "edited_timestamp": null, "tts": body["tts"] == true,
        "mention_everyone": false, "mentions": [], "mention_roles": [], "attachments": attachments::new(body, id),
        "embeds": list("embeds"), "components": list("components"), "pinned": false,
        "flags": body["flags"].as_u64().unwrap_or(0),
    });
    if !body["nonce"].is_null() {
        message["nonce"] = body["nonce"].clone();
    }
    if body["message_reference"].is_object() {
        message["type"] = 19.into();
        message["message_reference"] = body["message_reference"].clone();
        message["message_reference"]["channel_id"] = channel.to_string().into();
    }
    message
}

fn create(asked: &Asked<'_>, spot: Spot) -> Answer {
    if let Err(answer) = spot
        .may_send(asked)
        .and_then(|()| message::check(&[], asked.body))
    {
        return answer;
    }
    let nonce = match &asked.body["nonce"] {
        Value::String(nonce) => Some(nonce.clone()),
        Value::Number(nonce) => Some(nonce.to_string()),
        _ => None,
    };
    let mut rest = asked.hub.rest();
    let enforced = nonce
        .filter(|_| asked.body["enforce_nonce"] == true)
        .map(|nonce| (spot.id, nonce));
    if let Some(key) = &enforced {
        let memory = rest.rules.nonce_memory;
        rest.nonces.retain(|_, (_, at)| at.elapsed() < memory);
        let known = rest.nonces.get(key).map(|&(id, _)| id);
        if let Some(message) = known.and_then(|id| rest.messages.get(&spot.id)?.get(&id)) {
            return Answer::ok(message.clone());
        }
    }
    let mut engine = asked.hub.lock();
    engine.clock.follow(1);
    let id = engine.clock.next_id();
    let message = own_message(asked, id, spot.id, asked.body);
    let told = event(asked, &engine.overlay, "MESSAGE_CREATE", spot, id, &message);
    engine.publish_raw(&asked.hub.world, spot.guild(), told);
    drop(engine);
    rest.messages
        .entry(spot.id)
        .or_default()
        .insert(id, message.clone());
    if let Some(key) = enforced {
        rest.nonces.insert(key, (id, Instant::now()));
    }
    Answer::ok(message)
}

/// The event for a message of the bot.
pub(super) fn event(
    asked: &Asked<'_>,
    overlay: &Overlay,
    name: &str,
    spot: Spot,
    id: u64,
    message: &Value,
) -> RawEvent {
    let world = &asked.hub.world;
    let mut data = message.clone();
    if let Some(guild) = spot.guild() {
        data["guild_id"] = world.guild_at(guild).id().to_string().into();
        if !name.starts_with("MESSAGE_DELETE") {
            data["member"] = object::bot_member(world, overlay, guild);
        }
    }
    RawEvent {
        name: name.to_owned(),
        data: data.to_string(),
        intents: spot.intents(),
        id: Some(id),
    }
}

fn edit(asked: &Asked<'_>, spot: Spot, id: u64) -> Answer {
    if let Err(answer) = spot
        .may_send(asked)
        .and_then(|()| message::check_edit(&[], asked.body))
    {
        return answer;
    }
    let mut rest = asked.hub.rest();
    let Some(message) = rest.messages.get_mut(&spot.id).and_then(|own| own.get_mut(&id)) else {
        return others_message(asked, spot, id);
    };
    for field in ["content", "embeds", "components", "flags"] {
        if let Some(value) = asked.body.get(field).filter(|value| !value.is_null()) {
            message[field] = value.clone();
        }
    }
    let mut engine = asked.hub.lock();
    engine.clock.follow(1);
    let now = engine.clock.next_id();
    message["attachments"] = attachments::edited(message, asked.body, now);
    message["edited_timestamp"] = timestamp_text(time_ms(now)).into();
    let told = event(asked, &engine.overlay, "MESSAGE_UPDATE", spot, now, message);
    engine.publish_raw(&asked.hub.world, spot.guild(), told);
    Answer::ok(message.clone())
}

/// Other users' messages cannot be edited.
fn others_message(asked: &Asked<'_>, spot: Spot, id: u64) -> Answer {
    let range = MessageRange {
        after: id - 1,
        before: id + 1,
        limit: 1,
        oldest: true,
    };
    if asked.hub.lock().channel_messages(range, spot.place).is_empty() {
        Answer::unknown("Message", 10_008)
    } else {
        Answer::error(403, 50_005, "Cannot edit a message authored by another user")
    }
}
