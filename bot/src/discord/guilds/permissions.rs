//! The bot's permissions in a cached guild: <https://discord.com/developers/docs/topics/permissions>.

use std::{cmp::Reverse, time::SystemTime};

use twilight_model::{
    channel::{ChannelType, permission_overwrite::PermissionOverwrite},
    guild::Permissions,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, RoleMarker, UserMarker},
    },
    util::Timestamp,
};
use twilight_util::permission_calculator::PermissionCalculator;

use super::{
    Assignable, Order, Sendable,
    cache::{Kept, Own},
    reduced::{ReducedChannel, ReducedRole},
};

/// The permissions of a member in timeout.
const IN_TIMEOUT: Permissions = Permissions::VIEW_CHANNEL.union(Permissions::READ_MESSAGE_HISTORY);

/// The bot's roles in a guild, with the derived data.
pub(super) struct Standing<'a> {
    guild_id: Id<GuildMarker>,
    pub(super) owner_id: Id<UserMarker>,
    me: Id<UserMarker>,
    own: &'a Own,
    everyone: Permissions,
    roles: Vec<(Id<RoleMarker>, Permissions)>,
    /// The highest role, by [`rank`].
    pub(super) highest: Option<ReducedRole>,
    /// Discord's time.
    now: SystemTime,
}

/// Whether a timeout that ends then goes on at this time of Discord's.
pub(super) fn is_in_timeout(until: Option<Timestamp>, now: SystemTime) -> bool {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    until.is_some_and(|until| u128::try_from(until.as_micros()).is_ok_and(|until| until > now.as_micros()))
}

/// What a timeout that ends then leaves of a member's permissions. It takes nothing from administrators, and so from the owner.
pub(super) fn within_timeout(
    permissions: Permissions,
    until: Option<Timestamp>,
    now: SystemTime,
) -> Permissions {
    if is_in_timeout(until, now) && !permissions.contains(Permissions::ADMINISTRATOR) {
        permissions & IN_TIMEOUT
    } else {
        permissions
    }
}

/// The rank of a role: of two roles at the same position the older one ranks higher.
pub(super) fn rank(role: &ReducedRole) -> (i64, Reverse<Id<RoleMarker>>) {
    (role.position, Reverse(role.id))
}

/// The rank of a role of the guild; `None` if it is not cached. The cache also has the roles of other guilds.
pub(super) fn order(kept: &Kept, guild_id: Id<GuildMarker>, role_id: Id<RoleMarker>) -> Order {
    let role = kept.cache.role(role_id)?;
    (role.guild_id() == guild_id).then(|| rank(role.resource()))
}

impl<'a> Standing<'a> {
    /// `None` if the guild or the bot's roles in it are not cached.
    pub(super) fn of(kept: &'a Kept, guild_id: Id<GuildMarker>, me: Id<UserMarker>) -> Option<Self> {
        let entry = kept.get(guild_id)?;
        let own = entry.own.as_ref()?;
        let role = |id| kept.cache.role(id).map(|role| role.resource().clone());
        let own_roles: Vec<ReducedRole> = own.roles.iter().filter_map(|id| role(*id)).collect();
        Some(Self {
            guild_id,
            owner_id: entry.owner_id,
            me,
            own,
            everyone: role(guild_id.cast()).map_or(Permissions::empty(), |role| role.permissions),
            roles: own_roles.iter().map(|role| (role.id, role.permissions)).collect(),
            highest: own_roles.into_iter().max_by_key(rank),
            now: kept.clock.now(),
        })
    }

