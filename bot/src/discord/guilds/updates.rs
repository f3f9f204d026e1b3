//! Applies events to cached guilds.

use serde::Deserialize;
use twilight_model::{
    channel::Channel,
    gateway::payload::incoming::{ChannelDelete, ChannelUpdate, RoleCreate, RoleDelete},
    id::{
        Id,
        marker::{GuildMarker, RoleMarker, UserMarker},
    },
};

use super::{
    cache::{Kept, Own},
    models::{ChannelModel, RoleModel},
};
use crate::discord::events::guild_news::GuildNews;

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
struct RoleChanged {
    role: RoleModel,
}

#[derive(Deserialize)]
struct RoleGone {
    role_id: Id<RoleMarker>,
}

#[derive(Deserialize)]
struct User {
    id: Id<UserMarker>,
}

/// Apply an event of a guild. If it cannot be parsed, the change is unknown, so the guild is removed from the cache; the result is false
/// then.
pub(super) fn apply(kept: &mut Kept, me: Option<Id<UserMarker>>, news: &GuildNews<'_>) -> bool {
    let guild_id = news.guild_id;
    if news.event_type == "GUILD_MEMBER_UPDATE" {
        let read = serde_json::from_str::<Payload<MemberChanged>>(news.text);
        let changed = match read {
            // Another member; their data is not cached.
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
        // The guild is gone, or became available (again) with changes for which no events were received.
        "GUILD_CREATE" | "GUILD_DELETE" => None,
        "GUILD_UPDATE" => renamed(kept, guild_id, news.text),
        _ => of_part(kept, news),
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

/// Apply the event of a role, channel or thread; of threads only those that were queried.
fn of_part(kept: &Kept, news: &GuildNews<'_>) -> Option<()> {
    let guild_id = news.guild_id;
    let knows_channels = kept.get(guild_id)?.channels;
    let cache = &kept.cache;
    match news.event_type {
        "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" => {
            let RoleChanged { role } = news.object().ok()?;
            let role = role.into();
            cache.update(&RoleCreate { guild_id, role });
        }
        "GUILD_ROLE_DELETE" => {
            let RoleGone { role_id } = news.object().ok()?;
            cache.update(&RoleDelete { guild_id, role_id });
        }
        "CHANNEL_CREATE" | "CHANNEL_UPDATE" if knows_channels => {
            cache.update(&ChannelUpdate(channel(news)?));
        }
        "THREAD_UPDATE" => {
            let thread = channel(news)?;
            if cache.channel(thread.id).is_some() {
                cache.update(&ChannelUpdate(thread));
            }
        }
        "CHANNEL_DELETE" | "THREAD_DELETE" => cache.update(&ChannelDelete(channel(news)?)),
        _ => {}
    }
    Some(())
}

fn channel(news: &GuildNews<'_>) -> Option<Channel> {
    let mut channel: ChannelModel = news.object().ok()?;
    channel.guild_id = Some(news.guild_id);
    Some(channel.into())
}
