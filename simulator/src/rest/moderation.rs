//! Timeouts, kicks and bans: what Discord lets a bot do to members.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Asked, guilds::overlay};
use crate::payload::{
    ADMINISTRATOR, BAN_MEMBERS, KICK_MEMBERS, MODERATE_MEMBERS, RawEvent, VIEW_AUDIT_LOG, object,
};

/// The longest timeout: <https://docs.discord.com/developers/resources/guild#modify-guild-member>.
const LONGEST_TIMEOUT_MS: u64 = 28 * 86_400_000;
/// For messages that are deleted with a ban, in seconds.
const LONGEST_DELETION: u64 = 604_800;
/// Users in a bulk ban.
const MOST_AT_ONCE: usize = 200;
const MANAGE_GUILD: u64 = 1 << 5;
const GUILD_MEMBERS: u64 = 1 << 1;
const GUILD_MODERATION: u64 = 1 << 2;

/// Actions in the audit log: <https://docs.discord.com/developers/resources/audit-log#audit-log-entry-object-audit-log-events>.
const MEMBER_KICK: u8 = 20;
const MEMBER_BAN_ADD: u8 = 22;
const MEMBER_BAN_REMOVE: u8 = 23;
const MEMBER_UPDATE: u8 = 24;

/// Whether the bot may do this to a member: it needs the permission and a higher role.
/// <https://docs.discord.com/developers/topics/permissions#permission-hierarchy>
pub(super) fn may(asked: &Asked<'_>, guild: u32, member: Option<u32>, permission: u64) -> Result<(), Answer> {
    let world = &asked.hub.world;
    let overlay = overlay(asked);
    let (may, highest) = overlay.bot_may(world, guild);
    let is_below = member.is_none_or(|member| {
        // The first member owns the guild.
        member != 0 && overlay.member_may(world, guild, member).1 < highest
    });
    if may & permission == 0 || !is_below {
        return Err(Answer::error(403, 50_013, "Missing Permissions"));
    }
    Ok(())
}

/// Whether the bot may end a timeout of a member's at `until`, the JSON of a timestamp or null.
pub(super) fn may_time_out(asked: &Asked<'_>, guild: u32, member: u32, until: &Value) -> Result<(), Answer> {
    may(asked, guild, Some(member), MODERATE_MEMBERS)?;
    let world = &asked.hub.world;
    if overlay(asked).member_may(world, guild, member).0 & ADMINISTRATOR != 0 {
        return Err(Answer::error(403, 50_013, "Missing Permissions"));
    }
    let field = "communication_disabled_until";
    let Some(text) = until.as_str() else {
        return if until.is_null() {
            Ok(())
        } else {
            Err(Answer::invalid(
                field,
                "DATE_TIME_TYPE_PARSE",
                "Could not parse. Should be ISO8601.",
            ))
        };
    };
    let Some(until) = unix_ms(text) else {
        let message = format!("Could not parse {text}. Should be ISO8601.");
        return Err(Answer::invalid(field, "DATE_TIME_TYPE_PARSE", &message));
    };
    let now = {
        let mut engine = asked.hub.lock();
        engine.clock.follow(1);
        engine.clock.now_ms()
    };
    if until > now + LONGEST_TIMEOUT_MS {
        let message = "Timeout cannot be more than 28 days from now.";
        return Err(Answer::invalid(field, "GUILD_MEMBER_TIMEOUT_TOO_LONG", message));
    }
    Ok(())
}

pub(super) fn kick(asked: &Asked<'_>, guild: u32, member: u32) -> Answer {
    if let Err(refused) = may(asked, guild, Some(member), KICK_MEMBERS) {
        return refused;
    }
    let user = object::user(&asked.hub.world, asked.hub.world.person_of(guild, member));
    leave(asked, guild, member);
    tell(asked, guild, "GUILD_MEMBER_REMOVE", &user, GUILD_MEMBERS);
    record(asked, guild, MEMBER_KICK, (&user, Value::Null));
    Answer::empty()
}

