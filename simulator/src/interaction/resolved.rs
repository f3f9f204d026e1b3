//! What Discord sends beside the options of a command: who or what their ids are.
//! <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object-resolved-data-structure>

use serde_json::{Map, Value, json};

use crate::{
    payload::{Overlay, object},
    world::World,
};

/// Discord's number for an option that is a user.
const USER: u64 = 6;

/// Add the users and members of the options, where `data` has none yet. Who has left is a user and no member.
pub(super) fn fill(data: &mut Value, world: &World, overlay: &Overlay, guild: u32) {
    if !data["resolved"].is_null() {
        return;
    }
    let mut ids = Vec::new();
    collect(&data["options"], &mut ids);
    let (mut users, mut members) = (Map::new(), Map::new());
    for id in ids {
        let Some(person) = world.person(id) else {
            if id == world.bot_id() {
                users.insert(id.to_string(), object::bot_user(world));
                let mut member = object::bot_member(world, overlay, guild);
                without_user(&mut member);
                members.insert(id.to_string(), member);
            }
            continue;
        };
        users.insert(id.to_string(), object::user(world, person));
        let member = world.member_index(guild, id);
        if let Some(member) = member.filter(|&member| !overlay.has_left(guild, member)) {
            let mut member = object::member(world, overlay, guild, member);
            without_user(&mut member);
            member["permissions"] = "2248473465835073".into();
            members.insert(id.to_string(), member);
        }
    }
    if !users.is_empty() {
        data["resolved"] = json!({"users": users, "members": members});
    }
}

/// Members that are resolved have neither the user nor what they do in voice channels.
fn without_user(member: &mut Value) {
    if let Some(fields) = member.as_object_mut() {
        for field in ["user", "deaf", "mute"] {
            fields.remove(field);
        }
    }
}

/// The ids of users among options, also of subcommands.
fn collect(options: &Value, ids: &mut Vec<u64>) {
    for option in options.as_array().map_or(&[][..], Vec::as_slice) {
        if option["type"] == USER
            && let Some(id) = option["value"].as_str().and_then(|id| id.parse().ok())
        {
            ids.push(id);
        }
        collect(&option["options"], ids);
    }
}
