//! Cached data of guilds: their names, roles and channels, and the bot's permissions in them.
//!
//! A guild is read over REST when it is first needed, with one request for concurrent callers, and cached for some minutes, in which its
//! events keep it up to date. Guilds that are not needed cost nothing: after a resume in a new process, Discord sends no data of guilds
//! anyway.

pub mod authority;
mod cache;
mod changes;
mod channel_tree;
mod hierarchy;
pub(crate) mod listing;
mod members;
mod models;
pub(crate) mod names;
mod permissions;
mod reduced;
mod staff;
#[cfg(test)]
mod tests;
mod updates;

use std::{
    cmp::Reverse,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Deserialize;
use tokio::{
    sync::{OnceCell, Semaphore},
    time::Instant,
};
use twilight_model::{
    channel::Channel,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, RoleMarker, UserMarker},
    },
};

pub(crate) use self::changes::Changes;
use self::{
    cache::{GuildRead, Kept, Missing, Need, Read},
    channel_tree::Places,
    listing::{Listing, Listings},
    models::ChannelModel,
    names::{Lookups, Names},
    reduced::ReducedChannel,
    staff::SeenStaff,
};
pub use self::{
    hierarchy::{Obstacle, Rank},
    members::Membership,
};
use crate::{
    discord::{
        events::guild_news::GuildNews,
        rest::{Priority, Rest, RestError, SingleFlight},
    },
    support::text::names::Name,
    telemetry::metrics,
};

/// How often a guild is read again because it changed during the read.
const TRIES: usize = 3;

/// Discord's error codes for a missing channel, and for one that the bot cannot see.
/// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>
const UNKNOWN_CHANNEL: u64 = 10_003;
const MISSING_ACCESS: u64 = 50_001;

/// Whether the bot can give a role to a member, or take it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignable {
    /// It can.
    Yes,
    /// It lacks the permission to manage roles.
    NoPermission,
    /// The role is not below the bot's highest role.
    RoleAboveBot {
        /// The position of the role.
        role: i64,
        /// The position of the bot's highest role.
        bot: i64,
    },
    /// The role is managed by an integration, or is the booster role.
    Managed,
    /// The role does not exist.
    UnknownRole,
    /// It is the @everyone role.
    Everyone,
}

/// Whether the bot can send messages in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sendable {
    /// It can.
    Yes,
    /// It cannot see the channel: `VIEW_CHANNEL` is missing, or it has not been added to a private thread.
    Hidden,
    /// `SEND_MESSAGES` is missing, or in threads `SEND_MESSAGES_IN_THREADS`, or it is timed out.
    NoPermission,
    /// The guild has no such channel.
    UnknownChannel,
    /// The channel has a type without messages, such as a category or a forum.
    NoMessages,
}

/// Cached data of guilds. It is cheap to clone.
#[derive(Clone, Debug)]
pub struct Guilds {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    rest: Rest,
    me: OnceCell<Id<UserMarker>>,
    kept: Mutex<Kept>,
    places: Mutex<Places>,
    changes: Mutex<Changes>,
    staff: Mutex<SeenStaff>,
    reads: SingleFlight<(Id<GuildMarker>, Need), Result<(), RestError>>,
    channels: SingleFlight<(Id<GuildMarker>, Id<ChannelMarker>), Result<Found, RestError>>,
    place_reads: SingleFlight<Id<GuildMarker>, Result<(), RestError>>,
    name_reads: SingleFlight<(Id<GuildMarker>, Id<UserMarker>), Result<Name, RestError>>,
    names: Mutex<Names>,
    lookups: Mutex<Lookups>,
    waiting_pages: Semaphore,
    listing_reads: SingleFlight<Id<GuildMarker>, Result<Arc<Listing>, RestError>>,
    listings: Mutex<Listings>,
}

/// The order of a role in its guild: of two roles at the same position, the older one is higher. `None` for one that does not exist.
pub type Order = Option<(i64, Reverse<Id<RoleMarker>>)>;

/// The result of looking for a channel.
#[derive(Clone, Debug)]
enum Found {
    Channel(Arc<ReducedChannel>),
    Hidden,
    Nothing,
}

#[derive(Deserialize)]
struct User {
    id: Id<UserMarker>,
    username: String,
    global_name: Option<String>,
}

/// A read in progress, during which changes of the guild are noticed.
struct Reading<'a> {
    inner: &'a Inner,
    guild_id: Id<GuildMarker>,
    since: u64,
}

