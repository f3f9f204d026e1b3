//! Authority: the actions that a member is entitled to cause through the bot.
//!
//! The bot often ranks above its users, so it must not do for them what Discord would not let them do themselves. Every function that gives
//! a role, punishes a member or brings members closer to a reward therefore takes a permit as a parameter, and only an [`Authority`] issues
//! permits. Code that omits the check does not compile.
//!
//! Permissions are guild-wide, computed from the member's roles: channel overwrites neither add nor remove any. A timeout takes them, as it
//! does on Discord. Unknown roles are read over REST. If that fails, nothing is permitted.

pub mod channels;
pub mod members;
mod words;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{GuildMarker, RoleMarker, UserMarker},
    },
};
use twilight_util::permission_calculator::PermissionCalculator;

pub(crate) use self::words::permission;
use super::{
    Assignable, Guilds, Membership, Obstacle, Rank,
    cache::{Kept, Need},
    permissions::{rank, within_timeout},
    reduced::ReducedRole,
};
use crate::discord::rest::{Priority, RestError};

/// A role with one of these permissions can be made a reward only by the guild's owner, and is given only while the owner's choice stands.
///
/// Earning a role takes only time, so each of these would let anyone who waits act on other members or on the guild.
const DANGEROUS: [Permissions; 19] = [
    // Includes everything.
    Permissions::ADMINISTRATOR,
    // Changes the guild, and its settings of this bot.
    Permissions::MANAGE_GUILD,
    // Removes and gives all lower roles.
    Permissions::MANAGE_ROLES,
    // Deletes channels, or opens private ones.
    Permissions::MANAGE_CHANNELS,
    // Posts under any name, even after the role is gone.
    Permissions::MANAGE_WEBHOOKS,
    // Remove or silence members.
    Permissions::BAN_MEMBERS,
    Permissions::KICK_MEMBERS,
    Permissions::MODERATE_MEMBERS,
    Permissions::MOVE_MEMBERS,
    Permissions::MUTE_MEMBERS,
    Permissions::DEAFEN_MEMBERS,
    // Renames members.
    Permissions::MANAGE_NICKNAMES,
    // Delete messages of others, or choose pins.
    Permissions::MANAGE_MESSAGES,
    Permissions::MANAGE_THREADS,
    Permissions::PIN_MESSAGES,
    // Delete content created by others.
    Permissions::MANAGE_GUILD_EXPRESSIONS,
    Permissions::MANAGE_EVENTS,
    // Notifies everyone.
    Permissions::MENTION_EVERYONE,
    // Shows the actions of moderators.
    Permissions::VIEW_AUDIT_LOG,
];

/// The first dangerous permission among these.
pub(crate) fn dangerous(permissions: Permissions) -> Option<Permissions> {
    DANGEROUS
        .into_iter()
        .find(|dangerous| permissions.contains(*dangerous))
}

/// A member's authority in a guild at a point in time.
#[derive(Clone, Debug)]
pub struct Authority {
    user_id: Id<UserMarker>,
    permissions: Permissions,
    rank: Rank,
    highest: Option<Id<RoleMarker>>,
    roles: Arc<[ReducedRole]>,
}

/// Why a member may not cause an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// They lack the permission.
    Permission(Permissions),
    /// The role is not below the member's highest role.
    RoleAbove(Id<RoleMarker>),
    /// The role has this dangerous permission, and the member is not the guild's owner.
    OwnerOnly(Id<RoleMarker>, Permissions),
    /// The target member does not rank below the moderator.
    MemberAbove,
}

/// Why a punishment is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hindrance {
    /// The moderator is not allowed to.
    Denied(Denial),
    /// The bot is unable to.
    Bot(Obstacle),
}

/// A permit to make a role a reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewardPermit {
    role_id: Id<RoleMarker>,
    configured_by: Option<Id<UserMarker>>,
}

/// A permit to change XP, or the rules for earning it, in a guild with reward roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XpPermit(());

/// A punishment supported by Discord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The member cannot send messages for some time.
    Timeout,
    /// The member is removed, but can rejoin.
    Kick,
    /// The member is removed and cannot rejoin.
    Ban,
}

impl Action {
    /// All actions, the mildest first.
    pub const ALL: [Self; 3] = [Self::Timeout, Self::Kick, Self::Ban];

    /// The word in the table and in the command's option.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Kick => "kick",
            Self::Ban => "ban",
        }
    }

    /// Parses a word; `None` for an unknown one.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }

    /// The permission that both the moderator and the bot need.
    pub const fn permission(self) -> Permissions {
        match self {
            Self::Timeout => Permissions::MODERATE_MEMBERS,
            Self::Kick => Permissions::KICK_MEMBERS,
            Self::Ban => Permissions::BAN_MEMBERS,
        }
    }
}

/// A permit to use an action as the consequence of warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThresholdPermit(Action);

/// A permit to punish one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PunishPermit {
    moderator_id: Option<Id<UserMarker>>,
    /// The moderator's rank at the time, which a process of the previous version compares.
    highest: Option<Id<RoleMarker>>,
    is_owner: bool,
}

