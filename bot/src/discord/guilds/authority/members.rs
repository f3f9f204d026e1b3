//! Permits to give a role, to change a nickname, and to ban many members at once, and whether a permit still applies.

use serde::{Deserialize, Serialize};
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{GuildMarker, RoleMarker, UserMarker},
    },
};

use super::{Action, Authority, Denial, Guilds, Hindrance, PunishPermit, Rank};
use crate::discord::rest::{Priority, RestError};

/// A permit to give one role to members, and to take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolePermit {
    moderator_id: Id<UserMarker>,
    role_id: Id<RoleMarker>,
}

/// A permit to change the nickname of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NickPermit {
    moderator_id: Id<UserMarker>,
    user_id: Id<UserMarker>,
}

/// A permit to ban many members at once. The rank is checked for each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkBanPermit {
    moderator_id: Id<UserMarker>,
}

/// What Discord asks for: <https://docs.discord.com/developers/resources/guild#bulk-guild-ban>.
pub(crate) const BULK_BAN: [Permissions; 2] = [Permissions::BAN_MEMBERS, Permissions::MANAGE_GUILD];

impl BulkBanPermit {
    /// The member who asked.
    pub(crate) const fn moderator_id(self) -> Id<UserMarker> {
        self.moderator_id
    }
}

impl RolePermit {
    /// The member who asked.
    pub(crate) const fn moderator_id(&self) -> Id<UserMarker> {
        self.moderator_id
    }
}

impl NickPermit {
    /// The member who asked.
    pub(crate) const fn moderator_id(&self) -> Id<UserMarker> {
        self.moderator_id
    }
}

impl Authority {
    /// The member's permissions, without what channels change. What acts on others takes a permit.
    pub(crate) const fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// Whether the member has a permission in the whole guild.
    pub(crate) fn has(&self, permission: Permissions) -> bool {
        self.permissions.contains(permission)
    }

    /// Issues a permit for a role.
    ///
    /// # Errors
    ///
    /// The member may not give it.
    pub fn role_permit(&self, role_id: Id<RoleMarker>) -> Result<RolePermit, Denial> {
        self.over(role_id)?;
        Ok(RolePermit {
            moderator_id: self.user_id,
            role_id,
        })
    }

    /// Issues a permit to ban many members at once.
    ///
    /// # Errors
    ///
    /// The member lacks a permission that Discord asks for.
    pub fn bulk_ban_permit(&self) -> Result<BulkBanPermit, Denial> {
        let missing = BULK_BAN
            .into_iter()
            .find(|needed| !self.permissions.contains(*needed));
        match missing {
            Some(missing) => Err(Denial::Permission(missing)),
            None => Ok(BulkBanPermit {
                moderator_id: self.user_id,
            }),
        }
    }

    /// Issues a permit to lift bans. A banned user is not a member, so there is no rank to compare.
    ///
    /// # Errors
    ///
    /// The member may not ban.
    pub(crate) fn unban_permit(&self) -> Result<PunishPermit, Denial> {
        if self.has(Permissions::BAN_MEMBERS) {
            Ok(self.punish_permit())
        } else {
            Err(Denial::Permission(Permissions::BAN_MEMBERS))
        }
    }

    /// Issues a permit to change the nickname of a member with this rank.
    ///
    /// # Errors
    ///
    /// The member may not change it.
    pub fn nick_permit(&self, (user_id, theirs): (Id<UserMarker>, Rank)) -> Result<NickPermit, Denial> {
        if !self.permissions.contains(Permissions::MANAGE_NICKNAMES) {
            return Err(Denial::Permission(Permissions::MANAGE_NICKNAMES));
        }
        if user_id != self.user_id && theirs >= self.rank {
            return Err(Denial::MemberAbove);
        }
        Ok(NickPermit {
            moderator_id: self.user_id,
            user_id,
        })
    }
}

