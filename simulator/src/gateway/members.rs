//! `REQUEST_GUILD_MEMBERS`: the members of a guild, in chunks.

use serde_json::{Value, json};

use super::protocol::RequestMembers;
use crate::{
    hub::Hub,
    payload::{Overlay, RawEvent, object},
};

const CHUNK: usize = 1_000;

/// The chunks that answer a request. Unknown guilds are not answered, as on Discord.
pub(super) fn chunks(hub: &Hub, overlay: &Overlay, request: &RequestMembers) -> Vec<RawEvent> {
    request
        .guild_id
        .ids()
        .into_iter()
        .flat_map(|guild| chunks_of(hub, overlay, request, guild))
        .collect()
}

fn chunks_of(hub: &Hub, overlay: &Overlay, request: &RequestMembers, guild_id: u64) -> Vec<RawEvent> {
    let world = &hub.world;
    let Some(guild) = world.guild_index(guild_id) else {
        return Vec::new();
    };
    let mut not_found: Vec<Value> = Vec::new();
    let mut wanted: Vec<Value> = Vec::new();
    if let Some(users) = &request.user_ids {
        for user in users.ids() {
            match world.member_index(guild, user) {
                Some(member) if !overlay.has_left(guild, member) => {
                    wanted.push(object::member(world, overlay, guild, member));
                }
                None if user == world.bot_id() => wanted.push(object::bot_member(world, overlay, guild)),
                _ => not_found.push(user.to_string().into()),
            }
        }
    } else {
        let query = request.query.as_deref().unwrap_or("").to_lowercase();
        let most = if request.limit == 0 {
            usize::MAX
        } else {
            request.limit as usize
        };
        if query.is_empty() {
            wanted.push(object::bot_member(world, overlay, guild));
        }
        let members = (0..world.guild_at(guild).member_count())
            .filter(|&member| !overlay.has_left(guild, member))
            .filter(|&member| {
                query.is_empty() || world.username(world.person_of(guild, member)).starts_with(&query)
            })
            .map(|member| object::member(world, overlay, guild, member));
        wanted.extend(members.take(most.saturating_sub(wanted.len())));
        wanted.truncate(most);
    }
    let count = wanted.len().div_ceil(CHUNK).max(1);
    (0..count)
        .map(|index| {
            let rest = wanted.len().min(CHUNK);
            let members: Vec<Value> = wanted.drain(..rest).collect();
            let mut data = json!({
                "guild_id": guild_id.to_string(), "members": members, "chunk_index": index, "chunk_count": count,
                "not_found": if index == 0 { std::mem::take(&mut not_found) } else { Vec::new() },
            });
            if let Some(nonce) = &request.nonce {
                data["nonce"] = nonce.as_str().into();
            }
            RawEvent { name: "GUILD_MEMBERS_CHUNK".to_owned(), data: data.to_string(), intents: 0, id: None }
        })
        .collect()
}
