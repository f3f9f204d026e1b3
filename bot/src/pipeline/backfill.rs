//! Backfill after a gap: which channels to read, which messages wait meanwhile, and what is committed.
//!
//! A new session's READY lists its guilds, and each `GUILD_CREATE` contains the newest message of each channel: messages after the newest
//! one that the shard has seen were missed. Until those are read, new messages of the guild are **held**: they are committed with the
//! checkpoint as separate rows, and count after everything before them. So the shard continues as usual, a member's messages count in
//! order, which the cooldown requires, and each counts once: read and held messages are merged by ID.
//!
//! A page may contain messages after the last one in a channel's `GUILD_CREATE`, which the gateway may or may not deliver. They are held as
//! well, and marked until the gateway has delivered them, or has certainly had the time to.
//!
//! Nothing here does I/O. Each change is recorded for the flush that commits it together with what it counts.

mod change;
mod guild;
pub(crate) mod intake;
pub(crate) mod reader;
mod release;
pub mod rows;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque, btree_map::Entry};

use rustc_hash::FxBuildHasher;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, MessageMarker, UserMarker},
};

use self::guild::Guild;
pub use self::{
    change::{Change, HeldMessage, Unread},
    guild::{Plan, Span},
};
use crate::{
    discord::events::{guild_create::GuildCreate, ready::Ready},
    features::levels::pending::MemberMessage,
    telemetry::metrics,
};

/// The memory used by a held message, in the tree and in the batch that commits it.
const HELD_BYTES: usize = 2 * size_of::<(Id<MessageMarker>, (Id<UserMarker>, MemberMessage))>();

/// The number of acknowledged heartbeats after which the gateway has delivered everything that Discord had for the shard before. The first
/// one may have been sent earlier than that; each later one is sent after the previous one is acknowledged.
const HEARTBEATS: u8 = 2;

/// The backfill of one shard.
#[derive(Debug, Default)]
pub struct Backfill {
    /// Whether the guilds of a new session are checked. A backfill in progress continues without it.
    pub enabled: bool,
    guilds: HashMap<Id<GuildMarker>, Guild, FxBuildHasher>,
    /// Guilds with channels to read and without a reader, in order of arrival.
    waiting: VecDeque<Id<GuildMarker>>,
    /// Guilds that are completely read, so that their held messages can count.
    done: BTreeSet<Id<GuildMarker>>,
    /// The newest message that was seen or is planned to be read. The next gap only misses newer ones.
    newest: Option<Id<MessageMarker>>,
    baseline: Option<Baseline>,
    bot: Option<Id<UserMarker>>,
    held: usize,
    /// Guilds with a reader.
    readers: usize,
    changes: Vec<Change>,
    /// The approximate number of rows that the changes write or delete.
    rows: usize,
    summary: Summary,
}

/// The baseline of a shard that has never seen a message, from the guilds of its first session.
#[derive(Debug)]
struct Baseline {
    missing: BTreeSet<Id<GuildMarker>>,
    newest: Option<Id<MessageMarker>>,
}

/// The result of a message from the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It counts.
    Counts,
    /// It waits for earlier messages.
    Held,
    /// It has already been read by the backfill.
    ReadBefore,
}

/// What was read since the last call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The number of counted messages.
    pub messages: u64,
    /// The number of channels that were read completely.
    pub channels: u64,
    /// The number of channels that were not.
    pub unread: u64,
}

impl Backfill {
    /// The newest message that was seen or is planned to be read. The next gap only misses newer ones.
    pub const fn newest(&self) -> Option<Id<MessageMarker>> {
        self.newest
    }

    /// The newest message that was seen or read.
    pub fn furthest(&self) -> Option<Id<MessageMarker>> {
        let only_read = self
            .guilds
            .values()
            .filter_map(|guild| guild.only_read.last().copied());
        only_read.chain(self.newest).max()
    }