impl Guilds {
    /// An empty cache.
    pub fn new(rest: Rest) -> Self {
        metrics::guild_cache_guilds().set(0.0);
        let kept = Kept::new(rest.clock().clone());
        Self {
            inner: Arc::new(Inner {
                rest,
                me: OnceCell::new(),
                kept: Mutex::new(kept),
                places: Mutex::default(),
                changes: Mutex::default(),
                staff: Mutex::default(),
                reads: SingleFlight::default(),
                channels: SingleFlight::default(),
                place_reads: SingleFlight::default(),
                name_reads: SingleFlight::default(),
                names: Mutex::default(),
                lookups: Mutex::default(),
                waiting_pages: Semaphore::new(names::PAGES_WAIT),
                listing_reads: SingleFlight::default(),
                listings: Mutex::default(),
            }),
        }
    }

    /// The guild's name.
    pub async fn name(&self, guild_id: Id<GuildMarker>, priority: Priority) -> Result<Name, RestError> {
        let name = |kept: &Kept| kept.get(guild_id).map(|entry| entry.name.clone());
        let name = self.known(guild_id, Need::Guild, priority, name).await?;
        Ok(Name::first([name.as_deref()], guild_id))
    }

    /// Whether the bot can give the role.
    pub async fn assignable(
        &self,
        guild_id: Id<GuildMarker>,
        role_id: Id<RoleMarker>,
        priority: Priority,
    ) -> Result<Assignable, RestError> {
        let me = self.inner.me(priority).await?;
        let assignable = |kept: &Kept| permissions::assignable(kept, guild_id, role_id, me);
        let assignable = self.known(guild_id, Need::Own, priority, assignable).await?;
        Ok(assignable.unwrap_or(Assignable::UnknownRole))
    }

    /// Whether the bot can send messages in the channel or thread.
    pub async fn can_send(
        &self,
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        priority: Priority,
    ) -> Result<Sendable, RestError> {
        let me = self.inner.me(priority).await?;
        let sendable = |kept: &Kept| permissions::sendable(kept, guild_id, channel_id, me);
        if let Some(sendable) = self.known(guild_id, Need::Channels, priority, sendable).await? {
            return Ok(sendable);
        }
        // The list of a guild's channels does not contain threads.
        let ask = || {
            let inner = Arc::clone(&self.inner);
            async move { inner.find(guild_id, channel_id, priority).await }
        };
        let channel = match self.inner.channels.ask((guild_id, channel_id), ask).await? {
            Found::Channel(channel) if channel.guild_id == Some(guild_id) => channel,
            Found::Hidden => return Ok(Sendable::Hidden),
            _ => return Ok(Sendable::UnknownChannel),
        };
        let sendable = |kept: &Kept| permissions::sendable_in(kept, guild_id, &channel, me);
        let sendable = self.known(guild_id, Need::Channels, priority, sendable).await?;
        Ok(sendable.unwrap_or(Sendable::UnknownChannel))
    }

    /// The order of these roles in the guild. Roles that do not exist there come lowest.
    pub async fn order(
        &self,
        guild_id: Id<GuildMarker>,
        roles: &[Id<RoleMarker>],
        priority: Priority,
    ) -> Result<Vec<Order>, RestError> {
        let order = |kept: &Kept| {
            let roles = roles.iter();
            roles
                .map(|role| permissions::order(kept, guild_id, *role))
                .collect()
        };
        self.known(guild_id, Need::Guild, priority, order).await
    }

    /// Discard the cached data, which turned out to be outdated.
    pub fn forget(&self, guild_id: Id<GuildMarker>) {
        let mut kept = self.inner.kept();
        kept.changed(guild_id);
        kept.remove(guild_id);
    }

    /// Discard the cached data, unless it was read within this time.
    pub fn forget_if_older(&self, guild_id: Id<GuildMarker>, age: Duration) {
        let is_old = {
            let kept = self.inner.kept();
            kept.get(guild_id)
                .is_some_and(|entry| entry.is_older(age, Instant::now()))
        };
        if is_old {
            self.forget(guild_id);
        }
    }

    /// Apply an event. Returns false if it cannot be parsed; the guild is then removed from the cache.
    #[must_use]
    pub fn update(&self, news: &GuildNews<'_>) -> bool {
        let me = self.inner.me.get().copied();
        self.inner.places().update(news);
        self.inner.listings().update(news.guild_id, news.event_type);
        self.inner.changes().note(me, news);
        self.inner.staff().hear(news);
        updates::apply(&mut self.inner.kept(), me, news)
    }

    /// Return the result of `look` once the required data is cached.
    async fn known<T>(
        &self,
        guild_id: Id<GuildMarker>,
        need: Need,
        priority: Priority,
        look: impl Fn(&Kept) -> T,
    ) -> Result<T, RestError> {
        for tries in 0..TRIES {
            {
                let mut kept = self.inner.kept();
                let knows = kept.missing(guild_id, need, Instant::now()).is_nothing();
                if tries == 0 && knows {
                    metrics::guild_cache_hits_total().increment(1);
                } else if tries == 0 {
                    metrics::guild_cache_misses_total().increment(1);
                }
                if knows {
                    return Ok(look(&kept));
                }
            }
            let ask = || {
                let inner = Arc::clone(&self.inner);
                async move { inner.learn(guild_id, need, priority).await }
            };
            self.inner.reads.ask((guild_id, need), ask).await?;
        }
        // The guild changes faster than it can be read. The data just read is as good as any, and is not cached.
        let read = self.inner.read(guild_id, Missing::all(need), priority).await?;
        let mut once = Kept::default();
        once.keep(guild_id, read, Instant::now());
        Ok(look(&once))
    }
}

