//! Changes of guilds, channels, roles and members. Each sends its event, and REST answers accordingly.
//!
//! The traffic does not follow them: members who left go on writing, also in deleted channels.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Control;
use crate::{
    engine::Engine,
    payload::{Overlay, Overwrite, RawEvent, json::timestamp_text, object},
    world::{Role, World},
};

/// The intent for events about guilds, roles and channels.
const GUILDS: u64 = 1;
/// The intent for events about members. Those about the bot itself need none.
const GUILD_MEMBERS: u64 = 1 << 1;
/// The intent for events about bans.
const GUILD_MODERATION: u64 = 1 << 2;
const ALWAYS: u64 = 0;

impl Control {
    /// Moves a role in the hierarchy. False where there is no such guild or role; so with all of these.
    pub fn set_role_position(&self, guild_id: u64, role_id: u64, position: u32) -> bool {
        self.change_role(guild_id, role_id, |role| role.position = position)
    }

    /// Changes what a role may do; the guild's own id is everybody's role.
    pub fn set_role_permissions(&self, guild_id: u64, role_id: u64, permissions: u64) -> bool {
        self.change_role(guild_id, role_id, |role| role.permissions = permissions)
    }

    /// Makes a role an integration's, which alone gives it, or an ordinary one.
    pub fn set_role_managed(&self, guild_id: u64, role_id: u64, managed: bool) -> bool {
        self.change_role(guild_id, role_id, |role| role.managed = managed)
    }

    /// Changes what the bot's own role may do: without `1 << 28` it may not manage roles.
    pub fn set_bot_permissions(&self, guild_id: u64, permissions: u64) -> bool {
        self.bot_role(guild_id)
            .is_some_and(|role| self.set_role_permissions(guild_id, role, permissions))
    }

    /// Moves the bot's own role in the hierarchy: roles at its position or above it are out of its reach.
    pub fn set_bot_position(&self, guild_id: u64, position: u32) -> bool {
        self.bot_role(guild_id)
            .is_some_and(|role| self.set_role_position(guild_id, role, position))
    }

    /// Gives the bot these roles, and no others.
    pub fn set_bot_roles(&self, guild_id: u64, roles: &[u64]) -> bool {
        self.in_guild(guild_id, |world, engine, guild| {
            Arc::make_mut(&mut engine.overlay).change_guild(guild).bot_roles = Some(roles.to_vec());
            let mut member = object::bot_member(world, &engine.overlay, guild);
            member["guild_id"] = guild_id.to_string().into();
            tell(engine, world, guild, "GUILD_MEMBER_UPDATE", &member, ALWAYS);
            true
        })
    }

    /// Makes a role at this position, without any permission. Its id.
    pub fn create_role(&self, guild_id: u64, name: &str, position: u32) -> Option<u64> {
        let mut made = None;
        self.in_guild(guild_id, |world, engine, guild| {
            engine.clock.follow(1);
            let role = Role {
                id: engine.clock.next_id(),
                name: name.to_owned(),
                position,
                permissions: 0,
                color: 0,
                managed: false,
            };
            made = Some(role.id);
            tell_role(engine, world, guild, "GUILD_ROLE_CREATE", &role);
            Arc::make_mut(&mut engine.overlay)
                .change_roles(world, guild)
                .push(role);
            true
        });
        made
    }

    /// Deletes a role. Members lose it.
    pub fn delete_role(&self, guild_id: u64, role_id: u64) -> bool {
        self.in_guild(guild_id, |world, engine, guild| {
            let overlay = Arc::make_mut(&mut engine.overlay);
            let roles = overlay.change_roles(world, guild);
            let before = roles.len();
            roles.retain(|role| role.id != role_id);
            if roles.len() == before {
                return false;
            }
            let bot_roles = overlay.bot_roles(world, guild);
            if bot_roles.contains(&role_id) {
                let left = bot_roles.into_iter().filter(|role| *role != role_id).collect();
                overlay.change_guild(guild).bot_roles = Some(left);
            }
            overlay.take_role(world, guild, role_id);
            let gone = json!({"guild_id": guild_id.to_string(), "role_id": role_id.to_string()});
            tell(engine, world, guild, "GUILD_ROLE_DELETE", &gone, GUILDS);
            true
        })
    }

