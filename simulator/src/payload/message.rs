//! Messages, rendered straight into the buffer of a connection.

use super::{
    Overlay,
    json::{hex, id, number, raw, timestamp},
};
use crate::{
    config::INTENT_MESSAGE_CONTENT,
    record::{Kind, NO_GUILD, Record},
    snowflake::{mix, time_ms},
    world::World,
};

/// Where messages get what is not in their record.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) world: &'a World,
    pub(crate) overlay: &'a Overlay,
    pub(crate) intents: u64,
}

/// The object of a new message, as `MESSAGE_CREATE` has it.
pub(crate) fn create(out: &mut Vec<u8>, context: Context<'_>, record: &Record) {
    let start = out.len();
    out.push(b'{');
    if record.kind == Kind::Reply {
        raw(out, "\"message_reference\":{\"type\":0,\"message_id\":");
        id(out, record.reference);
        raw(out, ",\"guild_id\":");
        id(out, context.world.guild_at(record.guild).id());
        raw(out, ",\"channel_id\":");
        id(out, channel_id(context.world, record));
        raw(out, "},\"referenced_message\":{");
        object(out, context, &referenced(record), false);
        raw(out, "},");
    }
    object(out, context, record, true);
    out.push(b'}');
    debug_assert!(
        out.len() - start < 65_536,
        "messages fit a frame with a short length"
    );
}

/// The object of a message as REST gives it: with its content, without what only the gateway adds.
pub(crate) fn resource(out: &mut Vec<u8>, world: &World, overlay: &Overlay, record: &Record) {
    let context = Context {
        world,
        overlay,
        intents: u64::MAX,
    };
    out.push(b'{');
    object(out, context, record, false);
    out.push(b'}');
}

/// The object of an edited message, as `MESSAGE_UPDATE` has it.
pub(crate) fn update(out: &mut Vec<u8>, context: Context<'_>, record: &Record) {
    let edited = Record {
        channel: record.channel,
        ..referenced(record)
    };
    raw(out, "{\"edited_timestamp\":");
    timestamp(out, time_ms(record.id));
    out.push(b',');
    fields(out, context, &edited, true, true);
    out.push(b'}');
}

/// The message that another is about.
const fn referenced(record: &Record) -> Record {
    Record {
        id: record.reference,
        reference: 0,
        guild: record.guild,
        member: record.reference_member,
        reference_member: 0,
        channel: record.channel,
        kind: Kind::Human,
    }
}

fn object(out: &mut Vec<u8>, context: Context<'_>, record: &Record, gateway: bool) {
    raw(out, "\"edited_timestamp\":null,");
    fields(out, context, record, gateway, false);
}

fn fields(out: &mut Vec<u8>, context: Context<'_>, record: &Record, gateway: bool, edited: bool) {
    let Context { world, intents, .. } = context;
    let hash = mix(record.id);
    raw(out, "\"type\":");
    let system = if hash.is_multiple_of(3) { 8 } else { 7 };
    number(
        out,
        match record.kind {
            Kind::Reply => 19,
            Kind::System => system,
            _ => 0,
        },
    );
    raw(out, ",\"tts\":false,\"timestamp\":");
    timestamp(out, time_ms(record.id));
    raw(out, ",\"pinned\":false");
    if gateway && !edited && record.kind != Kind::System {
        raw(out, ",\"nonce\":");
        id(out, record.id.wrapping_sub(hash % 1_000_000));
    }
    mentions(out, context, record, hash);
    raw(out, ",\"mention_roles\":[],\"mention_everyone\":false");
    let in_guild = record.guild != NO_GUILD;
    if gateway && in_guild {
        match record.kind {
            Kind::Webhook => {}
            Kind::Bot => raw(out, BOT_MEMBER),
            _ => {
                raw(out, ",\"member\":");
                member(out, context, record.guild, record.member);
            }
        }
    }
    raw(out, ",\"id\":");
    id(out, record.id);
    raw(out, ",\"flags\":0");
    content(
        out,
        world,
        record,
        hash,
        in_guild && intents & INTENT_MESSAGE_CONTENT == 0,
    );
    raw(out, ",\"components\":[],\"channel_type\":");
    raw(out, if in_guild { "0" } else { "1" });
    raw(out, ",\"channel_id\":");
    id(out, channel_id(world, record));
    raw(out, ",\"author\":");
    author(out, world, record);
    if gateway && in_guild {
        raw(out, ",\"guild_id\":");
        id(out, world.guild_at(record.guild).id());
    }
    if record.kind == Kind::Webhook {
        raw(out, ",\"webhook_id\":");
        id(out, world.webhook_id(record.guild, record.channel));
        raw(out, ",\"application_id\":null");
    }
}