/// The punishments that a moderator may apply to one member and that the bot can carry out.
#[derive(Clone, Copy, Debug)]
pub struct Sanctions([Result<PunishPermit, Hindrance>; Action::ALL.len()]);

impl Guilds {
    /// The authority of a member of the guild.
    ///
    /// # Errors
    ///
    /// The roles cannot be read from Discord. Nothing is permitted then.
    pub async fn authority(
        &self,
        guild_id: Id<GuildMarker>,
        (user_id, member): (Id<UserMarker>, &Membership),
        priority: Priority,
    ) -> Result<Authority, RestError> {
        let who = (user_id, member.roles.as_slice());
        // Also reads the guild again if one of the roles is newer than the cached data.
        let rank = self.rank(guild_id, who, priority).await?;
        let look = |kept: &Kept| authority(kept, guild_id, who, rank);
        let without_timeout = self.known(guild_id, Need::Guild, priority, look).await?;
        let (until, now) = (member.communication_disabled_until, self.inner.rest.clock().now());
        Ok(Authority {
            permissions: within_timeout(without_timeout.permissions, until, now),
            ..without_timeout
        })
    }

    /// Checks that a member may make a role a reward and that the bot can give it.
    ///
    /// # Errors
    ///
    /// The role cannot be read from Discord.
    pub async fn reward_permit(
        &self,
        guild_id: Id<GuildMarker>,
        authority: &Authority,
        role_id: Id<RoleMarker>,
        priority: Priority,
    ) -> Result<Result<RewardPermit, RewardFault>, RestError> {
        if let Err(denial) = authority.over(role_id) {
            return Ok(Err(RewardFault::Denied(denial)));
        }
        let mut assignable = self.assignable(guild_id, role_id, priority).await?;
        if assignable != Assignable::Yes {
            // Stale data from some minutes ago must not cause a refusal.
            self.forget(guild_id);
            assignable = self.assignable(guild_id, role_id, priority).await?;
        }
        if assignable != Assignable::Yes {
            return Ok(Err(RewardFault::Unassignable(assignable)));
        }
        let dangerous = self.dangers_of(guild_id, role_id, priority).await?;
        Ok(match dangerous.filter(|_| authority.rank != Rank::Owner) {
            Some(permission) => Err(RewardFault::Denied(Denial::OwnerOnly(role_id, permission))),
            None => Ok(RewardPermit {
                role_id,
                configured_by: Some(authority.user_id),
            }),
        })
    }

    /// A dangerous permission of the role, if any.
    ///
    /// # Errors
    ///
    /// The role cannot be read from Discord.
    pub async fn dangers_of(
        &self,
        guild_id: Id<GuildMarker>,
        role_id: Id<RoleMarker>,
        priority: Priority,
    ) -> Result<Option<Permissions>, RestError> {
        let look = |kept: &Kept| {
            let role = kept.cache.role(role_id)?;
            dangerous(role.permissions)
        };
        self.known(guild_id, Need::Guild, priority, look).await
    }

    /// The guild's owner.
    ///
    /// # Errors
    ///
    /// It cannot be read from Discord.
    pub async fn owner(
        &self,
        guild_id: Id<GuildMarker>,
        priority: Priority,
    ) -> Result<Option<Id<UserMarker>>, RestError> {
        let look = |kept: &Kept| kept.get(guild_id).map(|entry| entry.owner_id);
        self.known(guild_id, Need::Guild, priority, look).await
    }

    /// The punishments that a moderator may apply to a member and the bot can carry out. `roles` are the member's; `None` for one who has
    /// left, for whom Discord requires no rank either.
    ///
    /// # Errors
    ///
    /// The ranks cannot be read from Discord.
    pub async fn sanctions(
        &self,
        guild_id: Id<GuildMarker>,
        authority: &Authority,
        (user_id, roles): (Id<UserMarker>, Option<&[Id<RoleMarker>]>),
        priority: Priority,
    ) -> Result<Sanctions, RestError> {
        let who = (user_id, roles.unwrap_or_default());
        let theirs = self.rank(guild_id, who, priority).await?;
        let is_below = theirs < authority.rank || (roles.is_none() && theirs != Rank::Owner);
        let permissions = Action::ALL.map(Action::permission);
        let obstacles = self
            .obstacles(guild_id, (user_id, roles), permissions, priority)
            .await?;
        let mut sanctions = Sanctions::none();
        for ((permission, obstacle), entry) in permissions.into_iter().zip(obstacles).zip(&mut sanctions.0) {
            *entry = if !authority.permissions.contains(permission) {
                Err(Hindrance::Denied(Denial::Permission(permission)))
            } else if !is_below {
                Err(Hindrance::Denied(Denial::MemberAbove))
            } else if let Some(obstacle) = obstacle {
                Err(Hindrance::Bot(obstacle))
            } else {
                Ok(authority.punish_permit())
            };
        }
        Ok(sanctions)
    }
}

/// Why a role cannot become a reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewardFault {
    /// The user is not allowed to.
    Denied(Denial),
    /// The bot cannot give it.
    Unassignable(Assignable),
}

