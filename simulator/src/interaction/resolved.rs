//! The objects whose IDs are options of a command, which Discord sends with them.
//! <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object-resolved-data-structure>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    hub::Hub,
    payload::{Overlay, object},
    rest::SentFile,
    world::World,
};

/// Discord's numbers for options that are users, channels and roles.
/// <https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-option-type>
const USER: u64 = 6;
const CHANNEL: u64 = 7;
const ROLE: u64 = 8;
const ATTACHMENT: u64 = 11;

/// Add the users and members, channels, roles and files of the options, where `data` has none yet. Someone who has left is a user and not a member.
pub(super) fn fill(
    data: &mut Value,
    (world, overlay, uploads): (&World, &Overlay, &BTreeMap<u64, SentFile>),
    guild: u32,
) {
    if !data["resolved"].is_null() {
        return;
    }
    let mut chosen = Vec::new();
    collect(&data["options"], &mut chosen);
    if data["type"] == 2
        && let Some(id) = data["target_id"].as_str().and_then(|id| id.parse().ok())
    {
        chosen.push((USER, id));
    }
    let mut resolved: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut add = |what, id: u64, object| resolved.entry(what).or_default().insert(id.to_string(), object);
    let roles = overlay.guild_roles(world, guild);
    for (kind, id) in chosen {
        match kind {
            USER => {
                if let Some((user, member)) = person(world, overlay, guild, id) {
                    add("users", id, user);
                    if let Some(mut member) = member {
                        without_user(&mut member);
                        add("members", id, member);
                    }
                }
            }
            CHANNEL => {
                if let Some((_, channel)) = world.channel_index(id).filter(|(of, _)| *of == guild) {
                    let channel = object::channel(world, overlay, (guild, channel), false);
                    add("channels", id, channel);
                }
            }
            ROLE => {
                if let Some(role) = roles.iter().find(|role| role.id == id) {
                    add("roles", id, object::role(role));
                }
            }
            ATTACHMENT => {
                if let Some(file) = uploads.get(&id) {
                    add("attachments", id, attachment(id, file));
                }
            }
            _ => {}
        }
    }
    if !resolved.is_empty() {
        data["resolved"] = json!(resolved);
    }
}

fn attachment(id: u64, file: &SentFile) -> Value {
    let (content_type, content) = (&file.content_type, &file.content);
    // As Discord does it.
    let name = file.name.replace(' ', "_");
    let url = format!("https://cdn.discordapp.com/ephemeral-attachments/{id}/{id}/{name}?ex=1&is=1&hm=1");
    json!({
        "id": id.to_string(), "filename": name, "size": content.len(), "content_type": content_type, "url": url,
        "proxy_url": url.replace("cdn.discordapp.com", "media.discordapp.net"), "ephemeral": true,
    })
}

/// Add the message of a menu, which is in this channel.
pub(super) fn fill_message(data: &mut Value, hub: &Hub, channel: u64) {
    let Some(id) = data["target_id"].as_str().map(str::to_owned) else {
        return;
    };
    if let Some(message) = id
        .parse()
        .ok()
        .and_then(|id| hub.rest().message(channel, id).cloned())
    {
        data["resolved"] = json!({"messages": {id: message}});
    }
}

/// A user, and the member if there is one.
fn person(world: &World, overlay: &Overlay, guild: u32, id: u64) -> Option<(Value, Option<Value>)> {
    let Some(person) = world.person(id) else {
        let bot = || {
            (
                object::bot_user(world),
                Some(object::bot_member(world, overlay, guild)),
            )
        };
        return (id == world.bot_id()).then(bot);
    };
    let there = world
        .member_index(guild, id)
        .filter(|&member| !overlay.has_left(guild, member));
    let member = there.map(|member| {
        let mut member = object::member(world, overlay, guild, member);
        member["permissions"] = "2248473465835073".into();
        member
    });
    Some((object::user(world, person), member))
}

/// Members that are resolved have neither the user nor what they do in voice channels.
fn without_user(member: &mut Value) {
    if let Some(fields) = member.as_object_mut() {
        for field in ["user", "deaf", "mute"] {
            fields.remove(field);
        }
    }
}

/// What was chosen by id, also in subcommands, with the type of its option.
fn collect(options: &Value, chosen: &mut Vec<(u64, u64)>) {
    for option in options.as_array().map_or(&[][..], Vec::as_slice) {
        let id = option["value"].as_str().and_then(|id| id.parse().ok());
        if let (Some(kind @ (USER | CHANNEL | ROLE | ATTACHMENT)), Some(id)) = (option["type"].as_u64(), id) {
            chosen.push((kind, id));
        }
        collect(&option["options"], chosen);
    }
}
