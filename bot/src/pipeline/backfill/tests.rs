//! Compares the backfill with a model of Discord and of the database: whatever is lost, read, committed or killed, in any order, each
//! message counts once, ordered by ID, and no others do.

mod scenes;

use std::collections::{BTreeMap, BTreeSet};

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, MessageMarker},
};

use super::{Arrival, Backfill, Change, HeldMessage, Plan, Span, Unread};
use crate::{
    discord::events::{guild_create::GuildCreate, ready::Ready},
    features::levels::pending::{Earns, MemberMessage},
};

const GUILDS: u64 = 3;
const CHANNELS: u64 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Message {
    id: u64,
    guild: u64,
    channel: u64,
}

impl Message {
    fn change(self) -> MemberMessage {
        MemberMessage {
            at: self.id.cast_signed(),
            channel_id: Id::new(self.channel),
            earns: Earns::Nothing,
        }
    }
}

#[derive(Clone, Debug)]
enum Event {
    Ready(String),
    Guild(String),
    Message(Message),
    HeartbeatAnswered,
}

/// Discord's side.
#[derive(Debug, Default)]
struct Discord {
    messages: Vec<Message>,
    sessions: Vec<Vec<Event>>,
    alive: bool,
}

impl Discord {
    fn send(&mut self, guild: u64, channel: u64) {
        let message = Message {
            id: 1_000 + self.messages.len() as u64,
            guild,
            channel: guild * 10 + channel,
        };
        self.messages.push(message);
        if self.alive {
            self.sessions
                .last_mut()
                .expect("there is one")
                .push(Event::Message(message));
        }
    }

