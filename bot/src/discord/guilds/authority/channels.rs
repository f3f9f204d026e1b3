//! Permits for one channel, where its permission overwrites count.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use twilight_model::{
    channel::{ChannelType, permission_overwrite::PermissionOverwrite},
    guild::Permissions,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, RoleMarker, UserMarker},
    },
};
use twilight_util::permission_calculator::PermissionCalculator;

use super::{
    super::{
        Found, Guilds, Membership,
        cache::{Kept, Need},
        permissions::{Standing, within_timeout},
        reduced::ReducedChannel,
    },
    Denial, role_of,
};
use crate::discord::rest::{Priority, RestError};

/// A permit to use permissions in one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelPermit {
    moderator_id: Id<UserMarker>,
    channel_id: Id<ChannelMarker>,
    permissions: Permissions,
}

impl ChannelPermit {
    /// The member who asked.
    pub(crate) const fn moderator_id(&self) -> Id<UserMarker> {
        self.moderator_id
    }
}

/// The first of several permissions, since a text names one.
pub(crate) fn first(permissions: Permissions) -> Permissions {
    permissions.iter().next().unwrap_or(permissions)
}

impl Guilds {
    /// Issues a permit to use these permissions in a channel or thread to a member.
    ///
    /// # Errors
    ///
    /// The guild cannot be read from Discord. Nothing is permitted then.
    pub async fn channel_permit(
        &self,
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        who: (Id<UserMarker>, &Membership),
        permissions: Permissions,
        priority: Priority,
    ) -> Result<Result<ChannelPermit, Denial>, RestError> {
        let lacking = self
            .lacking(guild_id, channel_id, who, permissions, priority)
            .await?;
        Ok(if lacking.is_empty() {
            Ok(ChannelPermit {
                moderator_id: who.0,
                channel_id,
                permissions,
            })
        } else {
            Err(Denial::Permission(first(lacking)))
        })
    }

    /// Why a permit no longer applies, if it does not: its member may have lost the permission, be in timeout, or have left.
    pub(crate) async fn denial_in_channel(
        &self,
        guild_id: Id<GuildMarker>,
        permit: &ChannelPermit,
        priority: Priority,
    ) -> Result<Option<Denial>, RestError> {
        let ChannelPermit {
            moderator_id,
            channel_id,
            permissions,
        } = *permit;
        let Some(member) = self.membership(guild_id, moderator_id, priority).await? else {
            return Ok(Some(Denial::Permission(first(permissions))));
        };
        let who = (moderator_id, &member);
        let lacking = self
            .lacking(guild_id, channel_id, who, permissions, priority)
            .await?;
        Ok((!lacking.is_empty()).then(|| Denial::Permission(first(lacking))))
    }

    /// The kind of a channel or thread of the guild; `None` if there is no such channel, or the bot does not see it.
    pub(crate) async fn kind_of(
        &self,
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        priority: Priority,
    ) -> Result<Option<ChannelType>, RestError> {
        let channel = self.channel(guild_id, channel_id, priority).await?;
        Ok(channel.map(|channel| channel.kind))
    }

    /// Which of these permissions the bot lacks in a channel or thread. The guild is read again before any is reported.
    pub(crate) async fn bot_lacks(
        &self,
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        permissions: Permissions,
        priority: Priority,
    ) -> Result<Permissions, RestError> {
        let (in_channel, _) = self.own(guild_id, channel_id, priority).await?;
        if in_channel.contains(permissions) {
            return Ok(Permissions::empty());
        }
        self.forget(guild_id);
        let (in_channel, _) = self.own(guild_id, channel_id, priority).await?;
        Ok(permissions - in_channel)
    }

    /// What the bot lacks to allow or deny these permissions in a channel: Discord lets it change only those that it has itself, in the guild
    /// or in the channel.
    pub(crate) async fn bot_lacks_to_set(
        &self,
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        permissions: Permissions,
        priority: Priority,
    ) -> Result<Permissions, RestError> {
        let needed = Permissions::VIEW_CHANNEL | Permissions::MANAGE_ROLES;
        let lacking = |(in_channel, in_guild): (Permissions, Permissions)| {
            (needed - in_channel) | (permissions - in_channel - in_guild)
        };
        let known = lacking(self.own(guild_id, channel_id, priority).await?);
        if known.is_empty() {
            return Ok(known);
        }
        self.forget(guild_id);
        Ok(lacking(self.own(guild_id, channel_id, priority).await?))
    }

