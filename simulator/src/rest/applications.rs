//! The gateway's address, the bot itself, and its commands.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Asked, form::command};
use crate::{payload::object, world::World};

pub(super) fn answer(asked: &Asked<'_>) -> Option<Answer> {
    let world = &asked.hub.world;
    Some(match (asked.method, asked.segments) {
        ("GET", ["gateway"]) => Answer::ok(json!({"url": asked.hub.gateway_url()})),
        ("GET", ["gateway", "bot"]) => Answer::ok(gateway_bot(asked)),
        ("GET" | "PATCH", ["users", "@me"]) => Answer::ok(object::bot_user(world)),
        ("GET", ["users", "@me", "guilds"]) => Answer::ok(my_guilds(asked)),
        ("POST", ["users", "@me", "channels"]) => direct_channel(asked),
        ("GET", ["users", id]) => user(world, id),
        ("GET" | "PATCH", ["applications", "@me"]) | ("GET", ["oauth2", "applications", "@me"]) => {
            Answer::ok(object::application(world))
        }
        (_, ["applications", application, rest @ ..]) => {
            if application.parse() != Ok(world.bot_id()) {
                return Some(Answer::unknown("Application", 10_002));
            }
            return commands(asked, rest);
        }
        _ => return None,
    })
}

fn gateway_bot(asked: &Asked<'_>) -> Value {
    let engine = asked.hub.lock();
    json!({
        "url": asked.hub.gateway_url(),
        "shards": asked.hub.config.shards.max(1),
        "session_start_limit": {
            "total": engine.rules.identify_total,
            "remaining": engine.identifies_left(),
            "reset_after": engine.identifies_reset_after_ms(),
            "max_concurrency": engine.rules.max_concurrency,
        },
    })
}

fn my_guilds(asked: &Asked<'_>) -> Value {
    let limit = usize::try_from(asked.number("limit").unwrap_or(200))
        .unwrap_or(200)
        .clamp(1, 200);
    let after = asked.number("after").unwrap_or(0);
    let overlay = Arc::clone(&asked.hub.lock().overlay);
    let mut guilds: Vec<_> = (0..)
        .zip(asked.hub.world.guilds())
        .filter(|(index, guild)| guild.id() > after && !overlay.is_kicked(*index))
        .collect();
    guilds.sort_unstable_by_key(|(_, guild)| guild.id());
    guilds
        .into_iter()
        .take(limit)
        .map(|(index, guild)| {
            json!({
                "id": guild.id().to_string(), "name": overlay.name(&asked.hub.world, index), "icon": null, "banner": null, "owner": false,
                "permissions": overlay.bot_may(&asked.hub.world, index).0.to_string(), "features": ["COMMUNITY"], "approximate_member_count": guild.member_count() + 1,
                "approximate_presence_count": 1,
            })
        })
        .collect()
}

fn user(world: &World, id: &str) -> Answer {
    let Ok(id) = id.parse() else {
        return Answer::invalid("user_id", "NUMBER_TYPE_COERCE", "Value is not snowflake.");
    };
    match world.person(id) {
        Some(person) => Answer::ok(object::user(world, person)),
        None if id == world.bot_id() => Answer::ok(object::bot_user(world)),
        None => Answer::unknown("User", 10_013),
    }
}

fn direct_channel(asked: &Asked<'_>) -> Answer {
    let world = &asked.hub.world;
    let recipient = &asked.body["recipient_id"];
    let id = recipient.as_u64().or_else(|| recipient.as_str()?.parse().ok());
    match id.and_then(|id| world.person(id)) {
        Some(person) => Answer::ok(object::direct_channel(world, person)),
        None => Answer::unknown("User", 10_013),
    }
}

