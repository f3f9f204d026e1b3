//! Which servers a user may see, decided from the bot's own data: Discord's list of a user's servers is stale and limited.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{GuildMarker, RoleMarker, UserMarker},
    },
};

use super::{Site, answer::Fault, client::Limiter};
use crate::{
    discord::{
        guilds::authority::Authority,
        rest::{Priority, RestError},
    },
    support::text::names::Name,
};

/// How long a member's roles are used for reading. Changes read them again.
const LASTS: Duration = Duration::from_secs(30);
/// Cached members. Beyond that the cache is cleared.
const KEPT: usize = 20_000;
/// Servers that a user may ask for in a minute, for pages or for changes, without being known there. Discord bans addresses that send many
/// refused requests.
const GUESSES: u32 = 20;
/// Discord's codes for an unknown guild and for one that the bot cannot access.
/// <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>
const NOT_THERE: [u64; 2] = [10_004, 50_001];

type Key = (Id<GuildMarker>, Id<UserMarker>);
type Roles = Option<Arc<[Id<RoleMarker>]>>;

/// The roles of users in servers; `None` for those who are not members.
#[derive(Debug)]
pub(super) struct Members {
    kept: Mutex<HashMap<Key, (Roles, Instant)>>,
    guesses: Limiter<Id<UserMarker>>,
}

impl Default for Members {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            guesses: Limiter::new(GUESSES),
        }
    }
}

/// A member of a server, and what they may do there.
#[derive(Clone, Debug)]
pub(crate) struct Staff {
    /// The server.
    pub(crate) guild_id: Id<GuildMarker>,
    /// Its name.
    pub(crate) name: Name,
    /// The member's roles.
    pub(crate) roles: Arc<[Id<RoleMarker>]>,
    /// What the member may do.
    pub(crate) authority: Authority,
}

impl Staff {
    /// Whether the member has these permissions.
    pub(crate) fn may(&self, permissions: Permissions) -> bool {
        self.authority.has(permissions)
    }
}

/// How recent a member's roles have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// For pages that are read.
    Recent,
    /// For changes: a member's roles are read again. Someone who is remembered as no member stays none until then.
    Now,
}

impl Site {
    /// The user as a member of a server. `None` if they are not a member, or the bot is not there.
    ///
    /// # Errors
    ///
    /// [`Fault::TooMany`] if they have asked for many servers of which nothing is remembered.
    pub(crate) async fn staff(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        age: Age,
    ) -> Result<Option<Staff>, Fault> {
        if self.members.get((guild_id, user_id)).is_none()
            && self.members.guesses.admit(user_id, Instant::now()).is_err()
        {
            return Err(Fault::TooMany);
        }
        self.staff_at(guild_id, user_id, age).await
    }

    /// The same without a limit, for a server that the user is known to have been in.
    pub(super) async fn staff_at(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        age: Age,
    ) -> Result<Option<Staff>, Fault> {
        let key = (guild_id, user_id);
        let kept = self.members.get(key);
        if matches!(kept, Some(None)) {
            // Not asked again for a change either: nothing is changed by someone who was no member a moment ago.
            return Ok(None);
        }
        // This comes first: Discord answers it with 404 if the bot is not there. The member's roles would be refused with 403, and it
        // allows only a limited number of those.
        let Some(name) = there(self.guilds.name(guild_id, Priority::Command).await)? else {
            self.members.keep(key, None);
            return Ok(None);
        };
        let kept = kept.flatten().filter(|_| age == Age::Recent);
        let roles = match kept {
            Some(roles) => Some(roles),
            None => self.look_up(key).await?,
        };
        let Some(roles) = roles else {
            return Ok(None);
        };
        let authority = self
            .guilds
            .authority(guild_id, (user_id, &roles), Priority::Command)
            .await;
        Ok(there(authority)?.map(|authority| Staff {
            guild_id,
            name,
            roles,
            authority,
        }))
    }

    /// Ask Discord for a user's roles, and remember them.
    async fn look_up(&self, (guild_id, user_id): Key) -> Result<Roles, Fault> {
        let asked = self
            .guilds
            .roles_if_member(guild_id, user_id, Priority::Command)
            .await;
        let roles: Roles = there(asked)?.flatten().map(Arc::from);
        self.members.keep((guild_id, user_id), roles.clone());
        Ok(roles)
    }

    /// The name of a server.
    ///
    /// # Errors
    ///
    /// [`Fault::NotFound`] if the bot is not there.
    pub(crate) async fn server_name(&self, guild_id: Id<GuildMarker>) -> Result<Name, Fault> {
        let name = there(self.guilds.name(guild_id, Priority::Command).await)?;
        name.ok_or(Fault::NotFound)
    }
}

impl Members {
    fn get(&self, key: Key) -> Option<Roles> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (roles, until) = kept.get(&key)?;
        (*until > Instant::now()).then(|| roles.clone())
    }

    fn keep(&self, key: Key, roles: Roles) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, (roles, Instant::now() + LASTS));
    }
}

/// `None` if the bot is not in the server.
pub(super) fn there<T>(asked: Result<T, RestError>) -> Result<Option<T>, Fault> {
    match asked {
        Ok(answer) => Ok(Some(answer)),
        Err(RestError::Refused { code: Some(code), .. }) if NOT_THERE.contains(&code) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