impl Inner {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // No code panics while the lock is held.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        // As above.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lookups(&self) -> MutexGuard<'_, Lookups> {
        // As above.
        self.lookups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listings(&self) -> MutexGuard<'_, Listings> {
        // As above.
        self.listings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        // As above.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        // As above.
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn staff(&self) -> MutexGuard<'_, SeenStaff> {
        // As above.
        self.staff.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bot's own user.
    async fn me(&self, priority: Priority) -> Result<Id<UserMarker>, RestError> {
        let ask = || async {
            let request = self.rest.builders().current_user();
            let user: User = self.rest.send(priority, request).await?.model()?;
            Ok(user.id)
        };
        self.me.get_or_try_init(ask).await.copied()
    }

    /// Read the missing data, and cache it unless the guild has changed meanwhile.
    async fn learn(
        &self,
        guild_id: Id<GuildMarker>,
        need: Need,
        priority: Priority,
    ) -> Result<(), RestError> {
        let (missing, reading) = {
            let mut kept = self.kept();
            let missing = kept.missing(guild_id, need, Instant::now());
            (missing, Reading::begin(self, &mut kept, guild_id))
        };
        let read = self.read(guild_id, missing, priority).await?;
        reading.finish(|kept| kept.keep(guild_id, read, Instant::now()));
        Ok(())
    }

    async fn read(
        &self,
        guild_id: Id<GuildMarker>,
        missing: Missing,
        priority: Priority,
    ) -> Result<Read, RestError> {
        let builders = self.rest.builders();
        let mut read = Read::default();
        // This request comes first: if the bot is no longer in the guild, the others would be refused with 403, of which Discord only
        // allows a limited number.
        if missing.guild {
            let request = builders.guild(guild_id);
            let mut guild: GuildRead = self.rest.send(priority, request).await?.model()?;
            if guild.roles.is_none() {
                let request = builders.roles(guild_id);
                guild.roles = Some(self.rest.send(priority, request).await?.model()?);
            }
            read.guild = Some(guild);
        }
        if missing.own {
            let request = builders.guild_member(guild_id, self.me(priority).await?);
            read.own = Some(self.rest.send(priority, request).await?.model()?);
        }
        if missing.channels {
            let request = builders.guild_channels(guild_id);
            read.channels = Some(self.rest.send(priority, request).await?.model()?);
        }
        Ok(read)
    }

    /// Look for a channel that is not in the list of the guild's channels. A thread is cached with them.
    async fn find(
        &self,
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        priority: Priority,
    ) -> Result<Found, RestError> {
        let reading = Reading::begin(self, &mut self.kept(), guild_id);
        let request = self.rest.builders().channel(channel_id);
        let answer = self.rest.send(priority, request).await;
        let channel: ChannelModel = match answer.and_then(|answer| answer.model()) {
            Ok(channel) => channel,
            Err(RestError::Refused {
                code: Some(UNKNOWN_CHANNEL),
                ..
            }) => return Ok(Found::Nothing),
            Err(RestError::Refused {
                code: Some(MISSING_ACCESS),
                ..
            }) => return Ok(Found::Hidden),
            Err(error) => return Err(error),
        };
        let found = Found::Channel(Arc::new(Channel::from(channel.clone()).into()));
        if channel.guild_id == Some(guild_id) {
            reading.finish(|kept| {
                let read = Read {
                    channels: Some(vec![channel]),
                    ..Read::default()
                };
                // A single channel does not replace the list.
                if kept.get(guild_id).is_some_and(|entry| entry.channels) {
                    kept.keep(guild_id, read, Instant::now());
                }
            });
        }
        Ok(found)
    }
}

impl<'a> Reading<'a> {
    fn begin(inner: &'a Inner, kept: &mut Kept, guild_id: Id<GuildMarker>) -> Self {
        let since = kept.begin(guild_id);
        Self {
            inner,
            guild_id,
            since,
        }
    }

    /// Cache the data with `keep`, unless the guild has changed meanwhile.
    fn finish(self, keep: impl FnOnce(&mut Kept)) {
        let mut kept = self.inner.kept();
        if !kept.has_changed(self.guild_id, self.since) {
            keep(&mut kept);
        }
        drop(kept);
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.inner.kept().end(self.guild_id);
    }
}