    /// Denies everybody, and so the bot, these permissions in a channel: `1 << 10` is to see it, `1 << 11` to send messages. 0
    /// denies nothing any more.
    pub fn deny_in_channel(&self, channel_id: u64, permissions: u64) -> bool {
        self.in_channel(channel_id, |world, engine, guild, channel| {
            let everyone = world.guild_at(guild).id();
            let denied = Overwrite {
                id: everyone,
                kind: 0,
                allow: 0,
                deny: permissions,
            };
            let new = (permissions != 0).then_some(denied);
            change_overwrite(engine, world, (guild, channel), everyone, new);
        })
    }

    /// Puts a channel under another, as into a category, which need not be there otherwise.
    pub fn move_channel(&self, channel_id: u64, parent_id: Option<u64>) -> bool {
        self.in_channel(channel_id, |world, engine, guild, channel| {
            Arc::make_mut(&mut engine.overlay)
                .change_channel(guild, channel)
                .parent = parent_id;
            tell_channel(engine, world, guild, channel);
        })
    }

    /// Deletes a channel.
    pub fn delete_channel(&self, channel_id: u64) -> bool {
        self.in_channel(channel_id, |world, engine, guild, channel| {
            let value = object::channel(world, &engine.overlay, (guild, channel), true);
            Arc::make_mut(&mut engine.overlay)
                .change_channel(guild, channel)
                .deleted = true;
            tell(engine, world, guild, "CHANNEL_DELETE", &value, GUILDS);
        })
    }

    /// Gives a guild another name.
    pub fn rename_guild(&self, guild_id: u64, name: &str) -> bool {
        self.in_guild(guild_id, |world, engine, guild| {
            Arc::make_mut(&mut engine.overlay).change_guild(guild).name = Some(name.to_owned());
            let value = object::guild(world, &engine.overlay, guild);
            tell(engine, world, guild, "GUILD_UPDATE", &value, GUILDS);
            true
        })
    }

    /// Throws the bot out of a guild. The traffic of the guild goes on and is delivered all the same.
    pub fn kick_bot(&self, guild_id: u64) -> bool {
        self.in_guild(guild_id, |world, engine, guild| {
            Arc::make_mut(&mut engine.overlay).change_guild(guild).kicked = true;
            let gone = json!({"id": guild_id.to_string()});
            tell(engine, world, guild, "GUILD_DELETE", &gone, GUILDS);
            true
        })
    }

    /// Lets a member leave, or come back.
    pub fn set_member_left(&self, guild_id: u64, user_id: u64, left: bool) -> bool {
        self.in_guild(guild_id, |world, engine, guild| {
            let Some(member) = world.member_index(guild, user_id) else {
                return false;
            };
            engine.clock.follow(1);
            let now = engine.clock.now_ms();
            let change = Arc::make_mut(&mut engine.overlay).change(guild, member);
            change.left = left;
            if !left {
                change.joined_ms = Some(now);
            }
            let mut value = object::member(world, &engine.overlay, guild, member);
            value["guild_id"] = guild_id.to_string().into();
            let name = if left {
                value = json!({"guild_id": value["guild_id"], "user": value["user"]});
                "GUILD_MEMBER_REMOVE"
            } else {
                "GUILD_MEMBER_ADD"
            };
            tell(engine, world, guild, name, &value, GUILD_MEMBERS);
            true
        })
    }

    /// Whether a member has left, or was kicked or banned. None for a user who never was one, here and below.
    pub fn has_left(&self, guild_id: u64, user_id: u64) -> Option<bool> {
        self.of_member(guild_id, user_id, Overlay::has_left)
    }

