//! The ranking of members: <https://docs.discord.com/developers/topics/permissions#permission-hierarchy>.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{GuildMarker, RoleMarker, UserMarker},
    },
};

use super::{
    Guilds,
    cache::{Kept, Need},
    permissions::{Standing, rank},
    reduced::ReducedRole,
};
use crate::discord::rest::{Priority, RestError};

/// A user's rank in a guild.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The position and ID of the highest role: of two at the same position the older one ranks higher. `None` for members without roles.
    Member(Option<(i64, Reverse<Id<RoleMarker>>)>),
    /// The guild's owner.
    Owner,
}

/// Why the bot cannot act on a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// The bot lacks the permission.
    NoPermission,
    /// The member is the guild's owner.
    Owner,
    /// The member's highest role is not below the bot's.
    AboveBot,
    /// The member is an administrator, who cannot be timed out.
    Administrator,
}

impl Obstacle {
    /// The key of the text for moderators.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::NoPermission => "warning-obstacle-permission",
            Self::Owner => "warning-obstacle-owner",
            Self::AboveBot => "warning-obstacle-above",
            Self::Administrator => "warning-obstacle-administrator",
        }
    }
}

impl Guilds {
    /// The bot's own user.
    pub async fn me(&self, priority: Priority) -> Result<Id<UserMarker>, RestError> {
        self.inner.me(priority).await
    }

    /// The rank of a user with these roles.
    pub async fn rank(
        &self,
        guild_id: Id<GuildMarker>,
        (user_id, roles): (Id<UserMarker>, &[Id<RoleMarker>]),
        priority: Priority,
    ) -> Result<Rank, RestError> {
        let look = |kept: &Kept| rank_of(kept, guild_id, user_id, roles);
        let (known, is_whole) = self.known(guild_id, Need::Guild, priority, look).await?;
        if is_whole {
            return Ok(known);
        }
        // A role of the user is newer than the cached guild.
        self.forget(guild_id);
        let (known, _) = self.known(guild_id, Need::Guild, priority, look).await?;
        Ok(known)
    }

    /// The obstacle to a bot action that needs a permission on a member with these roles (none if they are not a member). The guild is read
    /// again before an obstacle is reported.
    pub async fn obstacle(
        &self,
        guild_id: Id<GuildMarker>,
        (user_id, roles): (Id<UserMarker>, Option<&[Id<RoleMarker>]>),
        permission: Permissions,
        priority: Priority,
    ) -> Result<Option<Obstacle>, RestError> {
        let me = self.inner.me(priority).await?;
        let look = |kept: &Kept| {
            let standing = Standing::of(kept, guild_id, me)?;
            obstacle(kept, guild_id, &standing, (user_id, roles), permission)
        };
        if self.known(guild_id, Need::Own, priority, look).await?.is_none() {
            return Ok(None);
        }
        self.forget(guild_id);
        self.known(guild_id, Need::Own, priority, look).await
    }

    /// Whether the bot has a guild-wide permission. The guild is read again before the answer is no.
    ///
    /// # Errors
    ///
    /// The guild cannot be read from Discord.
    pub async fn may(
        &self,
        guild_id: Id<GuildMarker>,
        permission: Permissions,
        priority: Priority,
    ) -> Result<bool, RestError> {
        let me = self.inner.me(priority).await?;
        let look = |kept: &Kept| {
            let standing = Standing::of(kept, guild_id, me);
            standing.is_some_and(|standing| standing.permissions().contains(permission))
        };
        if self.known(guild_id, Need::Own, priority, look).await? {
            return Ok(true);
        }
        self.forget(guild_id);
        self.known(guild_id, Need::Own, priority, look).await
    }

    /// Like [`Self::obstacle`], for several permissions, in their order.
    pub(super) async fn obstacles<const N: usize>(
        &self,
        guild_id: Id<GuildMarker>,
        (user_id, roles): (Id<UserMarker>, Option<&[Id<RoleMarker>]>),
        permissions: [Permissions; N],
        priority: Priority,
    ) -> Result<[Option<Obstacle>; N], RestError> {
        let me = self.inner.me(priority).await?;
        let look = |kept: &Kept| {
            let standing = Standing::of(kept, guild_id, me);
            permissions
                .map(|permission| obstacle(kept, guild_id, standing.as_ref()?, (user_id, roles), permission))
        };
        let known = self.known(guild_id, Need::Own, priority, look).await?;
        if known.iter().all(Option::is_none) {
            return Ok(known);
        }
        self.forget(guild_id);
        self.known(guild_id, Need::Own, priority, look).await
    }
}

fn role_of(kept: &Kept, guild_id: Id<GuildMarker>, role_id: Id<RoleMarker>) -> Option<ReducedRole> {
    let role = kept.cache.role(role_id)?;
    (role.guild_id() == guild_id).then(|| role.resource().clone())
}

/// A user's rank, and whether all of these roles are cached.
fn rank_of(
    kept: &Kept,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    roles: &[Id<RoleMarker>],
) -> (Rank, bool) {
    if kept.get(guild_id).is_some_and(|entry| entry.owner_id == user_id) {
        return (Rank::Owner, true);
    }
    let known: Vec<ReducedRole> = roles
        .iter()
        .filter_map(|id| role_of(kept, guild_id, *id))
        .collect();
    let highest = known.iter().map(rank).max();
    (Rank::Member(highest), known.len() == roles.len())
}

fn obstacle(
    kept: &Kept,
    guild_id: Id<GuildMarker>,
    standing: &Standing<'_>,
    (user_id, roles): (Id<UserMarker>, Option<&[Id<RoleMarker>]>),
    permission: Permissions,
) -> Option<Obstacle> {
    if !standing.permissions().contains(permission) {
        return Some(Obstacle::NoPermission);
    }
    if user_id == standing.owner_id {
        return Some(Obstacle::Owner);
    }
    let theirs: Vec<ReducedRole> = roles?
        .iter()
        .filter_map(|id| role_of(kept, guild_id, *id))
        .collect();
    let own = standing.highest.as_ref().map(rank);
    if theirs
        .iter()
        .map(rank)
        .max()
        .is_some_and(|theirs| Some(theirs) >= own)
    {
        return Some(Obstacle::AboveBot);
    }
    let everybody = role_of(kept, guild_id, guild_id.cast());
    let is_administrator = theirs
        .iter()
        .chain(&everybody)
        .any(|role| role.permissions.contains(Permissions::ADMINISTRATOR));
    (permission == Permissions::MODERATE_MEMBERS && is_administrator).then_some(Obstacle::Administrator)
}

#[cfg(test)]
mod tests;