impl Authority {
    /// Whether the member could give this role themselves.
    fn over(&self, role_id: Id<RoleMarker>) -> Result<(), Denial> {
        if !self.permissions.contains(Permissions::MANAGE_ROLES) {
            return Err(Denial::Permission(Permissions::MANAGE_ROLES));
        }
        let Some(role) = self.roles.iter().find(|role| role.id == role_id) else {
            // A deleted role gives nothing.
            return Ok(());
        };
        if self.rank > Rank::Member(Some(rank(role))) {
            Ok(())
        } else {
            Err(Denial::RoleAbove(role_id))
        }
    }

    /// Issues a permit to change XP, or the rules for earning it. In a guild with reward roles this requires the right to give those roles
    /// manually: otherwise any of them could be obtained by a command.
    ///
    /// # Errors
    ///
    /// The member may not give one of the roles.
    pub fn xp_permit(&self, rewards: impl IntoIterator<Item = Id<RoleMarker>>) -> Result<XpPermit, Denial> {
        rewards.into_iter().try_for_each(|role_id| self.over(role_id))?;
        Ok(XpPermit(()))
    }

    /// Issues a permit to use an action as the consequence of warnings.
    ///
    /// # Errors
    ///
    /// The member may not perform the action themselves.
    pub fn threshold_permit(&self, action: Action) -> Result<ThresholdPermit, Denial> {
        let permission = action.permission();
        if self.permissions.contains(permission) {
            Ok(ThresholdPermit(action))
        } else {
            Err(Denial::Permission(permission))
        }
    }

    /// The member's rank.
    pub const fn rank(&self) -> Rank {
        self.rank
    }

    const fn punish_permit(&self) -> PunishPermit {
        PunishPermit {
            moderator_id: Some(self.user_id),
            highest: self.highest,
            is_owner: matches!(self.rank, Rank::Owner),
        }
    }
}

impl RewardPermit {
    /// A permit for the bot operator's configuration. It does not count as an owner's choice: a role with dangerous permissions is not
    /// given.
    pub const fn of_operator(role_id: Id<RoleMarker>) -> Self {
        Self {
            role_id,
            configured_by: None,
        }
    }

    /// The role.
    pub const fn role_id(&self) -> Id<RoleMarker> {
        self.role_id
    }

    /// The member who made it a reward; `None` for the operator.
    pub const fn configured_by(&self) -> Option<Id<UserMarker>> {
        self.configured_by
    }
}

impl XpPermit {
    /// For a recorded change, which was permitted when it began.
    pub(crate) const fn recorded() -> Self {
        Self(())
    }

    /// For a change by the bot's operator.
    pub const fn of_operator() -> Self {
        Self(())
    }
}

impl ThresholdPermit {
    /// The permitted action.
    pub const fn action(self) -> Action {
        self.0
    }
}

impl PunishPermit {
    /// For data of a version that recorded no permits. It applies to no one.
    pub(crate) const fn unrecorded() -> Self {
        Self {
            moderator_id: None,
            highest: None,
            is_owner: false,
        }
    }
}

impl Sanctions {
    /// No permits.
    pub const fn none() -> Self {
        Self([Err(Hindrance::Denied(Denial::MemberAbove)); Action::ALL.len()])
    }

    /// The permit for an action, or the reason why there is none.
    ///
    /// # Errors
    ///
    /// The moderator is not allowed to, or the bot is unable to.
    pub const fn to(&self, action: Action) -> Result<PunishPermit, Hindrance> {
        self.0[action as usize]
    }
}

fn role_of(kept: &Kept, guild_id: Id<GuildMarker>, role_id: Id<RoleMarker>) -> Option<ReducedRole> {
    let role = kept.cache.role(role_id)?;
    (role.guild_id() == guild_id).then(|| role.resource().clone())
}

fn authority(
    kept: &Kept,
    guild_id: Id<GuildMarker>,
    (user_id, own): (Id<UserMarker>, &[Id<RoleMarker>]),
    own_rank: Rank,
) -> Authority {
    let ids = kept.cache.guild_roles(guild_id);
    let roles: Arc<[ReducedRole]> = ids
        .iter()
        .flat_map(|ids| ids.iter())
        .filter_map(|id| role_of(kept, guild_id, *id))
        .collect();
    let everyone = roles.iter().find(|role| role.id.cast() == guild_id);
    let everyone = everyone.map_or(Permissions::empty(), |role| role.permissions);
    let held: Vec<&ReducedRole> = roles.iter().filter(|role| own.contains(&role.id)).collect();
    let held_permissions: Vec<_> = held.iter().map(|role| (role.id, role.permissions)).collect();
    let mut calculator = PermissionCalculator::new(guild_id, user_id, everyone, &held_permissions);
    if let Some(entry) = kept.get(guild_id) {
        calculator = calculator.owner_id(entry.owner_id);
    }
    Authority {
        user_id,
        permissions: calculator.root(),
        rank: own_rank,
        highest: held.iter().max_by_key(|role| rank(role)).map(|role| role.id),
        roles,
    }
}