    /// The number of guilds whose messages are held, including those that may not have missed any.
    pub fn guilds(&self) -> usize {
        self.guilds.len()
    }

    /// Whether messages are being read, are to be read, or wait for that. Guilds that are not available yet do not count.
    pub fn is_active(&self) -> bool {
        self.readers > 0 || self.held > 0 || !self.waiting.is_empty()
    }

    /// The number of held messages.
    pub const fn held(&self) -> usize {
        self.held
    }

    /// The memory used by held messages.
    pub(crate) const fn bytes(&self) -> usize {
        self.held * HELD_BYTES
    }

    /// The number of rows of the changes that are not in a batch yet.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Take the changes.
    pub(crate) fn take(&mut self) -> Vec<Change> {
        self.rows = 0;
        std::mem::take(&mut self.changes)
    }

    /// What happened since the last call. It may not be committed yet.
    pub const fn take_summary(&mut self) -> Summary {
        std::mem::replace(
            &mut self.summary,
            Summary {
                messages: 0,
                channels: 0,
                unread: 0,
            },
        )
    }

    /// Record a message of a guild, by any author.
    pub fn saw(&mut self, id: Id<MessageMarker>) {
        self.newest = self.newest.max(Some(id));
    }

    /// Adopt what an earlier process has seen, and left to be read.
    pub fn restore(
        &mut self,
        newest: Option<Id<MessageMarker>>,
        channels: impl IntoIterator<Item = (Id<GuildMarker>, Option<Id<ChannelMarker>>, Span)>,
        held: impl IntoIterator<Item = (HeldMessage, MemberMessage)>,
    ) {
        self.newest = newest;
        for (guild_id, channel, span) in channels {
            let guild = self.guilds.entry(guild_id).or_default();
            match channel {
                Some(channel) => drop(guild.channels.insert(channel, span)),
                None => guild.awaits = Some(span.after),
            }
        }
        for (message, change) in held {
            let guild = self.guilds.entry(message.guild_id).or_default();
            let new = guild.held.insert(message.id, (message.user_id, change)).is_none();
            self.held += usize::from(new);
            if message.only_read {
                guild.only_read.insert(message.id);
            }
        }
        let guilds: Vec<_> = self.guilds.keys().copied().collect();
        for guild in guilds {
            self.queue(guild);
        }
    }

    /// A new session has started: each of its guilds may have missed messages after the newest one that was seen.
    pub fn begin(&mut self, ready: &Ready) {
        if !self.enabled {
            return;
        }
        self.bot = Some(ready.bot());
        let listed: BTreeSet<Id<GuildMarker>> = ready.guilds().collect();
        let gone: Vec<_> = self
            .guilds
            .iter()
            .filter(|(id, guild)| guild.awaits.is_some() && !listed.contains(id))
            .map(|(id, _)| *id)
            .collect();
        for guild in gone {
            self.give_up_waiting(guild, Unread::Unavailable);
            self.queue(guild);
        }
        let Some(newest) = self.newest else {
            self.baseline = Some(Baseline {
                missing: listed,
                newest: None,
            });
            return;
        };
        for guild_id in listed {
            let guild = self.guilds.entry(guild_id).or_default();
            // A guild that was unavailable in the previous session has missed more.
            let after = *guild.awaits.get_or_insert(newest);
            guild.heartbeats = 0;
            self.done.remove(&guild_id);
            self.note(Change::Await { guild_id, after });
        }
    }

    /// Whether a guild's `GUILD_CREATE` has to be parsed.
    pub fn wants(&self, guild: Id<GuildMarker>) -> bool {
        self.baseline.is_some()
            || self
                .guilds
                .get(&guild)
                .is_some_and(|guild| guild.awaits.is_some())
    }

