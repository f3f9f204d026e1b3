use std::time::Duration;

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::Instant;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::{
    Assignable, Sendable,
    cache::{Kept, Missing, Need, Read},
    permissions,
    reduced::ReducedChannel,
    updates::apply,
};
use crate::{discord::events::guild_news::GuildNews, support::clock::host_time};

const GUILD: Id<GuildMarker> = Id::new(100);
const ME: Id<UserMarker> = Id::new(7);
const VIEW: u64 = 1 << 10;
const SEND: u64 = 1 << 11;
const CONNECT: u64 = 1 << 20;
const MANAGE_ROLES: u64 = 1 << 28;
const SEND_IN_THREADS: u64 = 1 << 38;
const ADMINISTRATOR: u64 = 1 << 3;

fn role(id: u64, position: i64, permissions: u64) -> Value {
    json!({
        "id": id.to_string(), "name": "r", "permissions": permissions.to_string(), "position": position, "color": 0,
        "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null}, "hoist": false, "managed": false,
        "mentionable": false, "flags": 0,
    })
}

fn channel(id: u64, kind: u8, overwrites: &Value) -> Value {
    json!({"id": id.to_string(), "type": kind, "guild_id": "100", "name": "c", "permission_overwrites": overwrites})
}

fn deny(id: u64, kind: u8, permissions: u64) -> Value {
    json!({"id": id.to_string(), "type": kind, "allow": "0", "deny": permissions.to_string()})
}

fn allow(id: u64, kind: u8, permissions: u64) -> Value {
    json!({"id": id.to_string(), "type": kind, "allow": permissions.to_string(), "deny": "0"})
}

fn guild(roles: &Value) -> Value {
    json!({"name": "A guild", "owner_id": "1", "roles": roles})
}

/// The default guild: the bot's role is 20, with 10 below and 30 above.
fn usual(everyone: u64, own: u64) -> Value {
    let mut managed = role(15, 1, 0);
    managed["managed"] = true.into();
    guild(&json!([
        role(100, 0, everyone),
        role(10, 4, 0),
        role(20, 5, own),
        role(30, 6, 0),
        managed
    ]))
}

fn read(guild: Value, own: Value, channels: Value) -> Read {
    Read {
        guild: Some(serde_json::from_value(guild).expect("a guild")),
        own: Some(serde_json::from_value(own).expect("a member")),
        channels: Some(serde_json::from_value(channels).expect("channels")),
    }
}

fn kept(guild: Value, own: Value, channels: Value) -> Kept {
    let mut kept = Kept::default();
    kept.keep(GUILD, read(guild, own, channels), Instant::now());
    kept
}

fn assignable(kept: &Kept, role: u64) -> Assignable {
    permissions::assignable(kept, GUILD, Id::new(role), ME).expect("it is known")
}

fn sendable(kept: &Kept, channel: u64) -> Option<Sendable> {
    permissions::sendable(kept, GUILD, Id::new(channel), ME)
}