pub(super) fn ban(asked: &Asked<'_>, guild: u32, user: &str) -> Option<Answer> {
    let world = &asked.hub.world;
    let Some((id, person)) = user
        .parse::<u64>()
        .ok()
        .and_then(|id| Some((id, world.person(id)?)))
    else {
        return Some(Answer::unknown("User", 10_013));
    };
    let member = world
        .member_index(guild, id)
        .filter(|&member| !overlay(asked).has_left(guild, member));
    let wants = asked.method == "PUT";
    match asked.method {
        "GET" => {}
        "PUT" | "DELETE" => {
            let below = member.filter(|_| wants);
            if let Err(refused) = may(asked, guild, below, BAN_MEMBERS) {
                return Some(refused);
            }
        }
        _ => return None,
    }
    if asked.method == "GET" {
        return Some(match overlay(asked).ban(guild, id) {
            Some(reason) => Answer::ok(json!({"reason": reason, "user": object::user(world, person)})),
            None => Answer::unknown("Ban", 10_026),
        });
    }
    if wants && let Err(invalid) = check_deletion(asked.body) {
        return Some(invalid);
    }
    let changed = {
        let mut engine = asked.hub.lock();
        let reason = asked.reason.unwrap_or_default().to_owned();
        Arc::make_mut(&mut engine.overlay).set_banned(guild, id, wants, reason)
    };
    if !wants && !changed {
        return Some(Answer::unknown("Ban", 10_026));
    }
    let user = object::user(world, person);
    if let Some(member) = member.filter(|_| wants) {
        leave(asked, guild, member);
        tell(asked, guild, "GUILD_MEMBER_REMOVE", &user, GUILD_MEMBERS);
    }
    if changed {
        tell_of_ban(asked, guild, &user, wants);
    }
    Some(Answer::empty())
}

fn tell_of_ban(asked: &Asked<'_>, guild: u32, user: &Value, banned: bool) {
    let (name, action) = if banned {
        ("GUILD_BAN_ADD", MEMBER_BAN_ADD)
    } else {
        ("GUILD_BAN_REMOVE", MEMBER_BAN_REMOVE)
    };
    tell(asked, guild, name, user, GUILD_MODERATION);
    record(asked, guild, action, (user, Value::Null));
}

/// Bans up to 200 users: <https://docs.discord.com/developers/resources/guild#bulk-guild-ban>. Who is unknown, banned already, or not
/// below the bot fails.
pub(super) fn bulk_ban(asked: &Asked<'_>, guild: u32) -> Answer {
    for permission in [BAN_MEMBERS, MANAGE_GUILD] {
        if let Err(refused) = may(asked, guild, None, permission) {
            return refused;
        }
    }
    let given = asked.body["user_ids"].as_array().map_or(&[][..], Vec::as_slice);
    if !(1..=MOST_AT_ONCE).contains(&given.len()) {
        let message = "Must be between 1 and 200 in length.";
        return Answer::invalid("user_ids", "BASE_TYPE_BAD_LENGTH", message);
    }
    if let Err(invalid) = check_deletion(asked.body) {
        return invalid;
    }
    let (banned, failed): (Vec<&Value>, Vec<&Value>) = given.iter().partition(|id| {
        let id = id.as_u64().or_else(|| id.as_str()?.parse().ok());
        id.is_some_and(|id| ban_one(asked, guild, id))
    });
    if banned.is_empty() {
        return Answer::error(400, 500_000, "Failed to ban users");
    }
    Answer::ok(json!({"banned_users": banned, "failed_users": failed}))
}

/// Bans one of several users. False if that is not possible.
fn ban_one(asked: &Asked<'_>, guild: u32, id: u64) -> bool {
    let world = &asked.hub.world;
    let Some(person) = world.person(id) else {
        return false;
    };
    let member = world
        .member_index(guild, id)
        .filter(|&member| !overlay(asked).has_left(guild, member));
    if may(asked, guild, member, BAN_MEMBERS).is_err() {
        return false;
    }
    let reason = asked.reason.unwrap_or_default().to_owned();
    let changed = {
        let mut engine = asked.hub.lock();
        Arc::make_mut(&mut engine.overlay).set_banned(guild, id, true, reason)
    };
    if !changed {
        return false;
    }
    let user = object::user(world, person);
    if let Some(member) = member {
        leave(asked, guild, member);
        tell(asked, guild, "GUILD_MEMBER_REMOVE", &user, GUILD_MEMBERS);
    }
    tell_of_ban(asked, guild, &user, true);
    true
}