fn commands(asked: &Asked<'_>, rest: &[&str]) -> Option<Answer> {
    let (scope, rest) = match rest {
        ["commands", rest @ ..] => (String::new(), rest),
        ["guilds", guild, "commands", rest @ ..] => {
            let known = guild.parse().is_ok_and(|id| asked.hub.world.guild(id).is_some());
            if !known {
                return Some(Answer::error(403, 50_001, "Missing Access"));
            }
            ((*guild).to_owned(), rest)
        }
        _ => return None,
    };
    Some(match (asked.method, rest) {
        ("GET", []) => Answer::ok(
            asked
                .hub
                .rest()
                .commands
                .get(&scope)
                .cloned()
                .unwrap_or_default()
                .into(),
        ),
        ("POST", []) => create_command(asked, &scope),
        ("PUT", []) => replace_commands(asked, &scope),
        (_, [id]) => one_command(asked, &scope, id),
        _ => return None,
    })
}

/// A command with all that Discord adds to its definition.
fn complete(asked: &Asked<'_>, scope: &str, body: &Value) -> Value {
    let mut command = json!({
        "application_id": asked.hub.world.bot_id().to_string(), "default_member_permissions": null, "type": 1,
        "name_localizations": null, "description": "", "description_localizations": null,
        "dm_permission": true, "contexts": null, "integration_types": [0], "nsfw": false, "options": [],
    });
    if !scope.is_empty() {
        command["guild_id"] = scope.into();
    }
    if let (Some(command), Some(given)) = (command.as_object_mut(), body.as_object()) {
        command.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    let id = asked.hub.lock().clock.next_id().to_string();
    command["id"] = id.clone().into();
    command["version"] = id.into();
    command
}

fn is_same(one: &Value, other: &Value) -> bool {
    one["name"] == other["name"] && command::kind(one) == command::kind(other)
}

fn create_command(asked: &Asked<'_>, scope: &str) -> Answer {
    if let Err(answer) = command::check(asked.body) {
        return answer;
    }
    let mut made = complete(asked, scope, asked.body);
    let mut rest = asked.hub.rest();
    let commands = rest.commands.entry(scope.to_owned()).or_default();
    let status = match commands.iter().position(|known| is_same(known, &made)) {
        Some(at) => {
            made["id"] = commands.remove(at)["id"].take();
            200
        }
        None => 201,
    };
    commands.push(made.clone());
    Answer {
        status,
        body: Some(made),
    }
}

fn replace_commands(asked: &Asked<'_>, scope: &str) -> Answer {
    if let Err(answer) = command::check_all(asked.body) {
        return answer;
    }
    let given = asked.body.as_array().into_iter().flatten();
    let mut made: Vec<Value> = given.map(|body| complete(asked, scope, body)).collect();
    let mut rest = asked.hub.rest();
    let known = rest.commands.entry(scope.to_owned()).or_default();
    let is_entry_point = |command: &Value| command::kind(command) == command::ENTRY_POINT;
    if known.iter().any(is_entry_point) && !made.iter().any(is_entry_point) {
        let message = "You cannot remove this app's Entry Point command in a bulk update operation. Please include the \
            Entry Point command in your update request or delete it separately.";
        return Answer::error(400, 50_240, message);
    }
    for command in &mut made {
        if let Some(before) = known.iter().find(|known| is_same(known, command)) {
            command["id"] = before["id"].clone();
        }
    }
    known.clone_from(&made);
    Answer::ok(made.into())
}

fn one_command(asked: &Asked<'_>, scope: &str, id: &str) -> Answer {
    let mut rest = asked.hub.rest();
    let commands = rest.commands.entry(scope.to_owned()).or_default();
    let Some(at) = commands.iter().position(|command| command["id"] == id) else {
        return Answer::unknown("application command", 10_063);
    };
    match asked.method {
        "DELETE" => {
            commands.remove(at);
            Answer::empty()
        }
        "PATCH" => {
            let mut changed = commands[at].clone();
            if let (Some(command), Some(given)) = (changed.as_object_mut(), asked.body.as_object()) {
                command.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            if let Err(answer) = command::check(&changed) {
                return answer;
            }
            commands[at].clone_from(&changed);
            Answer::ok(changed)
        }
        _ => Answer::ok(commands[at].clone()),
    }
}
