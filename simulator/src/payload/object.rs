//! The rarer payloads and REST's resources, as JSON values.

use serde_json::{Value, json};

use super::{
    Overlay,
    json::timestamp_text,
    message::{self, Context},
};
use crate::{
    record::Record,
    snowflake::{mix, time_ms},
    world::{Role, World},
};

/// The user that the bot is.
pub(crate) fn bot_user(world: &World) -> Value {
    json!({
        "id": world.bot_id().to_string(), "username": "eventide-sim", "global_name": null, "discriminator": "4242",
        "avatar": null, "bot": true, "system": false, "mfa_enabled": true, "verified": true, "email": null,
        "flags": 0, "public_flags": 0, "banner": null, "accent_color": null, "locale": "en-US",
        "premium_type": 0,
    })
}

/// The application that the bot belongs to.
pub(crate) fn application(world: &World) -> Value {
    json!({
        "id": world.bot_id().to_string(), "name": "eventide-sim", "icon": null,
        "description": "A bot on a simulated Discord", "summary": "", "type": null, "hook": true,
        "bot_public": true, "bot_require_code_grant": false, "rpc_origins": [], "tags": [],
        "verify_key": "0".repeat(64), "flags": 565_248, "redirect_uris": [], "team": null,
        "interactions_endpoint_url": null, "role_connections_verification_url": null,
        "approximate_guild_count": world.guilds().len(), "approximate_user_install_count": 0,
        "bot": bot_user(world),
        "owner": parse(|out| message::user(out, world, 0)),
    })
}

/// A person.
pub(crate) fn user(world: &World, person: u64) -> Value {
    parse(|out| message::user(out, world, person))
}

/// A member with the user inside.
pub(crate) fn member(world: &World, overlay: &Overlay, guild: u32, member: u32) -> Value {
    let context = Context {
        world,
        overlay,
        intents: u64::MAX,
    };
    let mut value = parse(|out| message::member(out, context, guild, member));
    value["user"] = user(world, world.person_of(guild, member));
    value
}

/// The bot as a member of a guild.
pub(crate) fn bot_member(world: &World, overlay: &Overlay, guild: u32) -> Value {
    let roles: Vec<String> = overlay
        .bot_roles(world, guild)
        .iter()
        .map(u64::to_string)
        .collect();
    json!({
        "user": bot_user(world), "roles": roles, "premium_since": null, "pending": false, "nick": null, "mute": false,
        "joined_at": "2023-01-02T03:04:05.678000+00:00", "flags": 0, "deaf": false,
        "communication_disabled_until": null, "banner": null, "avatar": null,
    })
}

/// A role.
pub(crate) fn role(role: &Role) -> Value {
    json!({
        "id": role.id.to_string(), "name": role.name, "description": null, "permissions": role.permissions.to_string(),
        "position": role.position, "color": role.color,
        "colors": {"primary_color": role.color, "secondary_color": null, "tertiary_color": null},
        "hoist": role.position > 3, "managed": role.managed, "mentionable": false, "icon": null, "unicode_emoji": null,
        "flags": 0,
    })
}

/// The channels of a guild that are still there.
pub(crate) fn channels(world: &World, overlay: &Overlay, guild: u32, with_guild_id: bool) -> Vec<Value> {
    (0..)
        .zip(world.guild_at(guild).channels())
        .filter(|(at, _)| !overlay.channel(guild, *at).deleted)
        .map(|(at, _)| channel(world, overlay, (guild, at), with_guild_id))
        .collect()
}

/// A channel of a guild.
pub(crate) fn channel(
    world: &World,
    overlay: &Overlay,
    (guild, at): (u32, u16),
    with_guild_id: bool,
) -> Value {
    let guild_id = world.guild_at(guild).id();
    let channel = &world.guild_at(guild).channels()[usize::from(at)];
    let change = overlay.channel(guild, at);
    let overwrites: Vec<Value> = change
        .overwrites
        .iter()
        .map(|overwrite| {
            json!({
                "id": overwrite.id.to_string(), "type": overwrite.kind, "allow": overwrite.allow.to_string(),
                "deny": overwrite.deny.to_string(),
            })
        })
        .collect();
    let mut value = json!({
        "id": channel.id.to_string(), "type": change.kind, "name": channel.name, "position": at, "flags": 0,
        "parent_id": change.parent.map(|id| id.to_string()), "topic": null, "nsfw": false,
        "rate_limit_per_user": change.slowmode, "permission_overwrites": overwrites,
        "last_message_id": null, "last_pin_timestamp": null, "theme_color": null, "icon_emoji": null,
    });
    if with_guild_id {
        value["guild_id"] = guild_id.to_string().into();
    }
    value
}

/// The direct channel between the bot and a person.
pub(crate) fn direct_channel(world: &World, person: u64) -> Value {
    json!({
        "id": world.direct_channel(person).to_string(), "type": 1, "last_message_id": null, "flags": 0,
        "recipients": [user(world, person)],
    })
}