/// What is wrong with the age of messages that a ban deletes, if anything.
fn check_deletion(body: &Value) -> Result<(), Answer> {
    let seconds = &body["delete_message_seconds"];
    if seconds.is_null()
        || seconds
            .as_u64()
            .is_some_and(|seconds| seconds <= LONGEST_DELETION)
    {
        return Ok(());
    }
    let message = "int value should be between 0 and 604800.";
    Err(Answer::invalid(
        "delete_message_seconds",
        "NUMBER_TYPE_MAX",
        message,
    ))
}

fn leave(asked: &Asked<'_>, guild: u32, member: u32) {
    let mut engine = asked.hub.lock();
    Arc::make_mut(&mut engine.overlay).change(guild, member).left = true;
}

fn tell(asked: &Asked<'_>, guild: u32, name: &str, user: &Value, intents: u64) {
    let world = &asked.hub.world;
    let data = json!({"guild_id": world.guild_at(guild).id().to_string(), "user": user});
    let event = RawEvent {
        name: name.to_owned(),
        data: data.to_string(),
        intents,
        id: None,
    };
    asked.hub.lock().publish_raw(world, Some(guild), event);
}

/// Adds an entry about the end of a member's timeout to the audit log.
pub(super) fn record_timeout(asked: &Asked<'_>, guild: u32, member: u32, until: &Value) {
    let user = object::user(&asked.hub.world, asked.hub.world.person_of(guild, member));
    let mut change = json!({"key": "communication_disabled_until"});
    if !until.is_null() {
        change["new_value"] = until.clone();
    }
    record(asked, guild, MEMBER_UPDATE, (&user, json!([change])));
}

/// Adds an entry about what the bot did to the audit log. A bot that may not see it gets no event.
fn record(asked: &Asked<'_>, guild: u32, action: u8, (user, changes): (&Value, Value)) {
    let world = &asked.hub.world;
    if overlay(asked).bot_may(world, guild).0 & VIEW_AUDIT_LOG == 0 {
        return;
    }
    let mut engine = asked.hub.lock();
    let id = engine.clock.next_id();
    let mut data = json!({
        "id": id.to_string(), "guild_id": world.guild_at(guild).id().to_string(), "user_id": world.bot_id().to_string(),
        "target_id": user["id"], "action_type": action,
    });
    if !changes.is_null() {
        data["changes"] = changes;
    }
    if let Some(reason) = asked.reason {
        data["reason"] = reason.into();
    }
    let event = RawEvent {
        name: "GUILD_AUDIT_LOG_ENTRY_CREATE".to_owned(),
        data: data.to_string(),
        intents: GUILD_MODERATION,
        id: Some(id),
    };
    engine.publish_raw(world, Some(guild), event);
}

/// A timestamp in ISO 8601 and UTC as Unix time in milliseconds.
fn unix_ms(text: &str) -> Option<u64> {
    let text = text.strip_suffix("+00:00").or_else(|| text.strip_suffix('Z'))?;
    let (date, time) = text.split_once('T')?;
    let number = |text: &str| text.parse::<u64>().ok();
    let [year, month, day] = parts(date, '-')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hours, minutes, seconds] = parts(time, ':')?;
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let millis = number(&format!("{fraction:0<3}").chars().take(3).collect::<String>())?;
    // Days since 1970-01-01 in the Gregorian calendar, with the year beginning in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000 + millis)
}

fn parts(text: &str, between: char) -> Option<[u64; 3]> {
    let numbers: Option<Vec<u64>> = text.split(between).map(|part| part.parse().ok()).collect();
    numbers?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::unix_ms;
    use crate::{payload::json::timestamp_text, snowflake::time_ms};

    #[test]
    fn timestamps_are_read_as_they_are_written() {
        for ms in [
            0,
            951_782_400_123,
            1_462_015_105_796,
            1_793_600_000_000,
            time_ms(1 << 62),
        ] {
            assert_eq!(unix_ms(&timestamp_text(ms)), Some(ms));
        }
        assert_eq!(unix_ms("1970-01-02T00:00:01Z"), Some(86_401_000));
        for text in ["", "tomorrow", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00"] {
            assert_eq!(unix_ms(text), None, "{text}");
        }
    }
}
