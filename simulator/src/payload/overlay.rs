//! What has changed since the world was made, by REST or by the controls.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::world::{Role, World};

/// The permissions that the simulator looks at.
/// <https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags>
pub(crate) const ADMINISTRATOR: u64 = 1 << 3;
pub(crate) const KICK_MEMBERS: u64 = 1 << 1;
pub(crate) const BAN_MEMBERS: u64 = 1 << 2;
pub(crate) const MANAGE_CHANNELS: u64 = 1 << 4;
pub(crate) const MANAGE_MESSAGES: u64 = 1 << 13;
pub(crate) const MANAGE_NICKNAMES: u64 = 1 << 27;
pub(crate) const VIEW_AUDIT_LOG: u64 = 1 << 7;
pub(crate) const MODERATE_MEMBERS: u64 = 1 << 40;
pub(crate) const VIEW_CHANNEL: u64 = 1 << 10;
pub(crate) const SEND_MESSAGES: u64 = 1 << 11;
pub(crate) const EMBED_LINKS: u64 = 1 << 14;
pub(crate) const ATTACH_FILES: u64 = 1 << 15;
pub(crate) const MANAGE_ROLES: u64 = 1 << 28;

/// What has changed since the world was made.
#[derive(Clone, Default)]
pub(crate) struct Overlay {
    members: FxHashMap<(u32, u32), MemberChange>,
    guilds: FxHashMap<u32, GuildChange>,
    /// Users who accept no direct messages from the bot.
    closed: FxHashSet<u64>,
    /// Bans, by guild and user ID.
    bans: FxHashMap<(u32, u64), String>,
}

/// What was changed about a member; `None` is as the world was made.
#[derive(Clone, Default)]
pub(crate) struct MemberChange {
    pub(crate) roles: Option<Vec<u64>>,
    /// JSON of the nickname.
    pub(crate) nick: Option<String>,
    /// JSON of the end of a timeout.
    pub(crate) timeout: Option<String>,
    /// Whether they have left. The traffic does not know.
    pub(crate) left: bool,
    /// When they came back, as Unix time in milliseconds.
    pub(crate) joined_ms: Option<u64>,
}

/// What was changed about a guild; `None` is as the world was made.
#[derive(Clone, Default)]
pub(crate) struct GuildChange {
    pub(crate) name: Option<String>,
    pub(crate) roles: Option<Vec<Role>>,
    pub(crate) bot_roles: Option<Vec<u64>>,
    /// Whether the bot is in it no more.
    pub(crate) kicked: bool,
    /// By their indexes.
    pub(crate) channels: BTreeMap<u16, ChannelChange>,
}

/// Discord's number for a category.
pub(crate) const CATEGORY: u8 = 4;

/// A permission overwrite of a channel.
/// <https://docs.discord.com/developers/resources/channel#overwrite-object>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overwrite {
    /// The role or the member.
    pub id: u64,
    /// 0 for a role, 1 for a member.
    pub kind: u8,
    /// The permissions that it allows.
    pub allow: u64,
    /// The permissions that it denies.
    pub deny: u64,
}

/// What was changed about a channel.
#[derive(Clone, Default)]
pub(crate) struct ChannelChange {
    /// Discord's number for its kind; a text channel is 0.
    pub(crate) kind: u8,
    /// Its permission overwrites, in the order of their IDs.
    pub(crate) overwrites: Vec<Overwrite>,
    /// The seconds that a member waits between two messages.
    pub(crate) slowmode: u64,
    pub(crate) deleted: bool,
    /// The category, or whatever it is said to stand under.
    pub(crate) parent: Option<u64>,
}

impl Overlay {
    pub(crate) fn member(&self, guild: u32, member: u32) -> Option<&MemberChange> {
        if self.members.is_empty() {
            None
        } else {
            self.members.get(&(guild, member))
        }
    }

    pub(crate) fn change(&mut self, guild: u32, member: u32) -> &mut MemberChange {
        self.members.entry((guild, member)).or_default()
    }

    pub(crate) fn change_guild(&mut self, guild: u32) -> &mut GuildChange {
        self.guilds.entry(guild).or_default()
    }

    pub(crate) fn change_channel(&mut self, guild: u32, channel: u16) -> &mut ChannelChange {
        self.change_guild(guild).channels.entry(channel).or_default()
    }

    /// The roles to be changed: all that the guild has now.
    pub(crate) fn change_roles(&mut self, world: &World, guild: u32) -> &mut Vec<Role> {
        let now = self.guild_roles(world, guild);
        self.change_guild(guild).roles.get_or_insert(now)
    }

    pub(crate) fn set_direct_closed(&mut self, person: u64, closed: bool) {
        if closed {
            self.closed.insert(person);
        } else {
            self.closed.remove(&person);
        }
    }

    /// Ban a user, or lift the ban. Returns whether anything has changed.
    pub(crate) fn set_banned(&mut self, guild: u32, user: u64, banned: bool, reason: String) -> bool {
        if banned {
            self.bans.insert((guild, user), reason).is_none()
        } else {
            self.bans.remove(&(guild, user)).is_some()
        }
    }

    /// The reason of a ban, which may be empty; `None` without a ban.
    pub(crate) fn ban(&self, guild: u32, user: u64) -> Option<&str> {
        self.bans.get(&(guild, user)).map(String::as_str)
    }

    /// A member's permissions in a guild, and the position of their highest role.
    pub(crate) fn member_may(&self, world: &World, guild: u32, member: u32) -> (u64, u32) {
        let has = self.roles(world, guild, member);
        self.sum_of(world, guild, &has)
    }

