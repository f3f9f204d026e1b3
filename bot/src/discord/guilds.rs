//! What the bot knows of guilds: their names, roles and channels, and what it may do in them.
//!
//! A guild is read over REST when somebody asks about it, once for all who ask, and kept for some minutes; its events keep it right
//! meanwhile. Guilds that nobody asks about cost nothing: after a resume in a new process Discord tells of none anyway.

pub mod authority;
mod cache;
mod changes;
mod channel_tree;
mod hierarchy;
mod members;
mod models;
mod names;
mod permissions;
mod reduced;
#[cfg(test)]
mod tests;
mod updates;

use std::{
    cmp::Reverse,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Deserialize;
use tokio::{sync::OnceCell, time::Instant};
use twilight_model::{
    channel::Channel,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, RoleMarker, UserMarker},
    },
};

pub(crate) use self::changes::Changes;
pub use self::hierarchy::{Obstacle, Rank};
use self::{
    cache::{GuildRead, Kept, Missing, Need, Read},
    channel_tree::Places,
    models::ChannelModel,
    names::Names,
    reduced::ReducedChannel,
};
use crate::{
    discord::{
        events::guild_news::GuildNews,
        rest::{Priority, Rest, RestError, SingleFlight},
    },
    support::text::names::Name,
    telemetry::metrics,
};

/// How often a guild is read anew because it changed while it was read.
const TRIES: usize = 3;

/// Discord's codes for what is not there, and for what the bot does not see.
/// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>
const UNKNOWN_CHANNEL: u64 = 10_003;
const MISSING_ACCESS: u64 = 50_001;

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

/// Whether the bot can send messages in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sendable {
    /// It can.
    Yes,
    /// It does not see the channel: it lacks `VIEW_CHANNEL`, or is not in a private thread.
    Hidden,
    /// It lacks `SEND_MESSAGES`, or in threads `SEND_MESSAGES_IN_THREADS`, or is in a timeout.
    NoPermission,
    /// There is no such channel in the guild.
    UnknownChannel,
    /// The channel is of a kind that takes no messages, such as a category or a forum.
    NoMessages,
}

/// What the bot knows of guilds. Cheap to clone.
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
    reads: SingleFlight<(Id<GuildMarker>, Need), Result<(), RestError>>,
    channels: SingleFlight<(Id<GuildMarker>, Id<ChannelMarker>), Result<Found, RestError>>,
    place_reads: SingleFlight<Id<GuildMarker>, Result<(), RestError>>,
    name_reads: SingleFlight<(Id<GuildMarker>, Id<UserMarker>), Result<Name, RestError>>,
    names: Mutex<Names>,
}

/// Where a role stands in its guild's list; of two at one position the older one stands higher.
pub type Order = Option<(i64, Reverse<Id<RoleMarker>>)>;

/// What became of looking for one channel.
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

/// A read that is under way; from its beginning to its end it is noticed whether the guild changes.
struct Reading<'a> {
    inner: &'a Inner,
    guild_id: Id<GuildMarker>,
    since: u64,
}

impl Guilds {
    /// Nothing is known yet.
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
                reads: SingleFlight::default(),
                channels: SingleFlight::default(),
                place_reads: SingleFlight::default(),
                name_reads: SingleFlight::default(),
                names: Mutex::default(),
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
        // Threads are not among a guild's channels.
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

    /// Where these roles stand in the guild's list: the greater, the higher. What there is not stands lowest.
    pub async fn order(
        &self,
        guild_id: Id<GuildMarker>,
        roles: &[Id<RoleMarker>],
        priority: Priority,
    ) -> Result<Vec<Order>, RestError> {
        let order = |kept: &Kept| roles.iter().map(|role| permissions::order(kept, *role)).collect();
        self.known(guild_id, Need::Guild, priority, order).await
    }

    /// Ask anew the next time: what was known turned out not to be true.
    pub fn forget(&self, guild_id: Id<GuildMarker>) {
        let mut kept = self.inner.kept();
        kept.changed(guild_id);
        kept.remove(guild_id);
    }

    /// Ask again the next time, unless what is known was read at most so long ago.
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

    /// Take in what an event tells. False if it cannot be read; the guild is forgotten then.
    #[must_use]
    pub fn hear(&self, news: &GuildNews<'_>) -> bool {
        let me = self.inner.me.get().copied();
        self.inner.places().hear(news);
        self.inner.changes().note(me, news);
        updates::apply(&mut self.inner.kept(), me, news)
    }

    /// What `look` sees once enough is known of the guild.
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
        // It changes faster than it can be read: what is read now is as true as anything, and is not kept.
        let read = self.inner.read(guild_id, Missing::all(need), priority).await?;
        let mut once = Kept::default();
        once.keep(guild_id, read, Instant::now());
        Ok(look(&once))
    }
}

impl Inner {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it is held.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        // As above.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        // As above.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        // As above.
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Read what is missing, and keep it unless the guild changed meanwhile.
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
        // First, and alone: where the bot is not in the guild any more, the others would be refused with a 403, of which Discord
        // allows so many.
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

    /// Look for a channel that is not among the guild's; a thread is kept with them.
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
                // One channel alone does not make the guild's known.
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

    /// Do this with what was read, unless the guild changed since.
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