fn update(kept: &mut Kept, event_type: &str, data: &Value) -> bool {
    let text = format!(r#"{{"t":"{event_type}","s":1,"op":0,"d":{data}}}"#);
    let news = GuildNews::scan(event_type, &text)
        .expect("readable")
        .expect("a guild's");
    apply(kept, Some(ME), &news)
}

#[test]
fn roles_are_assignable_by_permission_and_hierarchy() {
    let may = kept(usual(VIEW, MANAGE_ROLES), json!({"roles": ["20"]}), json!([]));
    assert_eq!(assignable(&may, 10), Assignable::Yes);
    assert_eq!(assignable(&may, 30), Assignable::RoleAboveBot { role: 6, bot: 5 });
    assert_eq!(
        assignable(&may, 20),
        Assignable::RoleAboveBot { role: 5, bot: 5 },
        "its own"
    );
    assert_eq!(assignable(&may, 15), Assignable::Managed);
    assert_eq!(assignable(&may, 100), Assignable::Everyone);
    assert_eq!(assignable(&may, 11), Assignable::UnknownRole);

    let lacks = kept(usual(VIEW, 0), json!({"roles": ["20"]}), json!([]));
    assert_eq!(assignable(&lacks, 10), Assignable::NoPermission);
    let everybody_may = kept(usual(MANAGE_ROLES, 0), json!({"roles": []}), json!([]));
    assert_eq!(
        assignable(&everybody_may, 10),
        Assignable::RoleAboveBot { role: 4, bot: 0 }
    );
    let administrator = kept(usual(0, ADMINISTRATOR), json!({"roles": ["20"]}), json!([]));
    assert_eq!(assignable(&administrator, 10), Assignable::Yes);
    assert_eq!(
        assignable(&administrator, 30),
        Assignable::RoleAboveBot { role: 6, bot: 5 }
    );
    let mut own_guild = usual(0, 0);
    own_guild["owner_id"] = "7".into();
    let owner = kept(own_guild, json!({"roles": []}), json!([]));
    assert_eq!(assignable(&owner, 30), Assignable::Yes);

    // Of two roles at the same position the older one ranks higher.
    let level = guild(&json!([
        role(100, 0, 0),
        role(19, 5, 0),
        role(20, 5, MANAGE_ROLES),
        role(21, 5, 0)
    ]));
    let level = kept(level, json!({"roles": ["20"]}), json!([]));
    assert_eq!(assignable(&level, 21), Assignable::Yes);
    assert_eq!(
        assignable(&level, 19),
        Assignable::RoleAboveBot { role: 5, bot: 5 }
    );
}

/// Timeouts end by Discord's clock, regardless of the host's clock.
#[test]
fn a_timeout_ends_by_discord_s_clock() {
    const HOUR: Duration = Duration::from_hours(1);
    let now = host_time();
    let until = OffsetDateTime::from(now + HOUR).format(&Rfc3339).expect("a time");
    for (discord, yes) in [(now, false), (now + 2 * HOUR, true)] {
        let own = json!({"roles": ["20"], "communication_disabled_until": until});
        let kept = kept(
            usual(VIEW | SEND, MANAGE_ROLES),
            own,
            json!([channel(50, 0, &json!([]))]),
        );
        kept.clock.learn(&httpdate::fmt_http_date(discord), now, now);
        assert_eq!(assignable(&kept, 10) == Assignable::Yes, yes);
        assert_eq!(sendable(&kept, 50) == Some(Sendable::Yes), yes);
    }
}

#[test]
fn a_timeout_leaves_looking() {
    let channels = json!([channel(50, 0, &json!([]))]);
    for (until, yes) in [
        ("2000-01-01T00:00:00+00:00", true),
        ("2999-01-01T00:00:00+00:00", false),
    ] {
        let own = json!({"roles": ["20"], "communication_disabled_until": until});
        let member = kept(usual(VIEW | SEND, MANAGE_ROLES), own.clone(), channels.clone());
        assert_eq!(assignable(&member, 10) == Assignable::Yes, yes);
        assert_eq!(sendable(&member, 50) == Some(Sendable::Yes), yes);
        let administrator = kept(usual(0, ADMINISTRATOR), own, channels.clone());
        assert_eq!(assignable(&administrator, 10), Assignable::Yes);
    }
}

#[test]
fn messages_need_permissions_where_they_go() {
    let channels = json!([
        channel(50, 0, &json!([])),
        channel(51, 0, &json!([deny(100, 0, SEND)])),
        channel(52, 0, &json!([deny(100, 0, VIEW)])),
        channel(53, 0, &json!([deny(100, 0, VIEW), allow(20, 0, VIEW)])),
        channel(54, 0, &json!([deny(20, 0, SEND), allow(7, 1, SEND)])),
        channel(55, 0, &json!([deny(7, 1, SEND)])),
        channel(56, 5, &json!([])),
        channel(57, 2, &json!([])),
        channel(58, 2, &json!([deny(100, 0, CONNECT)])),
        channel(59, 13, &json!([])),
        channel(60, 4, &json!([])),
        channel(61, 15, &json!([])),
    ]);
    let guild = kept(
        usual(VIEW | SEND | CONNECT, 0),
        json!({"roles": ["20"]}),
        channels.clone(),
    );
    for (id, wanted) in [
        (50, Sendable::Yes),
        (51, Sendable::NoPermission),
        (52, Sendable::Hidden),
        (53, Sendable::Yes),
        (54, Sendable::Yes),
        (55, Sendable::NoPermission),
        (56, Sendable::Yes),
        // Voice channels have text chat.
        (57, Sendable::Yes),
        (58, Sendable::NoPermission),
        (59, Sendable::Yes),
        (60, Sendable::NoMessages),
        (61, Sendable::NoMessages),
    ] {
        assert_eq!(sendable(&guild, id), Some(wanted), "channel {id}");
    }
    assert_eq!(sendable(&guild, 99), None, "perhaps a thread");
    let administrator = kept(usual(0, ADMINISTRATOR), json!({"roles": ["20"]}), channels);
    assert_eq!(sendable(&administrator, 52), Some(Sendable::Yes));
}

#[test]
fn threads_have_their_parent_s_overwrites() {
    let channels = json!([
        channel(50, 0, &json!([])),
        channel(51, 0, &json!([deny(100, 0, SEND_IN_THREADS)])),
        channel(52, 15, &json!([deny(100, 0, VIEW)])),
    ]);
    let guild = kept(usual(VIEW | SEND_IN_THREADS, 0), json!({"roles": []}), channels);
    let thread = |kind: u8, parent: u64| {
        let mut value = channel(70, kind, &json!([]));
        value["parent_id"] = parent.to_string().into();
        let channel: twilight_model::channel::Channel = serde_json::from_value(value).expect("a thread");
        permissions::sendable_in(&guild, GUILD, &ReducedChannel::from(channel), ME)
    };
    assert_eq!(thread(11, 50), Some(Sendable::Yes), "without SEND_MESSAGES");
    assert_eq!(thread(12, 51), Some(Sendable::NoPermission));
    assert_eq!(thread(11, 52), Some(Sendable::Hidden), "in a forum");
    assert_eq!(thread(11, 99), None, "of a channel that is not known");
}

#[test]
fn events_keep_it_right() {
    let mut guild = kept(
        usual(VIEW | SEND, MANAGE_ROLES),
        json!({"roles": ["20"]}),
        json!([channel(50, 0, &json!([]))]),
    );
    let mut told = |event_type: &str, data: Value| {
        assert!(update(&mut guild, event_type, &data), "{event_type}");
        assert!(guild.get(GUILD).is_some(), "{event_type}");
        let roles = [10, 30, 40].map(|role| assignable(&guild, role));
        (
            roles,
            [50, 51].map(|id| sendable(&guild, id)),
            guild.get(GUILD).map(|entry| entry.name.clone()),
        )
    };
    let above = |role, bot| Assignable::RoleAboveBot { role, bot };
    let (roles, ..) = told(
        "GUILD_ROLE_UPDATE",
        json!({"guild_id": "100", "role": role(10, 8, 0)}),
    );
    assert_eq!(roles[0], above(8, 5));
    let (roles, ..) = told(
        "GUILD_ROLE_CREATE",
        json!({"guild_id": "100", "role": role(40, 2, 0)}),
    );
    assert_eq!(roles[2], Assignable::Yes);
    let (roles, ..) = told("GUILD_ROLE_DELETE", json!({"guild_id": "100", "role_id": "40"}));
    assert_eq!(roles[2], Assignable::UnknownRole);
    let own = json!({"guild_id": "100", "user": {"id": "7"}, "roles": ["20", "30"], "nick": null});
    let (roles, ..) = told("GUILD_MEMBER_UPDATE", own);
    assert_eq!((roles[0], roles[1]), (above(8, 6), above(6, 6)));
    let other = json!({"guild_id": "100", "user": {"id": "8"}, "roles": []});
    let (roles, ..) = told("GUILD_MEMBER_UPDATE", other);
    assert_eq!(roles[0], above(8, 6), "somebody else");

    let (_, channels, _) = told("CHANNEL_UPDATE", channel(50, 0, &json!([deny(100, 0, SEND)])));
    assert_eq!(channels[0], Some(Sendable::NoPermission));
    let (_, channels, _) = told("CHANNEL_CREATE", channel(51, 0, &json!([])));
    assert_eq!(channels[1], Some(Sendable::Yes));
    let (_, channels, _) = told("CHANNEL_DELETE", channel(50, 0, &json!([])));
    assert_eq!(channels[0], None);
    let mut thread = channel(70, 11, &json!([]));
    thread["parent_id"] = "51".into();
    told("THREAD_UPDATE", thread);
    let renamed = json!({"id": "100", "name": "Another", "owner_id": "7", "roles": [], "emojis": []});
    let (roles, _, name) = told("GUILD_UPDATE", renamed);
    assert_eq!((name.as_deref(), roles[1]), (Some("Another"), Assignable::Yes));
    assert_eq!(guild.sizes(), (1, 1 + 5 + 1, 0), "the thread was not queried");

    assert!(update(
        &mut guild,
        "GUILD_DELETE",
        &json!({"id": "100", "unavailable": true})
    ));
    assert_eq!(guild.sizes(), (0, 0, 0));
}

/// A server that imitates Discord, or a Discord that drops fields, may send less.
#[test]
fn roles_need_only_what_is_used_of_them() {
    let sparse = |id: &str, position: i64| json!({"id": id, "permissions": "0", "position": position});
    let mut guild = kept(
        json!({"name": "n", "owner_id": "1", "roles": [sparse("100", 0), sparse("20", 5)]}),
        json!({"roles": ["20"]}),
        json!([]),
    );
    for (event_type, position) in [("GUILD_ROLE_CREATE", 2), ("GUILD_ROLE_UPDATE", 8)] {
        let data = json!({"guild_id": "100", "role": sparse("40", position)});
        assert!(update(&mut guild, event_type, &data), "{event_type}");
    }
    assert_eq!(guild.sizes(), (1, 1 + 3, 0));
}

#[test]
fn what_cannot_be_read_is_forgotten() {
    for (event_type, data) in [
        (
            "GUILD_ROLE_UPDATE",
            json!({"guild_id": "100", "role": {"id": "10"}}),
        ),
        ("CHANNEL_UPDATE", json!({"guild_id": "100", "id": "x"})),
        ("GUILD_UPDATE", json!({"id": "100", "name": 5})),
        ("GUILD_MEMBER_UPDATE", json!({"guild_id": "100", "user": {}})),
    ] {
        let mut guild = kept(usual(0, 0), json!({"roles": []}), json!([]));
        assert!(!update(&mut guild, event_type, &data), "{event_type}");
        assert_eq!(guild.sizes(), (0, 0, 0), "{event_type}");
    }
    // Events of a guild that is not cached are not even parsed.
    let mut nothing = Kept::default();
    assert!(update(
        &mut nothing,
        "GUILD_ROLE_UPDATE",
        &json!({"guild_id": "100", "role": {"id": "10"}})
    ));
    assert!(update(&mut nothing, "GUILD_CREATE", &json!({"id": "100"})));
    assert_eq!(nothing.sizes(), (0, 0, 0));
}

#[test]
fn parts_are_missing_until_they_are_read() {
    let now = Instant::now();
    let mut kept = Kept::default();
    let all = kept.missing(GUILD, Need::Channels, now);
    assert_eq!(all, Missing::all(Need::Channels));
    let mut read = read(
        usual(0, 0),
        json!({"roles": []}),
        json!([channel(50, 0, &json!([]))]),
    );
    let (own, channels) = (read.own.take(), read.channels.take());
    kept.keep(GUILD, read, now);
    assert!(kept.missing(GUILD, Need::Guild, now).is_nothing());
    let missing = Missing {
        own: true,
        ..Missing::default()
    };
    assert_eq!(kept.missing(GUILD, Need::Own, now), missing);
    // Channel events are ignored before the channels are cached: the others would be missing.
    assert!(update(&mut kept, "CHANNEL_CREATE", &channel(51, 0, &json!([]))));
    assert_eq!(kept.sizes(), (1, 6, 0));
    let parts = Read {
        own,
        channels,
        ..Read::default()
    };
    kept.keep(GUILD, parts, now);
    assert!(kept.missing(GUILD, Need::Channels, now).is_nothing());
    // After a while it is read again.
    let later = now + Duration::from_hours(1);
    assert_eq!(kept.missing(GUILD, Need::Guild, later), Missing::all(Need::Guild));
    assert_eq!(kept.sizes(), (0, 0, 0));
    // Parts of a guild that was evicted meanwhile are dropped.
    let parts = Read {
        channels: Some(Vec::new()),
        ..Read::default()
    };
    kept.keep(GUILD, parts, now);
    assert_eq!(kept.sizes(), (0, 0, 0));
}

#[test]
fn an_answer_that_is_older_than_an_event_is_noticed() {
    let mut kept = Kept::default();
    let since = kept.begin(GUILD);
    assert!(!kept.has_changed(GUILD, since));
    // This applies even while the guild is not cached.
    assert!(update(&mut kept, "CHANNEL_UPDATE", &channel(50, 0, &json!([]))));
    assert!(kept.has_changed(GUILD, since));
    let again = kept.begin(GUILD);
    assert!(!kept.has_changed(GUILD, again));
    let other = json!({"guild_id": "100", "user": {"id": "8"}, "roles": []});
    assert!(update(&mut kept, "GUILD_MEMBER_UPDATE", &other));
    assert!(
        !kept.has_changed(GUILD, again),
        "the roles of other members do not matter"
    );
    kept.end(GUILD);
    kept.end(GUILD);
    assert_eq!(kept.sizes(), (0, 0, 0));
}

#[test]
fn it_is_bounded_and_keeps_what_is_asked_for() {
    let now = Instant::now();
    let mut kept = Kept::default();
    let roles: Vec<Value> = (1..100).map(|id| role(id, 1, 0)).collect();
    for id in 1..=2_000_u64 {
        // Roles with separate IDs for each guild.
        let roles: Vec<Value> = roles
            .iter()
            .zip(1..)
            .map(|(role, n): (&Value, u64)| {
                let mut role = role.clone();
                role["id"] = (id * 1_000 + n).to_string().into();
                role
            })
            .collect();
        let read = Read {
            guild: Some(serde_json::from_value(guild(&roles.into())).expect("a guild")),
            ..Read::default()
        };
        kept.keep(Id::new(id), read, now);
        assert!(kept.missing(Id::new(1), Need::Guild, now).is_nothing(), "{id}");
    }
    assert_eq!(kept.sizes(), (600, 60_000, 0));
    assert_eq!(kept.cache.guild_roles(Id::new(2)).map(|ids| ids.len()), None);
    assert!(kept.get(Id::new(2_000)).is_some());
    for id in 1..=2_000 {
        kept.remove(Id::new(id));
    }
    assert_eq!(kept.sizes(), (0, 0, 0));
    assert_eq!(kept.cache.iter().roles().count(), 0, "everything is given back");
}
