//! What the bot knows of guilds: their names, roles, and what it may do in them.

use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::OnceCell;
use twilight_model::{
    guild::{Permissions, Role},
    id::{
        Id,
        marker::{GuildMarker, RoleMarker, UserMarker},
    },
};

use crate::rest::{Priority, Rest, RestError};

/// Whether the bot can give a role to a member, or take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignable {
    /// It can.
    Yes,
    /// It lacks the permission to manage roles.
    NoPermission,
    /// The role does not stand below the bot's highest.
    RoleAboveBot {
        /// The role's position.
        role: i64,
        /// That of the bot's highest role.
        bot: i64,
    },
    /// The role belongs to an integration or to boosting.
    Managed,
    /// There is no such role.
    UnknownRole,
    /// It is everybody's role.
    Everyone,
}

/// What the bot knows of guilds. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guilds {
    rest: Rest,
    me: Arc<OnceCell<Id<UserMarker>>>,
}

#[derive(Deserialize)]
struct Guild {
    name: String,
    owner_id: Id<UserMarker>,
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct User {
    id: Id<UserMarker>,
    username: String,
    global_name: Option<String>,
}

#[derive(Deserialize)]
struct Member {
    user: User,
    nick: Option<String>,
    roles: Vec<Id<RoleMarker>>,
}

impl Guilds {
    /// Nothing is known yet.
    pub fn new(rest: Rest) -> Self {
        Self {
            rest,
            me: Arc::default(),
        }
    }

    /// The guild's name.
    pub async fn name(&self, guild_id: Id<GuildMarker>, priority: Priority) -> Result<String, RestError> {
        Ok(self.guild(guild_id, priority).await?.name)
    }

    /// What the member is called in the guild.
    pub async fn member_name(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        priority: Priority,
    ) -> Result<String, RestError> {
        let Member { user, nick, .. } = self.member(guild_id, user_id, priority).await?;
        Ok(nick.or(user.global_name).unwrap_or(user.username))
    }

    /// Whether the bot can give the role.
    pub async fn assignable(
        &self,
        guild_id: Id<GuildMarker>,
        role_id: Id<RoleMarker>,
        priority: Priority,
    ) -> Result<Assignable, RestError> {
        let guild = self.guild(guild_id, priority).await?;
        let me = self
            .me
            .get_or_try_init(|| async {
                let request = self.rest.builders().current_user();
                let user: User = self.rest.send(priority, request).await?.model()?;
                Ok::<_, RestError>(user.id)
            })
            .await?;
        if role_id.get() == guild_id.get() {
            return Ok(Assignable::Everyone);
        }
        let Some(role) = guild.roles.iter().find(|role| role.id == role_id) else {
            return Ok(Assignable::UnknownRole);
        };
        if role.managed {
            return Ok(Assignable::Managed);
        }
        let mine = self.member(guild_id, *me, priority).await?.roles;
        let has = |role: &&Role| mine.contains(&role.id) || role.id.get() == guild_id.get();
        let (highest, permissions) = guild
            .roles
            .iter()
            .filter(has)
            .fold((0, Permissions::empty()), |(highest, permissions), role| {
                (highest.max(role.position), permissions | role.permissions)
            });
        let all = Permissions::ADMINISTRATOR | Permissions::MANAGE_ROLES;
        Ok(if *me == guild.owner_id {
            Assignable::Yes
        } else if !permissions.intersects(all) {
            Assignable::NoPermission
        } else if role.position >= highest {
            Assignable::RoleAboveBot {
                role: role.position,
                bot: highest,
            }
        } else {
            Assignable::Yes
        })
    }

    /// Ask anew the next time.
    pub fn forget(&self, _guild_id: Id<GuildMarker>) {}

    async fn guild(&self, guild_id: Id<GuildMarker>, priority: Priority) -> Result<Guild, RestError> {
        let request = self.rest.builders().guild(guild_id);
        self.rest.send(priority, request).await?.model()
    }

    async fn member(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        priority: Priority,
    ) -> Result<Member, RestError> {
        let request = self.rest.builders().guild_member(guild_id, user_id);
        self.rest.send(priority, request).await?.model()
    }
}
