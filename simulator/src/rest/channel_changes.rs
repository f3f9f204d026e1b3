//! Changes of channels: their slow mode and their permission overwrites.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Answer, Asked,
    channels::{Spot, channel},
};
use crate::{
    engine::{Engine, Place},
    payload::{MANAGE_CHANNELS, MANAGE_ROLES, Overwrite, RawEvent, object},
};

/// <https://docs.discord.com/developers/resources/channel#modify-channel>
const LONGEST_SLOWMODE: u64 = 21_600;

/// The intent for events about channels.
const GUILDS: u64 = 1;

pub(super) fn change(asked: &Asked<'_>, spot: Spot) -> Answer {
    let Place::Guild { guild, channel: at } = spot.place else {
        return Answer::ok(channel(asked, spot));
    };
    if let Err(refused) = spot.may(asked, MANAGE_CHANNELS) {
        return refused;
    }
    let wanted = &asked.body["rate_limit_per_user"];
    let seconds = wanted.as_u64().filter(|seconds| *seconds <= LONGEST_SLOWMODE);
    if seconds.is_none() && !wanted.is_null() {
        let message = "int value should be between 0 and 21600.";
        return Answer::invalid("rate_limit_per_user", "NUMBER_TYPE_MAX", message);
    }
    if let Some(seconds) = seconds {
        let mut engine = asked.hub.lock();
        Arc::make_mut(&mut engine.overlay)
            .change_channel(guild, at)
            .slowmode = seconds;
        tell(&mut engine, asked, guild, at);
    }
    Answer::ok(channel(asked, spot))
}

/// <https://docs.discord.com/developers/resources/channel#edit-channel-permissions>
pub(super) fn overwrite(asked: &Asked<'_>, spot: Spot, id: &str) -> Answer {
    let Place::Guild { guild, channel: at } = spot.place else {
        return Answer::error(403, 50_003, "Cannot execute action on a DM channel");
    };
    if let Err(refused) = spot.may(asked, MANAGE_ROLES) {
        return refused;
    }
    let world = &asked.hub.world;
    let Ok(id) = id.parse::<u64>() else {
        return Answer::unknown("Overwrite", 10_009);
    };
    let overlay = Arc::clone(&asked.hub.lock().overlay);
    let known = overlay.channel(guild, at).overwrites;
    let known = known.iter().find(|overwrite| overwrite.id == id);
    let new = if asked.method == "PUT" {
        match read(asked.body, id) {
            Ok(new) => Some(new),
            Err(refused) => return refused,
        }
    } else if known.is_none() {
        return Answer::unknown("Overwrite", 10_009);
    } else {
        None
    };
    if let Some(new) = &new {
        let is_there = match new.kind {
            0 => overlay.guild_roles(world, guild).iter().any(|role| role.id == id),
            _ => id == world.bot_id() || world.member_index(guild, id).is_some(),
        };
        if !is_there {
            return Answer::unknown("Overwrite", 10_009);
        }
    }
    // A bot changes only permissions that it has itself, in the guild or in the channel, unless the channel allows it all of them.
    let bits = |overwrite: Option<&Overwrite>| overwrite.map_or((0, 0), |own| (own.allow, own.deny));
    let (before, after) = (bits(known), bits(new.as_ref()));
    let changed = (before.0 ^ after.0) | (before.1 ^ after.1);
    let may = overlay.bot_may(world, guild).0 | overlay.bot_may_in(world, guild, at);
    if changed & !may != 0 && !overlay.bot_is_allowed_roles_in(world, guild, at) {
        return Answer::error(403, 50_013, "Missing Permissions");
    }
    let mut engine = asked.hub.lock();
    let changed = Arc::make_mut(&mut engine.overlay).overwrite(world, (guild, at), id, new);
    for at in changed {
        tell(&mut engine, asked, guild, at);
    }
    Answer::empty()
}

fn read(body: &Value, id: u64) -> Result<Overwrite, Answer> {
    let bits = |field: &str| match &body[field] {
        Value::Null => Ok(0),
        bits => bits.as_str().and_then(|bits| bits.parse().ok()).ok_or_else(|| {
            Answer::invalid(field, "NUMBER_TYPE_COERCE", "Value is not a permission bit set.")
        }),
    };
    let (allow, deny) = (bits("allow")?, bits("deny")?);
    let kind = match body["type"].as_u64() {
        Some(0) => 0,
        Some(1) => 1,
        _ => {
            let message = "Value must be one of {0, 1}.";
            return Err(Answer::invalid("type", "BASE_TYPE_CHOICES", message));
        }
    };
    Ok(Overwrite {
        id,
        kind,
        allow,
        deny,
    })
}

fn tell(engine: &mut Engine, asked: &Asked<'_>, guild: u32, channel: u16) {
    let world = &asked.hub.world;
    let event = RawEvent {
        name: "CHANNEL_UPDATE".to_owned(),
        data: object::channel(world, &engine.overlay, (guild, channel), true).to_string(),
        intents: GUILDS,
        id: None,
    };
    engine.publish_raw(world, Some(guild), event);
}
