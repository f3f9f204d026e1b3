//! Text commands, such as `!rank @Ada`, for members who are used to them. The operator has to enable the [Message Content
//! Intent](https://docs.discord.com/developers/events/gateway#message-content-intent).

use serde_json::{Map, Value, json};
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, MessageMarker},
};

use super::payload::{InteractionPayload, kind};
use crate::discord::events::message_create::MessageCreate;

/// The default prefix.
pub const USUAL_PREFIX: &str = "!";

/// The commands available as text: those without required options, except a member.
const COMMANDS: [&str; 3] = ["help", "leaderboard", "rank"];

/// The message with a text command, to which the bot replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The channel.
    pub channel_id: Id<ChannelMarker>,
    /// The ID, which is also the nonce of the reply, so that a replayed message gets no second reply.
    pub id: Id<MessageMarker>,
}

/// The interaction payload for a message if it is a text command. `text` is the message's payload.
pub fn payload(message: &MessageCreate, text: &str, prefix: Option<&str>) -> Option<InteractionPayload> {
    let prefix = prefix.unwrap_or(USUAL_PREFIX);
    let payload: Value = serde_json::from_str(text).ok()?;
    let message_data = &payload["d"];
    let rest = message_data["content"].as_str()?.strip_prefix(prefix)?;
    let mut words = rest.split_whitespace();
    let name = words.next()?;
    let name = COMMANDS
        .into_iter()
        .find(|command| command.eq_ignore_ascii_case(name))?;
    let mut data = json!({"name": name, "type": 1});
    if name == "rank"
        && let Some((id, mentioned)) = first_mentioned(rest, &message_data["mentions"])
    {
        data["options"] = json!([{"name": "member", "type": 6, "value": id}]);
        data["resolved"] = json!({"users": {id: mentioned}, "members": {id: mentioned["member"]}});
    }
    // Assigning to an index of a `Value` panics unless it is an object.
    let mut member = match &message_data["member"] {
        Value::Object(member) => member.clone(),
        Value::Null => Map::new(),
        _ => return None,
    };
    member.insert("user".to_owned(), message_data["author"].clone());
    let payload = json!({
        "id": message.id.to_string(), "application_id": message.author.id.to_string(), "type": kind::COMMAND, "token": "",
        "guild_id": message.guild_id?.to_string(), "channel_id": message.channel_id.to_string(), "member": member, "data": data,
    });
    let mut payload = InteractionPayload::deserialize_from(payload)?;
    payload.text_command = Some(Message {
        channel_id: message.channel_id,
        id: message.id,
    });
    Some(payload)
}

/// The first user mentioned in the text. `mentions` has no order, and includes the author of the message that is replied to.
fn first_mentioned<'a>(text: &'a str, mentions: &'a Value) -> Option<(&'a str, &'a Value)> {
    text.split("<@").skip(1).find_map(|after| {
        let (id, _rest) = after.split_once('>')?;
        let id = id.strip_prefix('!').unwrap_or(id);
        let mentioned = mentions.as_array()?.iter().find(|user| user["id"] == id)?;
        Some((id, mentioned))
    })
}

#[cfg(test)]
mod tests;
