//! Guilds, their roles and members.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Asked, form, moderation};
use crate::{
    payload::{MANAGE_NICKNAMES, MANAGE_ROLES, Overlay, object},
    record::{Kind, Record},
};

pub(super) fn answer(asked: &Asked<'_>) -> Option<Answer> {
    if (asked.method, asked.segments) == ("GET", &["users", "@me", "guilds"][..]) {
        return Some(own(asked));
    }
    let ["guilds", id, rest @ ..] = asked.segments else {
        return None;
    };
    let world = &asked.hub.world;
    let Some(index) = id.parse().ok().and_then(|id| world.guild_index(id)) else {
        return Some(Answer::unknown("Guild", 10_004));
    };
    let guild = world.guild_at(index);
    let overlay = overlay(asked);
    if overlay.is_kicked(index) {
        return Some(Answer::unknown("Guild", 10_004));
    }
    Some(match (asked.method, rest) {
        ("GET", []) => {
            let mut value = object::guild(world, &overlay, index);
            if asked.flag("with_counts") {
                value["approximate_member_count"] = (guild.member_count() + 1).into();
                value["approximate_presence_count"] = 1.into();
            }
            Answer::ok(value)
        }
        ("GET", ["channels"]) => Answer::ok(object::channels(world, &overlay, index, true).into()),
        ("GET", ["roles"]) => Answer::ok(
            overlay
                .guild_roles(world, index)
                .iter()
                .map(object::role)
                .collect(),
        ),
        ("GET", ["members"]) => members(asked, index),
        ("GET", ["members", "search"]) => search(asked, index),
        ("PATCH", ["members", "@me"]) => Answer::ok(object::bot_member(world, &overlay, index)),
        (_, ["members", user, rest @ ..]) => return member(asked, index, user, rest),
        ("POST", ["bulk-ban"]) => moderation::bulk_ban(asked, index),
        (_, ["bans", user]) => return moderation::ban(asked, index, user),
        _ => return None,
    })
}

/// The guilds that the bot is in, in the order of their ids.
/// <https://docs.discord.com/developers/resources/user#get-current-user-guilds>
fn own(asked: &Asked<'_>) -> Answer {
    let (world, overlay) = (&asked.hub.world, overlay(asked));
    let after = asked.number("after").unwrap_or(0);
    let limit = usize::try_from(asked.number("limit").unwrap_or(200)).unwrap_or(200);
    let there = (0..)
        .zip(world.guilds())
        .filter(|(index, _)| !overlay.is_kicked(*index));
    let mut guilds: Vec<_> = there
        .map(|(_, guild)| guild)
        .filter(|guild| guild.id() > after)
        .collect();
    guilds.sort_unstable_by_key(|guild| guild.id());
    let listed = guilds.into_iter().take(limit.clamp(1, 200));
    Answer::ok(
        listed
            .map(|guild| json!({"id": guild.id().to_string(), "name": guild.name(), "owner": false, "permissions": "0", "features": []}))
            .collect(),
    )
}

pub(super) fn overlay(asked: &Asked<'_>) -> Arc<Overlay> {
    Arc::clone(&asked.hub.lock().overlay)
}

fn members(asked: &Asked<'_>, guild: u32) -> Answer {
    let world = &asked.hub.world;
    let limit = usize::try_from(asked.number("limit").unwrap_or(1))
        .unwrap_or(1)
        .clamp(1, 1_000);
    let after = asked.number("after").unwrap_or(0);
    let overlay = overlay(asked);
    let mut ids: Vec<(u64, u32)> = (0..world.guild_at(guild).member_count())
        .filter(|&member| !overlay.has_left(guild, member))
        .map(|member| (world.user_id(world.person_of(guild, member)), member))
        .filter(|&(id, _)| id > after)
        .collect();
    ids.sort_unstable();
    Answer::ok(
        ids.into_iter()
            .take(limit)
            .map(|(_, member)| object::member(world, &overlay, guild, member))
            .collect(),
    )
}

fn search(asked: &Asked<'_>, guild: u32) -> Answer {
    let world = &asked.hub.world;
    let limit = usize::try_from(asked.number("limit").unwrap_or(1))
        .unwrap_or(1)
        .clamp(1, 1_000);
    let mut fields = form_urlencoded::parse(asked.query.as_bytes());
    let query = fields.find(|(name, _)| name == "query");
    let query = query.map_or_else(String::new, |(_, query)| query.to_lowercase());
    let overlay = overlay(asked);
    let found = (0..world.guild_at(guild).member_count())
        .filter(|&member| !overlay.has_left(guild, member))
        .filter(|&member| world.username(world.person_of(guild, member)).starts_with(&query))
        .take(limit)
        .map(|member| object::member(world, &overlay, guild, member));
    Answer::ok(found.collect())
}