    /// The roles that a member has now.
    pub(crate) fn roles(&self, world: &World, guild: u32, member: u32) -> Vec<u64> {
        self.member(guild, member)
            .and_then(|change| change.roles.clone())
            .unwrap_or_else(|| {
                let roles = world.guild_at(guild).roles();
                world.role_indexes(guild, member).map(|at| roles[at].id).collect()
            })
    }

    pub(crate) fn has_left(&self, guild: u32, member: u32) -> bool {
        self.member(guild, member).is_some_and(|change| change.left)
    }

    pub(crate) fn name<'a>(&'a self, world: &'a World, guild: u32) -> &'a str {
        let changed = self.guild(guild).and_then(|change| change.name.as_deref());
        changed.unwrap_or_else(|| world.guild_at(guild).name())
    }

    /// All roles that the guild has now.
    pub(crate) fn guild_roles(&self, world: &World, guild: u32) -> Vec<Role> {
        let changed = self.guild(guild).and_then(|change| change.roles.clone());
        changed.unwrap_or_else(|| {
            let made = world.guild_at(guild);
            made.roles().iter().chain([made.bot_role()]).cloned().collect()
        })
    }

    /// The roles that the bot has now.
    pub(crate) fn bot_roles(&self, world: &World, guild: u32) -> Vec<u64> {
        let changed = self.guild(guild).and_then(|change| change.bot_roles.clone());
        changed.unwrap_or_else(|| vec![world.guild_at(guild).bot_role().id])
    }

    pub(crate) fn is_kicked(&self, guild: u32) -> bool {
        self.guild(guild).is_some_and(|change| change.kicked)
    }

    pub(crate) fn channel(&self, guild: u32, channel: u16) -> ChannelChange {
        let changed = self.guild(guild).and_then(|change| change.channels.get(&channel));
        changed.cloned().unwrap_or_default()
    }

    pub(crate) fn is_direct_closed(&self, person: u64) -> bool {
        self.closed.contains(&person)
    }

    /// The bot's permissions in a guild, and the position of its highest role.
    pub(crate) fn bot_may(&self, world: &World, guild: u32) -> (u64, u32) {
        let has = self.bot_roles(world, guild);
        self.sum_of(world, guild, &has)
    }

    fn sum_of(&self, world: &World, guild: u32, has: &[u64]) -> (u64, u32) {
        let everybody = world.guild_at(guild).id();
        let roles = self.guild_roles(world, guild);
        let own = roles
            .iter()
            .filter(|role| role.id == everybody || has.contains(&role.id));
        let (may, highest) = own.fold((0, 0), |(may, highest), role| {
            (may | role.permissions, highest.max(role.position))
        });
        (if may & ADMINISTRATOR == 0 { may } else { u64::MAX }, highest)
    }

    /// What the bot may do in a channel.
    pub(crate) fn bot_may_in(&self, world: &World, guild: u32, channel: u16) -> u64 {
        let (may, _) = self.bot_may(world, guild);
        if may == u64::MAX {
            return may;
        }
        let may = self
            .bot_overwrites(world, guild, channel)
            .fold(may, |may, overwrite| may & !overwrite.deny | overwrite.allow);
        if may & VIEW_CHANNEL == 0 { 0 } else { may }
    }

    /// The overwrites that apply to the bot, in the order in which Discord applies them: everyone's, those of its roles as one, its own.
    fn bot_overwrites(&self, world: &World, guild: u32, channel: u16) -> impl Iterator<Item = Overwrite> {
        let (everyone, has) = (world.guild_at(guild).id(), self.bot_roles(world, guild));
        let all = self.channel(guild, channel).overwrites;
        let find = |id: u64| all.iter().copied().find(|overwrite| overwrite.id == id);
        let of_roles = all
            .iter()
            .filter(|overwrite| overwrite.id != everyone && has.contains(&overwrite.id))
            .copied()
            .reduce(|one, other| Overwrite {
                allow: one.allow | other.allow,
                deny: one.deny | other.deny,
                ..one
            });
        [find(everyone), of_roles, find(world.bot_id())]
            .into_iter()
            .flatten()
    }

    /// Whether an overwrite allows the bot to change all permissions of a channel.
    pub(crate) fn bot_is_allowed_roles_in(&self, world: &World, guild: u32, channel: u16) -> bool {
        self.bot_overwrites(world, guild, channel).any(|overwrite| {
            overwrite.id != world.guild_at(guild).id() && overwrite.allow & MANAGE_ROLES != 0
        })
    }

    /// Put an overwrite into a channel, or take it out. Channels that are synced with it as their category get the same:
    /// <https://docs.discord.com/developers/topics/permissions#permission-syncing>. Returns the channels that have changed.
    pub(crate) fn overwrite(
        &mut self,
        world: &World,
        (guild, channel): (u32, u16),
        id: u64,
        new: Option<Overwrite>,
    ) -> Vec<u16> {
        let own = self.channel(guild, channel);
        let mut changed = vec![channel];
        if own.kind == CATEGORY {
            let category = world.guild_at(guild).channels()[usize::from(channel)].id;
            let channels = (0_u16..).zip(world.guild_at(guild).channels());
            changed.extend(channels.map(|(at, _)| at).filter(|at| {
                let other = self.channel(guild, *at);
                other.parent == Some(category) && !other.deleted && other.overwrites == own.overwrites
            }));
        }
        for at in &changed {
            let overwrites = &mut self.change_channel(guild, *at).overwrites;
            overwrites.retain(|overwrite| overwrite.id != id);
            overwrites.extend(new);
            overwrites.sort_unstable_by_key(|overwrite| overwrite.id);
        }
        changed
    }

    fn guild(&self, guild: u32) -> Option<&GuildChange> {
        self.guilds.get(&guild)
    }
}
