//! Members: their roles and timeouts. They are not cached: there are many, and their updates need a privileged intent.

use std::collections::BTreeSet;

use serde::Deserialize;
use twilight_model::{
    id::{
        Id,
        marker::{GuildMarker, RoleMarker, UserMarker},
    },
    util::Timestamp,
};

use super::{Guilds, cache::Need, permissions::is_in_timeout};
use crate::discord::rest::{Priority, RestError};

/// <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>
const UNKNOWN_MEMBER: u64 = 10_007;
const UNKNOWN_USER: u64 = 10_013;
const UNKNOWN_BAN: u64 = 10_026;

/// A member in the response of List Guild Members.
#[derive(Deserialize)]
struct Listed {
    user: ListedUser,
    roles: Vec<Id<RoleMarker>>,
}

#[derive(Deserialize)]
struct ListedUser {
    id: Id<UserMarker>,
    #[serde(default)]
    bot: bool,
}

/// A user, and what they are in a guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: Id<UserMarker>,
    pub(crate) username: String,
    pub(crate) is_bot: bool,
    /// `None` for a user who is not a member.
    pub(crate) roles: Option<Vec<Id<RoleMarker>>>,
}

#[derive(Deserialize)]
struct NamedUser {
    username: String,
    #[serde(default)]
    bot: bool,
}

#[derive(Deserialize)]
struct NamedMember {
    user: NamedUser,
    roles: Vec<Id<RoleMarker>>,
}

/// What decides about a member's permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Membership {
    /// The roles.
    pub roles: Vec<Id<RoleMarker>>,
    /// The end of the newest timeout, which may be over.
    #[serde(default)]
    pub communication_disabled_until: Option<Timestamp>,
}

impl Guilds {
    /// A member.
    ///
    /// An effect needs the guild's roles and the bot's own roles as well. Since it returns its lane instead of waiting for a bucket, they are
    /// read first: the bot's own member comes from the same bucket as other members, whose readers would use it up each time.
    async fn member(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        priority: Priority,
    ) -> Result<Membership, RestError> {
        if priority == Priority::Effect {
            self.known(guild_id, Need::Own, priority, |_| ()).await?;
        }
        let request = self.inner.rest.builders().guild_member(guild_id, user_id);
        self.inner.rest.send(priority, request).await?.model()
    }

    /// A member's roles.
    pub async fn roles_of(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        priority: Priority,
    ) -> Result<Vec<Id<RoleMarker>>, RestError> {
        let member = self.member(guild_id, user_id, priority).await?;
        Ok(member.roles)
    }

    /// Like [`Self::roles_of`]; `None` for a user who is not a member.
    pub async fn roles_if_member(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        priority: Priority,
    ) -> Result<Option<Vec<Id<RoleMarker>>>, RestError> {
        let member = self.membership(guild_id, user_id, priority).await?;
        Ok(member.map(|member| member.roles))
    }

    /// What decides about a member's permissions; `None` for a user who is not a member.
    pub(crate) async fn membership(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        priority: Priority,
    ) -> Result<Option<Membership>, RestError> {
        match self.member(guild_id, user_id, priority).await {
            Ok(member) => Ok(Some(member)),
            Err(RestError::Refused {
                code: Some(UNKNOWN_MEMBER | UNKNOWN_USER),
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A user, who need not be a member; `None` if there is none with this ID.
    pub(crate) async fn person(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        priority: Priority,
    ) -> Result<Option<Person>, RestError> {
        let (rest, client) = (&self.inner.rest, self.inner.rest.builders());
        let person = |user: NamedUser, roles| Person {
            id: user_id,
            username: user.username,
            is_bot: user.bot,
            roles,
        };
        match rest.send(priority, client.guild_member(guild_id, user_id)).await {
            Ok(member) => {
                let NamedMember { user, roles } = member.model()?;
                return Ok(Some(person(user, Some(roles))));
            }
            Err(RestError::Refused {
                code: Some(UNKNOWN_MEMBER | UNKNOWN_USER),
                ..
            }) => {}
            Err(error) => return Err(error),
        }
        match rest.send(priority, client.user(user_id)).await {
            Ok(user) => Ok(Some(person(user.model()?, None))),
            Err(RestError::Refused {
                code: Some(UNKNOWN_USER),
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a user is banned.
    pub async fn is_banned(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        priority: Priority,
    ) -> Result<bool, RestError> {
        let request = self.inner.rest.builders().ban(guild_id, user_id);
        match self.inner.rest.send(priority, request).await {
            Ok(_ban) => Ok(true),
            Err(RestError::Refused {
                code: Some(UNKNOWN_BAN | UNKNOWN_USER),
                ..
            }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a user is a member in timeout.
    pub async fn is_in_timeout(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        priority: Priority,
    ) -> Result<bool, RestError> {
        let member = self.membership(guild_id, user_id, priority).await?;
        let until = member.and_then(|member| member.communication_disabled_until);
        Ok(is_in_timeout(until, self.inner.rest.clock().now()))
    }

    /// All members with the role, without bots. One request per 1,000 members of the guild: it takes a while in a large guild, and fails
    /// (403) if the operator has not enabled Discord's [Server Members
    /// Intent](https://docs.discord.com/developers/resources/guild#list-guild-members).
    pub async fn people_with(
        &self,
        guild_id: Id<GuildMarker>,
        role_id: Id<RoleMarker>,
        priority: Priority,
    ) -> Result<BTreeSet<Id<UserMarker>>, RestError> {
        const PAGE: u16 = 1_000;
        let everyone = role_id.cast() == guild_id;
        let (mut found, mut after) = (BTreeSet::new(), None);
        loop {
            let mut request = self.inner.rest.builders().guild_members(guild_id).limit(PAGE);
            if let Some(after) = after {
                request = request.after(after);
            }
            let page: Vec<Listed> = self.inner.rest.send(priority, request).await?.model()?;
            found.extend(
                page.iter()
                    .filter(|member| !member.user.bot && (everyone || member.roles.contains(&role_id)))
                    .map(|member| member.user.id),
            );
            let last = page.iter().map(|member| member.user.id).max();
            if page.len() < usize::from(PAGE) || last.is_none() {
                return Ok(found);
            }
            after = last;
        }
    }
}