    /// Until when a member may not communicate, as it was written; None also without a timeout.
    pub fn timeout_of(&self, guild_id: u64, user_id: u64) -> Option<String> {
        self.of_member(guild_id, user_id, |overlay, guild, member| {
            let until = overlay.member(guild, member)?.timeout.as_deref()?;
            serde_json::from_str::<Option<String>>(until).ok()?
        })
        .flatten()
    }

    /// Bans a user from a guild, or lifts the ban, as a moderator does by hand.
    pub fn set_banned(&self, guild_id: u64, user_id: u64, banned: bool) -> bool {
        self.in_guild(guild_id, |world, engine, guild| {
            let Some(person) = world.person(user_id) else {
                return false;
            };
            let overlay = Arc::make_mut(&mut engine.overlay);
            let changed = overlay.set_banned(guild, user_id, banned, String::new());
            let event = json!({"guild_id": guild_id.to_string(), "user": object::user(world, person)});
            if let Some(member) = world.member_index(guild, user_id).filter(|_| banned)
                && !overlay.has_left(guild, member)
            {
                overlay.change(guild, member).left = true;
                tell(engine, world, guild, "GUILD_MEMBER_REMOVE", &event, GUILD_MEMBERS);
            }
            if changed {
                let name = if banned {
                    "GUILD_BAN_ADD"
                } else {
                    "GUILD_BAN_REMOVE"
                };
                tell(engine, world, guild, name, &event, GUILD_MODERATION);
            }
            true
        })
    }

    /// Times a member out until this Unix time in milliseconds, as a moderator does by hand.
    pub fn time_out(&self, guild_id: u64, user_id: u64, until_ms: u64) -> bool {
        let until = Value::from(timestamp_text(until_ms)).to_string();
        self.change_timeout(guild_id, user_id, Some(until))
    }

    /// Ends a member's timeout, as a moderator does by hand.
    pub fn end_timeout(&self, guild_id: u64, user_id: u64) -> bool {
        self.change_timeout(guild_id, user_id, None)
    }

    fn change_timeout(&self, guild_id: u64, user_id: u64, timeout: Option<String>) -> bool {
        self.in_guild(guild_id, |world, engine, guild| {
            let Some(member) = world.member_index(guild, user_id) else {
                return false;
            };
            Arc::make_mut(&mut engine.overlay).change(guild, member).timeout = timeout;
            let mut value = object::member(world, &engine.overlay, guild, member);
            value["guild_id"] = guild_id.to_string().into();
            tell(engine, world, guild, "GUILD_MEMBER_UPDATE", &value, GUILD_MEMBERS);
            true
        })
    }

    /// Whether a user is banned from a guild.
    pub fn is_banned(&self, guild_id: u64, user_id: u64) -> bool {
        let guild = self.hub.world.guild_index(guild_id);
        guild.is_some_and(|guild| self.hub.lock().overlay.ban(guild, user_id).is_some())
    }

    /// Gives a member these roles, and no others.
    pub fn set_member_roles(&self, guild_id: u64, user_id: u64, roles: &[u64]) -> bool {
        self.in_guild(guild_id, |world, engine, guild| {
            let Some(member) = world.member_index(guild, user_id) else {
                return false;
            };
            Arc::make_mut(&mut engine.overlay).change(guild, member).roles = Some(roles.to_vec());
            let mut value = object::member(world, &engine.overlay, guild, member);
            value["guild_id"] = guild_id.to_string().into();
            tell(engine, world, guild, "GUILD_MEMBER_UPDATE", &value, GUILD_MEMBERS);
            true
        })
    }

    pub(super) fn of_member<T>(
        &self,
        guild_id: u64,
        user_id: u64,
        look: impl FnOnce(&Overlay, u32, u32) -> T,
    ) -> Option<T> {
        let world = &self.hub.world;
        let guild = world.guild_index(guild_id)?;
        let member = world.member_index(guild, user_id)?;
        Some(look(&self.hub.lock().overlay, guild, member))
    }

