//! Events keep the guilds right that are kept.

use serde::Deserialize;
use twilight_gateway::{EventTypeFlags, parse};
use twilight_model::{
    gateway::event::{DispatchEvent, GatewayEvent},
    id::{
        Id,
        marker::{GuildMarker, UserMarker},
    },
};

use super::kept::{Kept, Own};
use crate::events::guild_news::GuildNews;

#[derive(Deserialize)]
struct Payload<T> {
    d: T,
}

#[derive(Deserialize)]
struct Renamed {
    name: String,
    owner_id: Id<UserMarker>,
}

#[derive(Deserialize)]
struct MemberChanged {
    user: User,
    #[serde(flatten)]
    own: Own,
}

#[derive(Deserialize)]
struct User {
    id: Id<UserMarker>,
}

/// Apply what an event tells of a guild. A guild whose event cannot be read is forgotten, since it is not known what changed; then it
/// is false.
pub(super) fn apply(kept: &mut Kept, me: Option<Id<UserMarker>>, news: &GuildNews<'_>) -> bool {
    let guild_id = news.guild_id;
    if news.event_type == "GUILD_MEMBER_UPDATE" {
        let read = serde_json::from_str::<Payload<MemberChanged>>(news.text);
        let changed = match read {
            // Somebody else; nothing is kept of them.
            Ok(Payload { d }) if me.is_some_and(|me| me != d.user.id) => return true,
            Ok(Payload { d }) => Some(d.own),
            Err(_) => None,
        };
        kept.changed(guild_id);
        let Some(own) = changed else {
            kept.remove(guild_id);
            return false;
        };
        if let Some(entry) = kept.get_mut(guild_id).filter(|entry| entry.own.is_some()) {
            entry.own = Some(own);
        }
        return true;
    }
    kept.changed(guild_id);
    if kept.get(guild_id).is_none() {
        return true;
    }
    let applied = match news.event_type {
        // It is gone, or came (back) with what nobody heard of.
        "GUILD_CREATE" | "GUILD_DELETE" => None,
        "GUILD_UPDATE" => renamed(kept, guild_id, news.text),
        _ => of_part(kept, guild_id, news.text),
    };
    if applied.is_none() {
        kept.remove(guild_id);
        return matches!(news.event_type, "GUILD_CREATE" | "GUILD_DELETE");
    }
    kept.count(guild_id);
    true
}

fn renamed(kept: &mut Kept, guild_id: Id<GuildMarker>, text: &str) -> Option<()> {
    let Payload { d } = serde_json::from_str::<Payload<Renamed>>(text).ok()?;
    let entry = kept.get_mut(guild_id)?;
    entry.name = d.name;
    entry.owner_id = d.owner_id;
    Some(())
}

/// A role, a channel or a thread; of threads only what was asked about.
fn of_part(kept: &Kept, guild_id: Id<GuildMarker>, text: &str) -> Option<()> {
    let GatewayEvent::Dispatch(_, event) = parse(text.to_owned(), EventTypeFlags::all()).ok()?? else {
        return None;
    };
    let knows_channels = kept.get(guild_id)?.channels;
    let cache = &kept.cache;
    match event {
        DispatchEvent::RoleCreate(event) => cache.update(&event),
        DispatchEvent::RoleUpdate(event) => cache.update(&event),
        DispatchEvent::RoleDelete(event) => cache.update(&event),
        DispatchEvent::ChannelCreate(event) if knows_channels => cache.update(&*event),
        DispatchEvent::ChannelUpdate(event) if knows_channels => cache.update(&*event),
        DispatchEvent::ChannelDelete(event) if knows_channels => cache.update(&*event),
        DispatchEvent::ThreadUpdate(event) if cache.channel(event.id).is_some() => cache.update(&*event),
        DispatchEvent::ThreadDelete(event) => cache.update(&event),
        _ => {}
    }
    Some(())
}
