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
mod tests {
    use serde_json::{Value, json};
    use tokio::time::Instant;
    use twilight_model::{guild::Permissions, id::Id};

    use super::{Obstacle, Rank, obstacle, rank_of};
    use crate::discord::guilds::{
        cache::{Kept, Read},
        permissions::Standing,
    };

    const MODERATE: u64 = 1 << 40;
    const ADMINISTRATOR: u64 = 1 << 3;

    fn role(id: u64, position: i64, permissions: u64) -> Value {
        json!({
            "id": id.to_string(), "name": "r", "permissions": permissions.to_string(), "position": position, "color": 0,
            "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null}, "hoist": false,
            "managed": false, "mentionable": false, "flags": 0,
        })
    }

    /// The bot's role is 20; 11 has the same position as 10, 30 is above the bot, and 12 is an administrator role below it.
    fn guild(own: u64) -> Kept {
        let roles = json!([
            role(100, 0, 0),
            role(10, 4, 0),
            role(11, 4, 0),
            role(12, 3, ADMINISTRATOR),
            role(20, 5, own),
            role(30, 6, 0)
        ]);
        let mut kept = Kept::default();
        let read = Read {
            guild: serde_json::from_value(json!({"name": "A guild", "owner_id": "1", "roles": roles})).ok(),
            own: serde_json::from_value(json!({"roles": ["20"], "communication_disabled_until": null})).ok(),
            channels: None,
        };
        kept.keep(Id::new(100), read, Instant::now());
        kept
    }

    fn rank(kept: &Kept, user: u64, roles: &[u64]) -> Rank {
        let roles: Vec<_> = roles.iter().map(|id| Id::new(*id)).collect();
        rank_of(kept, Id::new(100), Id::new(user), &roles).0
    }

    #[tokio::test]
    async fn the_highest_role_decides() {
        let kept = guild(0);
        assert!(rank(&kept, 1, &[]) > rank(&kept, 2, &[30]), "the owner");
        assert!(rank(&kept, 2, &[10, 30]) > rank(&kept, 3, &[20]));
        assert!(rank(&kept, 2, &[10]) > rank(&kept, 3, &[11]), "the older role");
        assert_eq!(rank(&kept, 2, &[10]), rank(&kept, 3, &[10, 12]));
        assert!(rank(&kept, 2, &[12]) > rank(&kept, 3, &[]));
        let unknown = rank_of(&kept, Id::new(100), Id::new(2), &[Id::new(10), Id::new(99)]);
        assert_eq!(unknown, (rank(&kept, 2, &[10]), false));
    }

    #[tokio::test]
    async fn what_is_in_the_bots_way() {
        let look = |own: u64, user: u64, roles: Option<&[u64]>, permission: Permissions| {
            let kept = guild(own);
            let roles: Option<Vec<_>> = roles.map(|roles| roles.iter().map(|id| Id::new(*id)).collect());
            let standing = Standing::of(&kept, Id::new(100), Id::new(7)).expect("a standing");
            obstacle(
                &kept,
                Id::new(100),
                &standing,
                (Id::new(user), roles.as_deref()),
                permission,
            )
        };
        let moderate = Permissions::MODERATE_MEMBERS;
        let ban = Permissions::BAN_MEMBERS;
        assert_eq!(look(MODERATE, 2, Some(&[10]), moderate), None);
        assert_eq!(look(0, 2, Some(&[10]), moderate), Some(Obstacle::NoPermission));
        assert_eq!(look(MODERATE, 2, Some(&[10]), ban), Some(Obstacle::NoPermission));
        assert_eq!(look(MODERATE, 1, Some(&[]), moderate), Some(Obstacle::Owner));
        assert_eq!(look(MODERATE, 2, Some(&[30]), moderate), Some(Obstacle::AboveBot));
        assert_eq!(look(MODERATE, 2, Some(&[20]), moderate), Some(Obstacle::AboveBot));
        assert_eq!(
            look(MODERATE, 2, Some(&[12]), moderate),
            Some(Obstacle::Administrator)
        );
        assert_eq!(look(ADMINISTRATOR, 2, Some(&[12]), ban), None);
        assert_eq!(look(ADMINISTRATOR, 2, None, ban), None, "who is no member");
    }
}