    /// Lets a user refuse the bot's direct messages, or accept them again. There is no event for it.
    pub fn set_direct_closed(&self, user_id: u64, closed: bool) -> bool {
        let Some(person) = self.hub.world.person(user_id) else {
            return false;
        };
        Arc::make_mut(&mut self.hub.lock().overlay).set_direct_closed(person, closed);
        true
    }

    /// The channel of the direct messages between a user and the bot.
    pub fn direct_channel(&self, user_id: u64) -> Option<u64> {
        let world = &self.hub.world;
        Some(world.direct_channel(world.person(user_id)?))
    }

    /// The id of the bot's own role in a guild, as the world was made.
    pub fn bot_role(&self, guild_id: u64) -> Option<u64> {
        self.hub.world.guild(guild_id).map(|guild| guild.bot_role().id)
    }

    fn change_role(&self, guild_id: u64, role_id: u64, change: impl FnOnce(&mut Role)) -> bool {
        self.in_guild(guild_id, |world, engine, guild| {
            let roles = Arc::make_mut(&mut engine.overlay).change_roles(world, guild);
            let Some(role) = roles.iter_mut().find(|role| role.id == role_id) else {
                return false;
            };
            change(role);
            let role = role.clone();
            tell_role(engine, world, guild, "GUILD_ROLE_UPDATE", &role);
            true
        })
    }

    fn in_guild(&self, guild_id: u64, change: impl FnOnce(&World, &mut Engine, u32) -> bool) -> bool {
        let world = &self.hub.world;
        world
            .guild_index(guild_id)
            .is_some_and(|guild| change(world, &mut self.hub.lock(), guild))
    }

    pub(super) fn in_channel(
        &self,
        channel_id: u64,
        change: impl FnOnce(&World, &mut Engine, u32, u16),
    ) -> bool {
        let world = &self.hub.world;
        let Some((guild, channel)) = world.channel_index(channel_id) else {
            return false;
        };
        change(world, &mut self.hub.lock(), guild, channel);
        true
    }
}

/// Put an overwrite into a channel, or take it out, and tell of each channel that has changed.
pub(super) fn change_overwrite(
    engine: &mut Engine,
    world: &World,
    (guild, channel): (u32, u16),
    id: u64,
    new: Option<Overwrite>,
) {
    let changed = Arc::make_mut(&mut engine.overlay).overwrite(world, (guild, channel), id, new);
    for at in changed {
        tell_channel(engine, world, guild, at);
    }
}

pub(super) fn tell_channel(engine: &mut Engine, world: &World, guild: u32, channel: u16) {
    let value = object::channel(world, &engine.overlay, (guild, channel), true);
    tell(engine, world, guild, "CHANNEL_UPDATE", &value, GUILDS);
}

impl Overlay {
    /// Take a role from every member.
    fn take_role(&mut self, world: &World, guild: u32, role_id: u64) {
        for member in 0..world.guild_at(guild).member_count() {
            let has = self.roles(world, guild, member);
            if has.contains(&role_id) {
                let left = has.into_iter().filter(|role| *role != role_id).collect();
                self.change(guild, member).roles = Some(left);
            }
        }
    }
}

fn tell_role(engine: &mut Engine, world: &World, guild: u32, name: &str, role: &Role) {
    let value = json!({"guild_id": world.guild_at(guild).id().to_string(), "role": object::role(role)});
    tell(engine, world, guild, name, &value, GUILDS);
}

fn tell(engine: &mut Engine, world: &World, guild: u32, name: &str, data: &Value, intents: u64) {
    let event = RawEvent {
        name: name.to_owned(),
        data: data.to_string(),
        intents,
        id: None,
    };
    engine.publish_raw(world, Some(guild), event);
}