impl Guilds {
    /// Why a permit for an action no longer applies to a user with these roles, `None` if they are not a member: the moderator may have
    /// lost the permission, be in timeout or have left, and the user may have received higher roles, or rejoined with them.
    ///
    /// # Errors
    ///
    /// The ranks cannot be read from Discord.
    pub(crate) async fn punish_denial(
        &self,
        guild_id: Id<GuildMarker>,
        (permit, action): (&PunishPermit, Action),
        (user_id, roles): (Id<UserMarker>, Option<&[Id<RoleMarker>]>),
        priority: Priority,
    ) -> Result<Option<Denial>, RestError> {
        let Some(moderator_id) = permit.moderator_id else {
            return Ok(Some(Denial::MemberAbove));
        };
        let authority = self.current(guild_id, moderator_id, priority).await?;
        let Some(authority) = authority.filter(|authority| authority.has(action.permission())) else {
            return Ok(Some(Denial::Permission(action.permission())));
        };
        let who = (user_id, roles.unwrap_or_default());
        let theirs = self.rank(guild_id, who, priority).await?;
        let is_below = theirs < authority.rank || (roles.is_none() && theirs != Rank::Owner);
        Ok((!is_below || user_id == moderator_id).then_some(Denial::MemberAbove))
    }

    /// The same for a role.
    ///
    /// # Errors
    ///
    /// The ranks cannot be read from Discord.
    pub(crate) async fn role_denial(
        &self,
        guild_id: Id<GuildMarker>,
        permit: &RolePermit,
        priority: Priority,
    ) -> Result<Option<Denial>, RestError> {
        let authority = self.current(guild_id, permit.moderator_id, priority).await?;
        Ok(match authority {
            Some(authority) => authority.over(permit.role_id).err(),
            None => Some(Denial::Permission(Permissions::MANAGE_ROLES)),
        })
    }

    /// The same for a nickname, whose member has these roles now.
    ///
    /// # Errors
    ///
    /// The ranks cannot be read from Discord.
    pub(crate) async fn nick_denial(
        &self,
        guild_id: Id<GuildMarker>,
        permit: &NickPermit,
        roles: &[Id<RoleMarker>],
        priority: Priority,
    ) -> Result<Option<Denial>, RestError> {
        let Some(authority) = self.current(guild_id, permit.moderator_id, priority).await? else {
            return Ok(Some(Denial::Permission(Permissions::MANAGE_NICKNAMES)));
        };
        let theirs = self.rank(guild_id, (permit.user_id, roles), priority).await?;
        Ok(authority.nick_permit((permit.user_id, theirs)).err())
    }

    /// The authority of the member who asked, if a permit still applies.
    ///
    /// # Errors
    ///
    /// The roles cannot be read from Discord.
    pub(crate) async fn bulk_ban_authority(
        &self,
        guild_id: Id<GuildMarker>,
        permit: &BulkBanPermit,
        priority: Priority,
    ) -> Result<Result<Authority, Denial>, RestError> {
        let authority = self.current(guild_id, permit.moderator_id, priority).await?;
        Ok(match authority {
            Some(authority) => authority.bulk_ban_permit().map(|_permit| authority),
            None => Err(Denial::Permission(Permissions::BAN_MEMBERS)),
        })
    }

    /// Why a moderator may not, or the bot cannot, ban a user with these roles, `None` if they are not a member.
    ///
    /// # Errors
    ///
    /// The ranks cannot be read from Discord.
    pub(crate) async fn bulk_ban_hindrance(
        &self,
        guild_id: Id<GuildMarker>,
        authority: &Authority,
        (user_id, roles): (Id<UserMarker>, Option<&[Id<RoleMarker>]>),
        priority: Priority,
    ) -> Result<Option<Hindrance>, RestError> {
        let who = (user_id, roles.unwrap_or_default());
        let theirs = self.rank(guild_id, who, priority).await?;
        let is_below = theirs < authority.rank || (roles.is_none() && theirs != Rank::Owner);
        if !is_below || user_id == authority.user_id {
            return Ok(Some(Hindrance::Denied(Denial::MemberAbove)));
        }
        let of = (user_id, roles);
        let obstacle = self.obstacle(guild_id, of, Permissions::BAN_MEMBERS, priority);
        Ok(obstacle.await?.map(Hindrance::Bot))
    }

    /// The authority that a user has now; `None` for one who has left.
    async fn current(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        priority: Priority,
    ) -> Result<Option<Authority>, RestError> {
        let Some(member) = self.membership(guild_id, user_id, priority).await? else {
            return Ok(None);
        };
        let authority = self.authority(guild_id, (user_id, &member), priority).await?;
        Ok(Some(authority))
    }
}