    fn calculator(&self) -> PermissionCalculator<'_> {
        PermissionCalculator::new(self.guild_id, self.me, self.everyone, &self.roles).owner_id(self.owner_id)
    }

    /// The bot's guild-wide permissions.
    pub(super) fn permissions(&self) -> Permissions {
        self.within_timeout(self.calculator().root())
    }

    fn within_timeout(&self, permissions: Permissions) -> Permissions {
        within_timeout(permissions, self.own.communication_disabled_until, self.now)
    }

    pub(super) fn in_channel(&self, kind: ChannelType, overwrites: &[PermissionOverwrite]) -> Permissions {
        // twilight's calculator does not know text in voice channels, and removes the permission there; in announcement channels it removes
        // nothing.
        let kind = match kind {
            ChannelType::GuildVoice | ChannelType::GuildStageVoice => ChannelType::GuildAnnouncement,
            kind => kind,
        };
        self.within_timeout(self.calculator().in_channel(kind, overwrites))
    }
}

/// Whether the bot can give the role; `None` if the cached data is insufficient.
pub(super) fn assignable(
    kept: &Kept,
    guild_id: Id<GuildMarker>,
    role_id: Id<RoleMarker>,
    me: Id<UserMarker>,
) -> Option<Assignable> {
    let standing = Standing::of(kept, guild_id, me)?;
    if role_id == guild_id.cast() {
        return Some(Assignable::Everyone);
    }
    let role = kept
        .cache
        .role(role_id)
        .filter(|role| role.guild_id() == guild_id)
        .map(|role| role.resource().clone());
    let Some(role) = role else {
        return Some(Assignable::UnknownRole);
    };
    let permissions = standing.permissions();
    let is_below = standing
        .highest
        .as_ref()
        .is_some_and(|highest| rank(&role) < rank(highest));
    Some(if role.managed {
        Assignable::Managed
    } else if !permissions.contains(Permissions::MANAGE_ROLES) {
        Assignable::NoPermission
    } else if is_below || standing.owner_id == me {
        Assignable::Yes
    } else {
        Assignable::RoleAboveBot {
            role: role.position,
            bot: standing.highest.map_or(0, |highest| highest.position),
        }
    })
}

/// Whether the bot can send messages in a cached channel; `None` if it is not cached.
pub(super) fn sendable(
    kept: &Kept,
    guild_id: Id<GuildMarker>,
    channel_id: Id<ChannelMarker>,
    me: Id<UserMarker>,
) -> Option<Sendable> {
    let channel = kept
        .cache
        .channel(channel_id)
        .filter(|channel| channel.guild_id == Some(guild_id))?
        .value()
        .clone();
    sendable_in(kept, guild_id, &channel, me)
}

/// The same for a channel that is not cached, such as a thread; `None` if the guild's channels are not cached.
pub(super) fn sendable_in(
    kept: &Kept,
    guild_id: Id<GuildMarker>,
    channel: &ReducedChannel,
    me: Id<UserMarker>,
) -> Option<Sendable> {
    let standing = Standing::of(kept, guild_id, me)?;
    let (permissions, wanted) = match channel.kind {
        ChannelType::PublicThread | ChannelType::PrivateThread | ChannelType::AnnouncementThread => {
            // A thread has its parent's overwrites.
            let parent = kept.cache.channel(channel.parent_id?)?.value().clone();
            (
                standing.in_channel(parent.kind, &parent.overwrites),
                Permissions::SEND_MESSAGES_IN_THREADS,
            )
        }
        ChannelType::GuildText | ChannelType::GuildAnnouncement => (
            standing.in_channel(channel.kind, &channel.overwrites),
            Permissions::SEND_MESSAGES,
        ),
        // Sending messages in a voice channel requires the permission to connect.
        ChannelType::GuildVoice | ChannelType::GuildStageVoice => (
            standing.in_channel(channel.kind, &channel.overwrites),
            Permissions::SEND_MESSAGES | Permissions::CONNECT,
        ),
        _ => return Some(Sendable::NoMessages),
    };
    Some(if !permissions.contains(Permissions::VIEW_CHANNEL) {
        Sendable::Hidden
    } else if permissions.contains(wanted) {
        Sendable::Yes
    } else {
        Sendable::NoPermission
    })
}