    /// A guild of the session is available.
    pub fn guild_created(&mut self, created: &GuildCreate) {
        if let Some(mut baseline) = self.baseline.take() {
            baseline.newest = baseline.newest.max(created.newest());
            baseline.missing.remove(&created.id);
            if baseline.missing.is_empty() {
                self.newest = self.newest.max(baseline.newest);
            } else {
                self.baseline = Some(baseline);
            }
        }
        let Some(guild) = self.guilds.get_mut(&created.id) else {
            return;
        };
        let Some(seen) = guild.awaits.take() else { return };
        // What is planned now must not be planned again by the next gap, which may start before any message.
        self.newest = self.newest.max(created.newest());
        let after = Some(seen).max(created.before_joining()).unwrap_or(seen);
        let (channels, unread) = guild.plan(after, created.newer_than(after, self.bot));
        self.note(Change::Planned {
            guild_id: created.id,
            channels,
        });
        for (channel, span) in unread {
            self.unread(created.id, Some(channel), span, Unread::NoHistory);
        }
        self.queue(created.id);
    }

    /// A guild of the session is available, and its data cannot be parsed.
    pub fn guild_unreadable(&mut self, guild_id: Id<GuildMarker>) {
        self.give_up_waiting(guild_id, Unread::Unreadable);
        self.queue(guild_id);
    }

    /// A message of a guild has arrived from the gateway. If it is held, it is recorded; otherwise the caller counts it.
    pub fn arrived(&mut self, message: HeldMessage, change: &MemberMessage) -> Arrival {
        let Some(guild) = self.guilds.get_mut(&message.guild_id) else {
            return Arrival::Counts;
        };
        let span = guild.channels.get(&message.channel_id);
        if span.is_some_and(|span| message.id <= span.after) {
            return Arrival::ReadBefore;
        }
        let is_new = guild
            .held
            .insert(message.id, (message.user_id, change.clone()))
            .is_none();
        self.held += usize::from(is_new);
        if guild.only_read.remove(&message.id) || is_new {
            if let Some(Change::Held(messages)) = self.changes.last_mut() {
                messages.push(message);
                self.rows += 1;
            } else {
                self.note(Change::Held(vec![message]));
            }
        }
        Arrival::Held
    }

    /// The next guild to read.
    pub fn next_plan(&mut self) -> Option<Plan> {
        loop {
            let guild_id = self.waiting.pop_front()?;
            let Some(guild) = self.guilds.get_mut(&guild_id) else {
                continue;
            };
            let channels = guild.to_read();
            if !channels.is_empty() {
                guild.being_read = true;
                self.readers += 1;
                return Some(Plan { guild_id, channels });
            }
        }
    }

    /// Messages of a guild were read that are newer than the last known ones of their channels. The guild's plan extends to `until`. This
    /// must be called before these channels are reported as completely read.
    pub fn read_beyond(
        &mut self,
        guild_id: Id<GuildMarker>,
        until: Id<MessageMarker>,
        messages: impl Iterator<Item = (HeldMessage, MemberMessage)>,
    ) {
        let Some(guild) = self.guilds.get_mut(&guild_id) else {
            return;
        };
        let (mut held, mut further) = (Vec::new(), BTreeMap::new());
        for (message, change) in messages {
            if let Entry::Vacant(place) = guild.held.entry(message.id) {
                place.insert((message.user_id, change));
                guild.only_read.insert(message.id);
                self.held += 1;
                held.push(message);
            }
            // It counts when the guild is read up to this message, and must not count again after that.
            if message.id <= until
                && let Some(span) = guild.channels.get_mut(&message.channel_id)
                && span.until < message.id
            {
                span.until = message.id;
                further.insert(message.channel_id, message.id);
            }
        }
        if !further.is_empty() {
            let channels = further.into_iter().collect();
            self.note(Change::Further { guild_id, channels });
        }
        if !held.is_empty() {
            self.note(Change::Held(held));
        }
    }

