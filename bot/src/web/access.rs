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
        marker::{GuildMarker, UserMarker},
    },
};

use super::{Site, answer::Fault, client::Limiter};
use crate::{
    discord::{
        guilds::{Membership, authority::Authority},
        rest::{Priority, RestError},
    },
    support::text::names::Name,
};

/// How long a member's roles and timeout are used for reading. Changes read them again.
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
/// `None` for a user who is not a member.
type Member = Option<Arc<Membership>>;

/// The roles and timeouts of users in servers.
#[derive(Debug)]
pub(super) struct Members {
    kept: Mutex<HashMap<Key, (Member, Instant)>>,
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
    /// The member's roles and timeout.
    pub(crate) member: Arc<Membership>,
    /// What the member may do.
    pub(crate) authority: Authority,
}

impl Staff {
    /// Whether the member has these permissions.
    pub(crate) fn may(&self, permissions: Permissions) -> bool {
        self.authority.has(permissions)
    }
}

/// How recent a member's roles and timeout have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// For pages that are read.
    Recent,
    /// For changes: a member is read again. Someone who is remembered as no member stays none until then.
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
        // This comes first: Discord answers it with 404 if the bot is not there. The member would be refused with 403, and it
        // allows only a limited number of those.
        let Some(name) = there(self.guilds.name(guild_id, Priority::Command).await)? else {
            self.members.keep(key, None);
            return Ok(None);
        };
        let kept = kept.flatten().filter(|_| age == Age::Recent);
        let member = match kept {
            Some(member) => Some(member),
            None => self.look_up(key).await?,
        };
        let Some(member) = member else {
            return Ok(None);
        };
        let authority = self
            .guilds
            .authority(guild_id, (user_id, &member), Priority::Command)
            .await;
        Ok(there(authority)?.map(|authority| Staff {
            guild_id,
            name,
            member,
            authority,
        }))
    }

    /// Ask Discord for a member, and remember the answer.
    async fn look_up(&self, (guild_id, user_id): Key) -> Result<Member, Fault> {
        let asked = self.guilds.membership(guild_id, user_id, Priority::Command).await;
        let member = there(asked)?.flatten().map(Arc::new);
        self.members.keep((guild_id, user_id), member.clone());
        Ok(member)
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
    fn get(&self, key: Key) -> Option<Member> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (member, until) = kept.get(&key)?;
        (*until > Instant::now()).then(|| member.clone())
    }

    fn keep(&self, key: Key, member: Member) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, (member, Instant::now() + LASTS));
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