const BOT_MEMBER: &str = concat!(
    r#","member":{"roles":[],"premium_since":null,"pending":false,"nick":null,"mute":false,"#,
    r#""joined_at":"2021-03-04T05:06:07.089000+00:00","flags":0,"deaf":false,"#,
    r#""communication_disabled_until":null,"banner":null,"avatar":null}"#
);

/// The channel of a message.
pub(crate) fn channel_id(world: &World, record: &Record) -> u64 {
    if record.guild == NO_GUILD {
        world.direct_channel(u64::from(record.member))
    } else {
        world.guild_at(record.guild).channels()[usize::from(record.channel)].id
    }
}

/// The user id of a message's author.
pub(crate) fn author_id(world: &World, record: &Record) -> u64 {
    match record.kind {
        Kind::Bot => world.other_bot_id(record.member),
        Kind::Webhook => world.webhook_id(record.guild, record.channel),
        _ if record.guild == NO_GUILD => world.user_id(u64::from(record.member)),
        _ => world.user_id(world.person_of(record.guild, record.member)),
    }
}

fn author(out: &mut Vec<u8>, world: &World, record: &Record) {
    match record.kind {
        Kind::Bot => {
            raw(out, "{\"username\":\"Bot ");
            number(out, u64::from(record.member));
            raw(out, "\",\"public_flags\":65536,\"primary_guild\":null,\"id\":");
            id(out, author_id(world, record));
            raw(
                out,
                ",\"global_name\":null,\"discriminator\":\"0042\",\"bot\":true,",
            );
            raw(out, "\"avatar_decoration_data\":null,\"avatar\":null}");
        }
        Kind::Webhook => {
            raw(out, "{\"username\":\"Deploy notices\",\"id\":");
            id(out, author_id(world, record));
            raw(
                out,
                ",\"global_name\":null,\"discriminator\":\"0000\",\"bot\":true,\"avatar\":null}",
            );
        }
        _ if record.guild == NO_GUILD => user(out, world, u64::from(record.member)),
        _ => user(out, world, world.person_of(record.guild, record.member)),
    }
}

/// The object of a person.
pub(crate) fn user(out: &mut Vec<u8>, world: &World, person: u64) {
    let (adjective, noun, digits) = world.username_parts(person);
    let hash = world.person_hash(person);
    raw(out, "{\"username\":\"");
    raw(out, adjective);
    out.push(b'_');
    raw(out, noun);
    number(out, digits);
    raw(out, "\",\"public_flags\":");
    number(out, if hash.is_multiple_of(7) { 64 } else { 0 });
    raw(out, ",\"primary_guild\":");
    tag(out, hash);
    raw(out, ",\"id\":");
    id(out, world.user_id(person));
    raw(out, ",\"global_name\":");
    quoted_or_null(out, world.display_name(person));
    raw(
        out,
        ",\"display_name_styles\":null,\"discriminator\":\"0\",\"collectibles\":null,\"clan\":",
    );
    // The same object twice, under its old name and its new one, as Discord sends it.
    tag(out, hash);
    raw(out, ",\"avatar_decoration_data\":");
    if (hash >> 12).is_multiple_of(5) {
        raw(out, "{\"sku_id\":");
        id(out, 1_144_058_844_004_233_369 + (hash >> 60));
        raw(out, ",\"expires_at\":null,\"asset\":\"a_");
        hex(out, hash >> 7);
        raw(out, "\"}");
    } else {
        raw(out, "null");
    }
    raw(out, ",\"avatar\":");
    if hash.is_multiple_of(6) {
        raw(out, "null}");
    } else {
        out.push(b'"');
        hex(out, hash);
        raw(out, "\"}");
    }
}

/// The tag of a guild that a person shows beside the name.
fn tag(out: &mut Vec<u8>, hash: u64) {
    if !(hash >> 16).is_multiple_of(2) {
        raw(out, "null");
        return;
    }
    raw(out, "{\"tag\":\"RUST\",\"identity_guild_id\":");
    id(out, 713_462_871_200_923_648 + (hash >> 56));
    raw(out, ",\"identity_enabled\":true,\"badge\":\"");
    hex(out, hash >> 9);
    raw(out, "\"}");
}