    /// All planned channels of the guild are read up to `through`. `messages` are those by users, ordered by ID. They and the held ones up
    /// to there are passed to `count`.
    pub fn read(
        &mut self,
        guild_id: Id<GuildMarker>,
        through: Id<MessageMarker>,
        messages: impl Iterator<Item = (Id<MessageMarker>, Id<UserMarker>, MemberMessage)>,
        mut count: impl FnMut(Id<UserMarker>, MemberMessage),
    ) {
        let Some(guild) = self.guilds.get_mut(&guild_id) else {
            return;
        };
        let before = guild.held.len();
        let read_back = guild.unite(through, messages, &mut count);
        self.held -= before - guild.held.len();
        let channels = guild.move_on(through);
        self.summary.channels += channels;
        metrics::backfill_channels_total().increment(channels);
        self.counted(guild_id, through, read_back);
    }

    fn counted(&mut self, guild_id: Id<GuildMarker>, through: Id<MessageMarker>, read_back: u64) {
        self.summary.messages += read_back;
        metrics::backfill_messages_total().increment(read_back);
        self.note(Change::Read {
            guild_id,
            through,
            read_back,
        });
    }

    /// Discord has acknowledged a heartbeat of an established session.
    pub fn heartbeat_answered(&mut self) {
        for guild_id in &self.done {
            let Some(guild) = self.guilds.get_mut(guild_id) else {
                continue;
            };
            if guild.only_read.is_empty() {
                continue;
            }
            guild.heartbeats = guild.heartbeats.saturating_add(1);
            if guild.heartbeats >= HEARTBEATS {
                // The next gap only misses newer messages: no earlier one is still to be delivered.
                self.newest = self.newest.max(guild.settle());
            }
        }
    }

    /// The connection has ended: undelivered messages arrive on another one.
    pub fn disconnected(&mut self) {
        for guild in self.guilds.values_mut() {
            guild.heartbeats = 0;
        }
    }

    /// The rest of a channel cannot be read.
    pub fn cannot_read(&mut self, guild_id: Id<GuildMarker>, channel: Id<ChannelMarker>, why: Unread) {
        let span = self
            .guilds
            .get_mut(&guild_id)
            .and_then(|guild| guild.channels.remove(&channel));
        if let Some(span) = span {
            self.unread(guild_id, Some(channel), span, why);
        }
    }

    /// The reader of a guild has reached the end of its plan.
    pub fn reader_ended(&mut self, guild_id: Id<GuildMarker>) {
        if let Some(guild) = self.guilds.get_mut(&guild_id)
            && std::mem::take(&mut guild.being_read)
        {
            self.readers -= 1;
            self.queue(guild_id);
        }
    }

    /// Drop everything that is not committed.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            enabled: self.enabled,
            ..Self::default()
        };
    }

    fn note(&mut self, change: Change) {
        self.rows += change.rows();
        self.changes.push(change);
    }

    /// Add a guild to the right list: those to be read, or those that are done.
    fn queue(&mut self, guild_id: Id<GuildMarker>) {
        let Some(guild) = self.guilds.get(&guild_id) else {
            return;
        };
        if guild.being_read {
            return;
        }
        if guild.has_unread() {
            if !self.waiting.contains(&guild_id) {
                self.waiting.push_back(guild_id);
            }
        } else if guild.awaits.is_none() {
            self.done.insert(guild_id);
        }
    }

    fn give_up_waiting(&mut self, guild_id: Id<GuildMarker>, why: Unread) {
        let Some(guild) = self.guilds.get_mut(&guild_id) else {
            return;
        };
        if let Some(after) = guild.awaits.take() {
            self.unread(guild_id, None, Span { after, until: after }, why);
        }
    }

    fn unread(
        &mut self,
        guild_id: Id<GuildMarker>,
        channel_id: Option<Id<ChannelMarker>>,
        span: Span,
        why: Unread,
    ) {
        self.summary.unread += 1;
        metrics::backfill_unread_channels_total(why.as_str()).increment(1);
        self.note(Change::Unread {
            guild_id,
            channel_id,
            span,
            why,
        });
    }
}

#[cfg(test)]
mod tests;