fn member(asked: &Asked<'_>, guild: u32, user: &str, rest: &[&str]) -> Option<Answer> {
    let world = &asked.hub.world;
    let Ok(user) = user.parse::<u64>() else {
        return Some(Answer::unknown("Member", 10_007));
    };
    if user == world.bot_id() && asked.method == "GET" {
        return Some(Answer::ok(object::bot_member(world, &overlay(asked), guild)));
    }
    let Some(index) = world
        .member_index(guild, user)
        .filter(|&index| !overlay(asked).has_left(guild, index))
    else {
        return Some(Answer::unknown("Member", 10_007));
    };
    Some(match (asked.method, rest) {
        ("GET", []) => Answer::ok(object::member(world, &overlay(asked), guild, index)),
        ("PATCH", []) => change(asked, guild, index),
        ("DELETE", []) => moderation::kick(asked, guild, index),
        ("PUT" | "DELETE", ["roles", role]) => change_role(asked, guild, index, role),
        _ => return None,
    })
}

fn change_role(asked: &Asked<'_>, guild: u32, member: u32, role: &str) -> Answer {
    let world = &asked.hub.world;
    let Ok(role) = role.parse() else {
        return Answer::unknown("Role", 10_011);
    };
    if let Err(refused) = may_give(asked, guild, role) {
        return refused;
    }
    let mut engine = asked.hub.lock();
    let mut now = engine.overlay.roles(world, guild, member);
    let had = now.contains(&role);
    let wants = asked.method == "PUT";
    if had != wants {
        if wants {
            now.push(role);
        } else {
            now.retain(|&other| other != role);
        }
        Arc::make_mut(&mut engine.overlay).change(guild, member).roles = Some(now);
        tell(&mut engine, asked, guild, member);
    }
    Answer::empty()
}

/// What Discord says to a bot that gives or takes a role which it may not.
/// <https://discord.com/developers/docs/topics/permissions#permission-hierarchy>
fn may_give(asked: &Asked<'_>, guild: u32, role: u64) -> Result<(), Answer> {
    let world = &asked.hub.world;
    let overlay = overlay(asked);
    let (may, highest) = overlay.bot_may(world, guild);
    let roles = overlay.guild_roles(world, guild);
    let Some(role) = roles.iter().find(|known| known.id == role) else {
        return Err(Answer::unknown("Role", 10_011));
    };
    if may & MANAGE_ROLES == 0 {
        return Err(Answer::error(403, 50_013, "Missing Permissions"));
    }
    if role.managed || role.id == world.guild_at(guild).id() {
        return Err(Answer::error(400, 50_028, "Invalid Role"));
    }
    if role.position >= highest {
        return Err(Answer::error(403, 50_013, "Missing Permissions"));
    }
    Ok(())
}

fn change(asked: &Asked<'_>, guild: u32, member: u32) -> Answer {
    if let Err(refused) = form::check_member(asked.body) {
        return refused;
    }
    let world = &asked.hub.world;
    let known = overlay(asked).guild_roles(world, guild);
    let roles: Option<Vec<u64>> = match asked.body.get("roles") {
        None | Some(Value::Null) => None,
        Some(Value::Array(ids)) => {
            let ids: Option<Vec<u64>> = ids.iter().map(|id| id.as_str()?.parse().ok()).collect();
            match ids.filter(|ids| ids.iter().all(|id| known.iter().any(|role| role.id == *id))) {
                Some(ids) => Some(ids),
                None => return Answer::unknown("Role", 10_011),
            }
        }
        Some(_) => {
            return Answer::invalid(
                "roles",
                "LIST_TYPE_CONVERT",
                "Only iterables may be used in a ListType",
            );
        }
    };
    if let Some(wanted) = &roles {
        let has = overlay(asked).roles(world, guild, member);
        let given = wanted.iter().filter(|role| !has.contains(role));
        let taken = has.iter().filter(|role| !wanted.contains(role));
        for role in given.chain(taken) {
            if let Err(refused) = may_give(asked, guild, *role) {
                return refused;
            }
        }
    }
    if let Some(until) = asked.body.get("communication_disabled_until")
        && let Err(refused) = moderation::may_time_out(asked, guild, member, until)
    {
        return refused;
    }
    if asked.body.get("nick").is_some()
        && let Err(refused) = moderation::may(asked, guild, Some(member), MANAGE_NICKNAMES)
    {
        return refused;
    }
    let mut engine = asked.hub.lock();
    let change = Arc::make_mut(&mut engine.overlay).change(guild, member);
    if roles.is_some() {
        change.roles = roles;
    }
    if let Some(nick) = asked.body.get("nick") {
        change.nick = Some(nick.to_string());
    }
    if let Some(until) = asked.body.get("communication_disabled_until") {
        change.timeout = Some(until.to_string());
    }
    tell(&mut engine, asked, guild, member);
    let value = object::member(world, &engine.overlay, guild, member);
    drop(engine);
    if let Some(until) = asked.body.get("communication_disabled_until") {
        moderation::record_timeout(asked, guild, member, until);
    }
    Answer::ok(value)
}

/// Sends `GUILD_MEMBER_UPDATE`.
fn tell(engine: &mut crate::engine::Engine, asked: &Asked<'_>, guild: u32, member: u32) {
    let id = engine.clock.next_id();
    engine.publish(
        &asked.hub.world,
        Record {
            guild,
            member,
            ..Record::bare(Kind::MemberUpdate, id)
        },
    );
    engine.wake_dirty();
}