    /// Start a new session. With `late_above`, channels with two messages after that ID announce the last but one.
    fn identify(&mut self, late_above: Option<u64>) {
        let ids = (1..=GUILDS).map(|guild| format!(r#"{{"id":"{guild}"}}"#));
        let guilds = ids.collect::<Vec<_>>().join(",");
        let mut events = vec![Event::Ready(format!(
            r#"{{"d":{{"user":{{"id":"7"}},"guilds":[{guilds}]}}}}"#
        ))];
        for guild in 1..=GUILDS {
            let channels = (0..CHANNELS).map(|channel| {
                let channel = guild * 10 + channel;
                let of = self.messages.iter().filter(|message| message.channel == channel);
                let mut newest = of.map(|message| message.id).rev();
                let (last, before) = (newest.next(), newest.next());
                let late = before.filter(|id| late_above.is_some_and(|above| *id > above));
                let last = late
                    .or(last)
                    .map_or_else(|| "null".to_owned(), |id| format!("\"{id}\""));
                format!(r#"{{"id":"{channel}","type":0,"last_message_id":{last}}}"#)
            });
            let channels = channels.collect::<Vec<_>>().join(",");
            events.push(Event::Guild(format!(
                r#"{{"d":{{"id":"{guild}","channels":[{channels}]}}}}"#
            )));
        }
        self.sessions.push(events);
        self.alive = true;
    }

    /// What REST returns for a guild's planned channels, up to an ID.
    fn read(&self, plan: &Plan, after: u64, through: u64) -> Vec<Message> {
        let planned = |message: &&Message| {
            plan.channels.iter().any(|(channel, span)| {
                channel.get() == message.channel
                    && message.id > span.after.get().max(after)
                    && message.id <= span.until.get().min(through)
            })
        };
        self.messages.iter().filter(planned).copied().collect()
    }
}

/// The committed state.
#[derive(Clone, Debug, Default)]
struct Database {
    /// The session, and the number of its committed events.
    at: Option<(usize, usize)>,
    newest: Option<Id<MessageMarker>>,
    channels: BTreeMap<(Id<GuildMarker>, Option<Id<ChannelMarker>>), Span>,
    held: BTreeMap<(Id<GuildMarker>, Id<MessageMarker>), HeldMessage>,
    counted: Vec<(u64, u64)>,
    read_back: u64,
    unread: Vec<(u64, Unread)>,
}

impl Database {
    /// The same as the statements in `pipeline/backfill/rows.rs`.
    fn apply(&mut self, change: Change) {
        match change {
            Change::Await { guild_id, after } => {
                self.channels
                    .entry((guild_id, None))
                    .or_insert(Span { after, until: after });
            }
            Change::Planned { guild_id, channels } => {
                self.channels.remove(&(guild_id, None));
                for (channel, span) in channels {
                    self.channels.insert((guild_id, Some(channel)), span);
                }
            }
            Change::Held(messages) => {
                for message in messages {
                    let held = self.held.entry((message.guild_id, message.id)).or_insert(message);
                    held.only_read &= message.only_read;
                }
            }
            Change::Further { guild_id, channels } => {
                for (channel, until) in channels {
                    if let Some(span) = self.channels.get_mut(&(guild_id, Some(channel))) {
                        span.until = span.until.max(until);
                    }
                }
            }
            Change::Read {
                guild_id,
                through,
                read_back,
            } => {
                for ((guild, channel), span) in &mut self.channels {
                    if *guild == guild_id && channel.is_some() {
                        span.after = span.after.max(through.min(span.until));
                    }
                }
                self.held
                    .retain(|(guild, id), _| *guild != guild_id || *id > through);
                self.read_back += read_back;
            }
            Change::Unread {
                guild_id,
                channel_id,
                why,
                ..
            } => {
                self.channels.remove(&(guild_id, channel_id));
                self.unread.push((channel_id.map_or(0, Id::get), why));
            }
            Change::Ended { guild_id, through } => {
                self.channels.retain(|(guild, _), _| *guild != guild_id);
                self.held
                    .retain(|(guild, id), _| *guild != guild_id || Some(*id) > through);
            }
        }
    }
}

/// A process with one shard.
#[derive(Debug)]
struct Process {
    backfill: Backfill,
    /// The current session, and the number of its received events.
    at: Option<(usize, usize)>,
    counted: Vec<(u64, u64)>,
    readers: Vec<Reader>,
    /// Whether a heartbeat was sent and its acknowledgement has not been received.
    beats: bool,
    /// Acknowledgements before this event of the session are for an earlier process.
    deaf_until: usize,
}

/// A plan in progress.
#[derive(Debug)]
struct Reader {
    plan: Plan,
    so_far: u64,
    /// Channels whose last page was requested.
    ended: BTreeSet<Id<ChannelMarker>>,
}

impl Process {
    fn start(database: &Database) -> Self {
        let mut backfill = Backfill {
            enabled: true,
            ..Backfill::default()
        };
        backfill.restore(
            database.newest,
            database
                .channels
                .iter()
                .map(|((guild, channel), span)| (*guild, *channel, *span)),
            database.held.values().map(|held| {
                let message = Message {
                    id: held.id.get(),
                    guild: held.guild_id.get(),
                    channel: held.channel_id.get(),
                };
                (*held, message.change())
            }),
        );
        Self {
            backfill,
            at: database.at,
            counted: Vec::new(),
            readers: Vec::new(),
            beats: false,
            deaf_until: 0,
        }
    }

    /// Receive an event, if the current session has one.
    fn receive(&mut self, discord: &Discord) {
        let Some((session, received)) = &mut self.at else {
            return;
        };
        let Some(event) = discord.sessions[*session].get(*received) else {
            return;
        };
        *received += 1;
        let received = *received;
        match event {
            Event::HeartbeatAnswered => {
                if received > self.deaf_until {
                    self.beats = false;
                    self.backfill.heartbeat_answered();
                }
            }
            Event::Ready(text) => self.backfill.begin(&Ready::parse(text).expect("valid")),
            Event::Guild(text) => {
                let guild = GuildCreate::parse(text).expect("valid").expect("available");
                if self.backfill.wants(guild.id) {
                    self.backfill.guild_created(&guild);
                }
            }
            Event::Message(message) => {
                self.backfill.saw(Id::new(message.id));
                let held = HeldMessage {
                    guild_id: Id::new(message.guild),
                    id: Id::new(message.id),
                    channel_id: Id::new(message.channel),
                    user_id: Id::new(1),
                    only_read: false,
                };
                if self.backfill.arrived(held, &message.change()) == Arrival::Counts {
                    self.counted.push((message.guild, message.id));
                }
            }
        }
    }

    /// Read a part of a guild, or start reading one.
    fn read(&mut self, discord: &Discord, which: usize, length: u64) {
        if self.readers.is_empty() || length.is_multiple_of(3) {
            self.readers.extend(self.backfill.next_plan().map(|plan| Reader {
                plan,
                so_far: 0,
                ended: BTreeSet::new(),
            }));
        }
        if self.readers.is_empty() {
            return;
        }
        let at = which % self.readers.len();
        let Reader { plan, so_far, ended } = &mut self.readers[at];
        let end = plan.channels.iter().map(|(_, span)| span.until.get()).max();
        let begin = plan.channels.iter().map(|(_, span)| span.after.get()).min();
        let (begin, end) = (begin.expect("planned").max(*so_far), end.expect("planned"));
        let through = (begin + length).min(end);
        let messages = discord.read(plan, *so_far, through);
        *so_far = through;
        let guild_id = plan.guild_id;
        // The last page of a channel is requested when its turn comes, or earlier.
        let early = which.is_multiple_of(2);
        let mut beyond = Vec::new();
        for (channel, span) in &plan.channels {
            if (early || through >= span.until.get()) && ended.insert(*channel) {
                let above = discord
                    .messages
                    .iter()
                    .filter(|message| message.channel == channel.get() && message.id > span.until.get());
                beyond.extend(above.map(|message| {
                    let held = HeldMessage {
                        guild_id,
                        id: Id::new(message.id),
                        channel_id: *channel,
                        user_id: Id::new(1),
                        only_read: true,
                    };
                    (held, message.change())
                }));
            }
        }
        self.backfill
            .read_beyond(guild_id, Id::new(end), beyond.into_iter());
        let counted = &mut self.counted;
        self.backfill.read(
            guild_id,
            Id::new(through),
            messages
                .into_iter()
                .map(|message| (Id::new(message.id), Id::new(1), message.change())),
            |_, change| counted.push((guild_id.get(), change.at.cast_unsigned())),
        );
        if through == end {
            self.readers.remove(at);
            self.backfill.reader_ended(guild_id);
        }
    }

    fn release(&mut self) {
        let counted = &mut self.counted;
        self.backfill
            .release(|guild, _, change| counted.push((guild.get(), change.at.cast_unsigned())));
    }

    fn relieve(&mut self) {
        let counted = &mut self.counted;
        self.backfill
            .relieve(|guild, _, change| counted.push((guild.get(), change.at.cast_unsigned())));
    }

    fn give_up(&mut self) {
        self.readers.clear();
        let counted = &mut self.counted;
        self.backfill.give_up(Unread::Time, |guild, _, change| {
            counted.push((guild.get(), change.at.cast_unsigned()));
        });
    }

    fn flush(&mut self, database: &mut Database) {
        for change in self.backfill.take() {
            database.apply(change);
        }
        database.newest = database.newest.max(self.backfill.newest());
        database.at = self.at;
        database.counted.append(&mut self.counted);
    }

    /// Whether all events of the session were received.
    fn is_level(&self, discord: &Discord) -> bool {
        self.at
            .is_some_and(|(session, received)| received == discord.sessions[session].len())
    }
}