/// The object of a member, without the user, as messages have it.
pub(crate) fn member(out: &mut Vec<u8>, context: Context<'_>, guild: u32, member: u32) {
    let Context { world, overlay, .. } = context;
    let change = overlay.member(guild, member);
    raw(out, "{\"roles\":[");
    let mut first = true;
    let mut role = |out: &mut Vec<u8>, role: u64| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        id(out, role);
    };
    if let Some(roles) = change.and_then(|change| change.roles.as_ref()) {
        for &at in roles {
            role(out, at);
        }
    } else {
        let roles = world.guild_at(guild).roles();
        world
            .role_indexes(guild, member)
            .for_each(|at| role(out, roles[at].id));
    }
    let hash = world.member_hash(guild, member);
    raw(out, "],\"premium_since\":");
    if hash.is_multiple_of(40) {
        timestamp(out, 1_650_000_000_000 + hash % 10_000_000_000);
    } else {
        raw(out, "null");
    }
    raw(out, ",\"pending\":false,\"nick\":");
    match change.and_then(|change| change.nick.as_ref()) {
        Some(nick) => raw(out, nick),
        None => quoted_or_null(out, world.nick(guild, member)),
    }
    raw(out, ",\"mute\":false,\"joined_at\":");
    let joined = change.and_then(|change| change.joined_ms);
    timestamp(out, joined.unwrap_or(1_600_000_000_000 + hash % 150_000_000_000));
    raw(
        out,
        ",\"flags\":0,\"deaf\":false,\"communication_disabled_until\":",
    );
    match change.and_then(|change| change.timeout.as_ref()) {
        Some(until) => raw(out, until),
        None => raw(out, "null"),
    }
    raw(out, ",\"banner\":null,\"avatar\":null}");
}

fn quoted_or_null(out: &mut Vec<u8>, text: Option<&str>) {
    if let Some(text) = text {
        out.push(b'"');
        raw(out, text);
        out.push(b'"');
    } else {
        raw(out, "null");
    }
}

fn mentions(out: &mut Vec<u8>, context: Context<'_>, record: &Record, hash: u64) {
    raw(out, ",\"mentions\":[");
    let mentioned = match record.kind {
        Kind::Reply => Some(record.reference_member),
        Kind::Human if (hash >> 20).is_multiple_of(12) => Some(record.member / 2),
        _ => None,
    };
    if let Some(mentioned) = mentioned {
        let person = context.world.person_of(record.guild, mentioned);
        user(out, context.world, person);
        // The user object is the base; a mention in a guild has the member inside.
        out.pop();
        raw(out, ",\"member\":");
        member(out, context, record.guild, mentioned);
        out.push(b'}');
    }
    out.push(b']');
}

fn content(out: &mut Vec<u8>, world: &World, record: &Record, hash: u64, hidden: bool) {
    if hidden || record.kind == Kind::System {
        raw(out, ",\"embeds\":[],\"content\":\"\",\"attachments\":[]");
        return;
    }
    raw(out, ",\"embeds\":[");
    if record.kind == Kind::Webhook || (hash >> 30).is_multiple_of(20) {
        raw(out, EMBED);
    }
    raw(out, "],\"content\":\"");
    raw(out, text(world, hash));
    raw(out, "\",\"attachments\":[");
    if (hash >> 36).is_multiple_of(12) {
        attachment(out, channel_id(world, record), hash);
    }
    out.push(b']');
}

fn text(world: &World, hash: u64) -> &str {
    let at = usize::try_from((hash >> 40) % world.texts.len() as u64).unwrap_or(0);
    &world.texts[at]
}

const EMBED: &str = concat!(
    r#"{"url":"https://example.org/watch?v=dQw4w9WgXcQ","type":"video","title":"A title with \"quotes\" — and a dash","#,
    r#""description":"Two lines\nof description for the preview of a link that somebody posted.","color":16711680,"#,
    r#""provider":{"name":"Example","url":"https://example.org"},"thumbnail":{"url":"https://example.org/t/hq.jpg","#,
    r#""proxy_url":"https://images.example.org/external/t/hq.jpg","width":480,"height":360,"content_type":"image/jpeg","#,
    r#""placeholder":"3/cFJ4JnhXh/d3eIh4+HB3h3eA==","placeholder_version":1,"flags":0},"content_scan_version":4}"#
);

fn attachment(out: &mut Vec<u8>, channel: u64, hash: u64) {
    let attachment = channel + (hash >> 20);
    raw(
        out,
        "{\"width\":1080,\"url\":\"https://cdn.example.org/attachments/",
    );
    number(out, channel);
    out.push(b'/');
    number(out, attachment);
    raw(out, "/image.png?ex=");
    number(out, hash >> 34);
    raw(out, "&hm=");
    hex(out, hash);
    raw(out, "&\",\"size\":");
    number(out, 10_000 + hash % 900_000);
    raw(out, ",\"proxy_url\":\"https://media.example.org/attachments/");
    number(out, channel);
    out.push(b'/');
    number(out, attachment);
    raw(
        out,
        "/image.png\",\"placeholder_version\":1,\"placeholder\":\"HBgGDYJ4h3iId3d4eHiIh3d3eA==\",",
    );
    raw(out, "\"id\":");
    id(out, attachment);
    raw(
        out,
        ",\"height\":1350,\"filename\":\"image.png\",\"content_type\":\"image/png\",",
    );
    raw(out, "\"content_scan_version\":4}");
}
