//! Callbacks and follow-ups of interactions.

use serde_json::{Value, json};

use super::{
    Answer, Asked,
    channels::own_message,
    form::{self, message},
};
use crate::interaction::Acknowledged;

pub(super) fn answer(asked: &Asked<'_>) -> Option<Answer> {
    let world = &asked.hub.world;
    Some(match (asked.method, asked.segments) {
        ("POST", ["interactions", id, token, "callback"]) => callback(asked, id, token),
        (_, ["webhooks", application, token, rest @ ..]) => {
            if application.parse() != Ok(world.bot_id()) {
                return Some(Answer::unknown("Webhook", 10_015));
            }
            if !asked.hub.interactions().is_open(token) {
                return Some(Answer::error(401, 50_027, "Invalid Webhook Token"));
            }
            match (asked.method, rest) {
                ("POST", []) => follow_up(asked, token),
                ("GET", ["messages", message]) => found(asked.hub.interactions().message(token, message)),
                ("PATCH", ["messages", message]) => edit(asked, token, message),
                ("DELETE", ["messages", message]) => {
                    if asked.hub.interactions().delete(token, message) {
                        Answer::empty()
                    } else {
                        Answer::unknown("Message", 10_008)
                    }
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn found(message: Option<Value>) -> Answer {
    message.map_or_else(|| Answer::unknown("Message", 10_008), Answer::ok)
}

fn callback(asked: &Asked<'_>, id: &str, token: &str) -> Answer {
    let kind = asked.body["type"].as_u64().unwrap_or(0);
    let mut data = asked.body["data"].clone();
    if data.is_object() && asked.body["_files"].is_array() {
        data["_files"] = asked.body["_files"].clone();
    }
    let data = &data;
    let bad = match kind {
        4 => message::check(&["data"], data).err(),
        7 => message::check_edit(&["data"], data).err(),
        8 => form::check_choices(asked.body).err(),
        9 => form::check_modal(asked.body).err(),
        1 | 5 | 6 | 10 | 12 => None,
        _ => Some(Answer::invalid(
            "type",
            "BASE_TYPE_CHOICES",
            "Value must be one of {1, 4, 5, 6, 7, 8, 9, 10, 12}.",
        )),
    };
    if let Some(answer) = bad {
        return answer;
    }
    if matches!(kind, 6 | 7) && !asked.hub.interactions().is_from_message(token) {
        let message = "This interaction has no message to update.";
        return Answer::invalid("type", "BASE_TYPE_CHOICES", message);
    }
    let message_id = asked.hub.lock().clock.next_id();
    let channel = asked.hub.interactions().channel(token);
    let message = matches!(kind, 4 | 5 | 7).then(|| {
        let mut message = own_message(asked, message_id, channel, data);
        if kind == 5 {
            message["flags"] = (message["flags"].as_u64().unwrap_or(0) | 128).into();
        }
        message
    });
    let longest = asked.hub.rest().rules.first_answer;
    match asked
        .hub
        .interactions()
        .acknowledge(longest, (id, token), asked.body, message.clone())
    {
        Acknowledged::Unknown => return Answer::unknown("interaction", 10_062),
        Acknowledged::Twice => {
            return Answer::error(400, 40_060, "Interaction has already been acknowledged.");
        }
        Acknowledged::First => asked.hub.answered.notify_waiters(),
    }
    if !asked.flag("with_response") {
        return Answer::empty();
    }
    let mut resource = json!({"type": kind});
    let mut interaction = json!({"id": id, "type": 2});
    if let Some(message) = message {
        interaction["response_message_id"] = message["id"].clone();
        interaction["response_message_loading"] = (kind == 5).into();
        interaction["response_message_ephemeral"] = (message["flags"].as_u64().unwrap_or(0) & 64 != 0).into();
        resource["message"] = message;
    }
    Answer::ok(json!({"interaction": interaction, "resource": resource}))
}

fn follow_up(asked: &Asked<'_>, token: &str) -> Answer {
    if let Err(answer) = message::check(&[], asked.body) {
        return answer;
    }
    let id = asked.hub.lock().clock.next_id();
    let channel = asked.hub.interactions().channel(token);
    let mut message = own_message(asked, id, channel, asked.body);
    message["webhook_id"] = asked.hub.world.bot_id().to_string().into();
    asked
        .hub
        .interactions()
        .follow_up(token, asked.body, message.clone());
    asked.hub.answered.notify_waiters();
    Answer::ok(message)
}

fn edit(asked: &Asked<'_>, token: &str, id: &str) -> Answer {
    if let Err(answer) = message::check_edit(&[], asked.body) {
        return answer;
    }
    let now = asked.hub.lock().clock.next_id();
    let edited = asked.hub.interactions().edit(token, id, asked.body, now);
    asked.hub.answered.notify_waiters();
    found(edited)
}