/// A guild as REST gives it.
pub(crate) fn guild(world: &World, overlay: &Overlay, index: u32) -> Value {
    let guild = world.guild_at(index);
    let owner = world.user_id(world.person_of(index, 0));
    let mut value = json!({
        "id": guild.id().to_string(), "name": overlay.name(world, index), "owner_id": owner.to_string(), "features": ["COMMUNITY"],
        "region": "deprecated", "afk_timeout": 300, "system_channel_id": guild.channels()[0].id.to_string(),
        "system_channel_flags": 0, "verification_level": 1, "default_message_notifications": 1, "mfa_level": 0,
        "roles": overlay.guild_roles(world, index).iter().map(role).collect::<Vec<_>>(), "explicit_content_filter": 2,
        "max_members": 500_000, "max_stage_video_channel_users": 50, "max_video_channel_users": 25,
        "premium_tier": 1, "premium_subscription_count": 3, "preferred_locale": "en-US", "nsfw_level": 0,
        "emojis": [], "stickers": [],
    });
    for absent in [
        "icon",
        "description",
        "home_header",
        "splash",
        "discovery_splash",
        "banner",
        "application_id",
        "afk_channel_id",
        "widget_channel_id",
        "max_presences",
        "vanity_url_code",
        "rules_channel_id",
        "safety_alerts_channel_id",
        "public_updates_channel_id",
        "hub_type",
        "latest_onboarding_question_id",
        "premium_progress_bar_enabled_user_updated_at",
        "incidents_data",
        "inventory_settings",
        "embed_channel_id",
    ] {
        value[absent] = Value::Null;
    }
    for off in [
        "widget_enabled",
        "premium_progress_bar_enabled",
        "nsfw",
        "embed_enabled",
    ] {
        value[off] = false.into();
    }
    value
}

/// A guild as `GUILD_CREATE` gives it.
pub(crate) fn guild_create(world: &World, overlay: &Overlay, index: u32, members: u32) -> Value {
    let at = world.guild_at(index);
    let listed = members.min(at.member_count());
    let mut value = guild(world, overlay, index);
    let mut member_list = vec![bot_member(world, overlay, index)];
    member_list.extend((0..listed).map(|rank| member(world, overlay, index, rank)));
    value["members"] = member_list.into();
    value["member_count"] = (at.member_count() + 1).into();
    value["large"] = (at.member_count() > listed).into();
    value["channels"] = channels(world, overlay, index, false).into();
    value["joined_at"] = "2023-01-02T03:04:05.678000+00:00".into();
    value["unavailable"] = false.into();
    for empty in [
        "threads",
        "presences",
        "voice_states",
        "stage_instances",
        "guild_scheduled_events",
        "soundboard_sounds",
        "embedded_activities",
    ] {
        value[empty] = json!([]);
    }
    value
}

/// Puts the newest message of each channel into a guild's channels; 0 means none.
pub(crate) fn set_last_messages(guild: &mut Value, newest: &[u64]) {
    let Some(channels) = guild["channels"].as_array_mut() else {
        return;
    };
    for (channel, &id) in channels.iter_mut().zip(newest).filter(|(_, id)| **id != 0) {
        channel["last_message_id"] = id.to_string().into();
    }
}

/// `TYPING_START`.
pub(crate) fn typing(world: &World, overlay: &Overlay, record: &Record) -> Value {
    let guild = world.guild_at(record.guild);
    json!({
        "channel_id": guild.channels()[usize::from(record.channel)].id.to_string(),
        "guild_id": guild.id().to_string(),
        "user_id": world.user_id(world.person_of(record.guild, record.member)).to_string(),
        "timestamp": time_ms(record.id) / 1_000,
        "member": member(world, overlay, record.guild, record.member),
    })
}

/// `GUILD_MEMBER_UPDATE`.
pub(crate) fn member_update(world: &World, overlay: &Overlay, record: &Record) -> Value {
    let mut value = member(world, overlay, record.guild, record.member);
    value["guild_id"] = world.guild_at(record.guild).id().to_string().into();
    value
}

/// `PRESENCE_UPDATE`.
pub(crate) fn presence(world: &World, record: &Record) -> Value {
    let status = ["online", "idle", "dnd", "offline"][usize::try_from(mix(record.id) % 4).unwrap_or(0)];
    json!({
        "user": {"id": world.user_id(world.person_of(record.guild, record.member)).to_string()},
        "guild_id": world.guild_at(record.guild).id().to_string(),
        "status": status, "activities": [],
        "client_status": if status == "offline" { json!({}) } else { json!({"desktop": status}) },
    })
}

/// `CHANNEL_UPDATE`.
pub(crate) fn channel_update(world: &World, overlay: &Overlay, record: &Record) -> Value {
    let mut value = channel(world, overlay, (record.guild, record.channel), true);
    value["topic"] = format!("Since {}", timestamp_text(time_ms(record.id))).into();
    value
}

/// `MESSAGE_REACTION_ADD`.
pub(crate) fn reaction(world: &World, overlay: &Overlay, record: &Record) -> Value {
    let guild = world.guild_at(record.guild);
    let user_id = world.user_id(world.person_of(record.guild, record.member));
    json!({
        "user_id": user_id.to_string(), "type": 0, "message_id": record.reference.to_string(),
        "message_author_id": world.user_id(world.person_of(record.guild, record.reference_member)).to_string(),
        "member": member(world, overlay, record.guild, record.member),
        "emoji": {"name": "⭐", "id": null}, "burst": false, "burst_colors": [],
        "channel_id": guild.channels()[usize::from(record.channel)].id.to_string(),
        "guild_id": guild.id().to_string(),
    })
}

/// A message as REST gives it.
pub(crate) fn message(world: &World, overlay: &Overlay, record: &Record) -> Value {
    parse(|out| message::resource(out, world, overlay, record))
}

fn parse(render: impl FnOnce(&mut Vec<u8>)) -> Value {
    let mut out = Vec::with_capacity(1_024);
    render(&mut out);
    serde_json::from_slice(&out).unwrap_or(Value::Null)
}