    /// The guild's roles that have one of these permissions, and the bot's own.
    pub(crate) async fn roles_with(
        &self,
        guild_id: Id<GuildMarker>,
        permissions: Permissions,
        priority: Priority,
    ) -> Result<Vec<Id<RoleMarker>>, RestError> {
        let look = |kept: &Kept| {
            let own = kept.get(guild_id).and_then(|entry| entry.own.as_ref());
            let own = own.map_or(&[][..], |own| &own.roles);
            let ids = kept.cache.guild_roles(guild_id);
            let roles = ids.iter().flat_map(|ids| ids.iter().copied());
            roles
                .filter_map(|id| role_of(kept, guild_id, id))
                .filter(|role| role.permissions.intersects(permissions) || own.contains(&role.id))
                .map(|role| role.id)
                .collect()
        };
        self.known(guild_id, Need::Own, priority, look).await
    }

    async fn lacking(
        &self,
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        who: (Id<UserMarker>, &Membership),
        permissions: Permissions,
        priority: Priority,
    ) -> Result<Permissions, RestError> {
        let known = self.permissions_in(guild_id, channel_id, who, priority).await?;
        if known.contains(permissions) {
            return Ok(Permissions::empty());
        }
        // Stale data from some minutes ago must not cause a refusal.
        self.forget(guild_id);
        let known = self.permissions_in(guild_id, channel_id, who, priority).await?;
        Ok(permissions - known)
    }

    /// The permissions of a member; none in a channel that does not exist.
    async fn permissions_in(
        &self,
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        (user_id, member): (Id<UserMarker>, &Membership),
        priority: Priority,
    ) -> Result<Permissions, RestError> {
        let Some(channel) = self.channel(guild_id, channel_id, priority).await? else {
            return Ok(Permissions::empty());
        };
        let (until, now) = (member.communication_disabled_until, self.inner.rest.clock().now());
        let look = |kept: &Kept| {
            let everyone = role_of(kept, guild_id, guild_id.cast());
            let everyone = everyone.map_or(Permissions::empty(), |role| role.permissions);
            let held: Vec<_> = member
                .roles
                .iter()
                .filter_map(|id| role_of(kept, guild_id, *id))
                .map(|role| (role.id, role.permissions))
                .collect();
            let mut calculator = PermissionCalculator::new(guild_id, user_id, everyone, &held);
            if let Some(entry) = kept.get(guild_id) {
                calculator = calculator.owner_id(entry.owner_id);
            }
            // For this kind twilight removes nothing that depends on another permission.
            let kind = ChannelType::GuildAnnouncement;
            within_timeout(
                calculator.in_channel(kind, &overwrites_of(kept, &channel)),
                until,
                now,
            )
        };
        self.known(guild_id, Need::Channels, priority, look).await
    }

    /// The bot's permissions in a channel and in the guild.
    async fn own(
        &self,
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        priority: Priority,
    ) -> Result<(Permissions, Permissions), RestError> {
        let me = self.inner.me(priority).await?;
        let channel = self.channel(guild_id, channel_id, priority).await?;
        let look = |kept: &Kept| {
            let standing = Standing::of(kept, guild_id, me);
            let in_guild = standing
                .as_ref()
                .map_or(Permissions::empty(), Standing::permissions);
            let in_channel =
                standing
                    .zip(channel.as_ref())
                    .map_or(Permissions::empty(), |(standing, channel)| {
                        standing.in_channel(ChannelType::GuildAnnouncement, &overwrites_of(kept, channel))
                    });
            (in_channel, in_guild)
        };
        self.known(guild_id, Need::Channels, priority, look).await
    }

    async fn channel(
        &self,
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        priority: Priority,
    ) -> Result<Option<Arc<ReducedChannel>>, RestError> {
        let look = |kept: &Kept| {
            let channel = kept.cache.channel(channel_id)?;
            (channel.guild_id == Some(guild_id)).then(|| Arc::new(channel.value().clone()))
        };
        if let Some(channel) = self.known(guild_id, Need::Channels, priority, look).await? {
            return Ok(Some(channel));
        }
        // Threads are not among a guild's channels.
        let ask = || {
            let inner = Arc::clone(&self.inner);
            async move { inner.find(guild_id, channel_id, priority).await }
        };
        let found = self.inner.channels.ask((guild_id, channel_id), ask).await?;
        Ok(match found {
            Found::Channel(channel) if channel.guild_id == Some(guild_id) => Some(channel),
            _ => None,
        })
    }
}

/// The overwrites that apply in a channel. A thread has its parent's.
fn overwrites_of(kept: &Kept, channel: &ReducedChannel) -> Box<[PermissionOverwrite]> {
    if !channel.kind.is_thread() {
        return channel.overwrites.clone();
    }
    let parent = channel.parent_id.and_then(|id| kept.cache.channel(id));
    parent.map(|parent| parent.overwrites.clone()).unwrap_or_default()
}
