//! What one can change about channels and their messages as members do it, and see of what the bot did.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Control,
    guilds::{change_overwrite, tell_channel},
};
use crate::{
    payload::{Overwrite, json::timestamp_text, object},
    snowflake::time_ms,
};

impl Control {
    /// Makes a channel one of another kind, by Discord's number: 4 is a category. False where there is no such channel; so with
    /// all of these.
    pub fn set_channel_kind(&self, channel_id: u64, kind: u8) -> bool {
        self.in_channel(channel_id, |world, engine, guild, channel| {
            Arc::make_mut(&mut engine.overlay)
                .change_channel(guild, channel)
                .kind = kind;
            tell_channel(engine, world, guild, channel);
        })
    }

    /// Puts a permission overwrite into a channel.
    pub fn set_overwrite(&self, channel_id: u64, overwrite: Overwrite) -> bool {
        self.in_channel(channel_id, |world, engine, guild, channel| {
            change_overwrite(engine, world, (guild, channel), overwrite.id, Some(overwrite));
        })
    }

    /// Takes a permission overwrite out of a channel.
    pub fn remove_overwrite(&self, channel_id: u64, id: u64) -> bool {
        self.in_channel(channel_id, |world, engine, guild, channel| {
            change_overwrite(engine, world, (guild, channel), id, None);
        })
    }

    /// The permission overwrites of a channel, in the order of their IDs.
    pub fn overwrites_of(&self, channel_id: u64) -> Vec<Overwrite> {
        let found = self.hub.world.channel_index(channel_id);
        found
            .map(|(guild, channel)| self.hub.lock().overlay.channel(guild, channel).overwrites)
            .unwrap_or_default()
    }

    /// Sets the slow mode of a channel, in seconds.
    pub fn set_slowmode(&self, channel_id: u64, seconds: u64) -> bool {
        self.in_channel(channel_id, |world, engine, guild, channel| {
            Arc::make_mut(&mut engine.overlay)
                .change_channel(guild, channel)
                .slowmode = seconds;
            tell_channel(engine, world, guild, channel);
        })
    }

    /// The slow mode of a channel, in seconds.
    pub fn slowmode_of(&self, channel_id: u64) -> Option<u64> {
        let (guild, channel) = self.hub.world.channel_index(channel_id)?;
        Some(self.hub.lock().overlay.channel(guild, channel).slowmode)
    }

    /// The nickname that a member was given; `None` also for none.
    pub fn nick_of(&self, guild_id: u64, user_id: u64) -> Option<String> {
        self.of_member(guild_id, user_id, |overlay, guild, member| {
            let nick = overlay.member(guild, member)?.nick.as_deref()?;
            serde_json::from_str::<Option<String>>(nick).ok()?
        })
        .flatten()
    }

    /// Lets a member write a message that only REST shows, with these fields beside the usual ones. Its ID.
    pub fn write_message(&self, channel_id: u64, user_id: u64, content: &str, fields: &Value) -> Option<u64> {
        let world = &self.hub.world;
        world.channel_index(channel_id)?;
        let author = match world.person(user_id) {
            Some(person) => object::user(world, person),
            None => object::bot_user(world),
        };
        let id = {
            let mut engine = self.hub.lock();
            engine.clock.follow(1);
            engine.clock.next_id()
        };
        let mut message = json!({
            "id": id.to_string(), "channel_id": channel_id.to_string(), "type": 0, "content": content, "author": author,
            "timestamp": timestamp_text(time_ms(id)), "edited_timestamp": null, "tts": false, "mention_everyone": false,
            "mentions": [], "mention_roles": [], "attachments": [], "embeds": [], "components": [], "pinned": false, "flags": 0,
        });
        for (name, value) in fields.as_object().into_iter().flatten() {
            message[name] = value.clone();
        }
        self.hub
            .rest()
            .written
            .entry(channel_id)
            .or_default()
            .insert(id, message);
        Some(id)
    }

    /// The IDs of the messages of [`Self::write_message`] that are still there, the oldest first.
    pub fn written_messages(&self, channel_id: u64) -> Vec<u64> {
        let rest = self.hub.rest();
        let written = rest.written.get(&channel_id);
        written
            .map(|messages| messages.keys().copied().collect())
            .unwrap_or_default()
    }
}
