//! Against a model of Discord and of the database: whatever is lost, read, committed and killed, in whatever order, each message
//! counts once, in the order of the ids, and exactly those.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
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

    /// A new session. With `late_above`, channels with two messages above that id tell of the one before the last.
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

    /// What REST gives of a guild's planned channels, up to an id.
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

/// What is committed.
#[derive(Clone, Debug, Default)]
struct Database {
    /// The session, and how many of its events are contained.
    at: Option<(usize, usize)>,
    newest: Option<Id<MessageMarker>>,
    channels: BTreeMap<(Id<GuildMarker>, Option<Id<ChannelMarker>>), Span>,
    held: BTreeMap<(Id<GuildMarker>, Id<MessageMarker>), HeldMessage>,
    counted: Vec<(u64, u64)>,
    read_back: u64,
    unread: Vec<(u64, Unread)>,
}

impl Database {
    /// The same as the statements of `pipeline/backfill/rows.rs`.
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
    /// The session that is followed, and how many of its events are received.
    at: Option<(usize, usize)>,
    counted: Vec<(u64, u64)>,
    readers: Vec<Reader>,
    /// A heartbeat was sent, and its answer has not been received.
    beats: bool,
    /// Answers of the session before this event were for an earlier process.
    deaf_until: usize,
}

/// A plan under way.
#[derive(Debug)]
struct Reader {
    plan: Plan,
    so_far: u64,
    /// Channels whose last page was asked for.
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

    /// Receive an event, if the session that is followed has one.
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

    /// Read a part of a guild, or begin with one.
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
        // A channel's last page is asked for when its turn comes, or before.
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

    /// Whether everything that the session has was received.
    fn is_level(&self, discord: &Discord) -> bool {
        self.at
            .is_some_and(|(session, received)| received == discord.sessions[session].len())
    }
}

#[derive(Clone, Debug)]
enum Act {
    Send(u64, u64),
    Receive,
    Lose,
    Identify { late: bool },
    Heartbeat,
    Read(usize, u64),
    Release,
    Relieve,
    GiveUp,
    Flush,
    Kill,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (1..=GUILDS, 0..CHANNELS).prop_map(|(guild, channel)| Act::Send(guild, channel)),
        10 => Just(Act::Receive),
        1 => Just(Act::Lose),
        2 => any::<bool>().prop_map(|late| Act::Identify { late }),
        2 => Just(Act::Heartbeat),
        4 => (0..8_usize, 1..9_u64).prop_map(|(which, length)| Act::Read(which, length)),
        2 => Just(Act::Release),
        1 => Just(Act::Relieve),
        3 => Just(Act::Flush),
        1 => Just(Act::Kill),
    ]
}

struct Scene {
    discord: Discord,
    database: Database,
    process: Process,
}

impl Scene {
    /// A first session, up to its first message, which is committed.
    fn new() -> Self {
        let mut discord = Discord::default();
        // What was there before the bot is not its to count.
        discord.send(1, 0);
        discord.send(2, 1);
        discord.identify(None);
        let mut database = Database::default();
        let mut process = Process::start(&database);
        process.at = Some((0, 0));
        while !process.is_level(&discord) {
            process.receive(&discord);
        }
        process.flush(&mut database);
        Self {
            discord,
            database,
            process,
        }
    }

    fn act(&mut self, act: &Act) {
        let Self {
            discord,
            database,
            process,
        } = self;
        match *act {
            Act::Send(guild, channel) => discord.send(guild, channel),
            Act::Receive => process.receive(discord),
            Act::Lose => {
                discord.alive = false;
                process.at = None;
            }
            Act::Identify { late } => self.identify(late),
            Act::Heartbeat => self.heartbeat(),
            Act::Read(which, length) => process.read(discord, which, length),
            // The shard does so only while it is up, and its session has nothing older for it.
            Act::Release if process.is_level(discord) => process.release(),
            Act::Release => {}
            Act::Relieve => process.relieve(),
            Act::GiveUp => process.give_up(),
            Act::Flush => process.flush(database),
            Act::Kill => {
                *process = Process::start(database);
                let newest = discord.sessions.len().checked_sub(1);
                if !discord.alive || process.at.map(|(session, _)| session) != newest {
                    // Its session was never committed, or is dead: it cannot be resumed.
                    discord.alive = false;
                    process.at = None;
                }
                if let Some((session, _)) = process.at {
                    process.deaf_until = discord.sessions[session].len();
                }
            }
        }
    }

    fn identify(&mut self, late: bool) {
        if self.process.at.is_none() {
            // A channel none of whose missed messages is told is not looked at.
            let seen = self.process.backfill.newest().map(Id::get);
            self.discord.identify(seen.filter(|_| late));
            self.process.at = Some((self.discord.sessions.len() - 1, 0));
            self.process.beats = false;
            self.process.deaf_until = 0;
            self.process.backfill.disconnected();
        }
    }

    /// Send a heartbeat, unless the one before is not answered. The answer comes after everything that was sent before.
    fn heartbeat(&mut self) {
        let Some((session, _)) = self.process.at else {
            return;
        };
        if self.discord.alive && !self.process.beats {
            self.process.beats = true;
            self.discord.sessions[session].push(Event::HeartbeatAnswered);
        }
    }

    /// Let everything come to its end.
    fn settle(&mut self) {
        self.identify(false);
        while !self.process.is_level(&self.discord) {
            self.process.receive(&self.discord);
        }
        for _ in 0..10_000 {
            if !self.process.backfill.is_active() {
                break;
            }
            // A reader that is there comes first: 7 is no multiple of 3, so that no other begins beside it.
            self.process.read(&self.discord, 0, 7);
            self.heartbeat();
            while !self.process.is_level(&self.discord) {
                self.process.receive(&self.discord);
            }
            self.process.release();
        }
        self.process.release();
        self.process.flush(&mut self.database);
    }

    fn counted(&self, guild: u64) -> Vec<u64> {
        self.database
            .counted
            .iter()
            .filter(|(of, _)| *of == guild)
            .map(|(_, id)| *id)
            .collect()
    }

    fn sent(&self, guild: u64) -> Vec<u64> {
        self.discord
            .messages
            .iter()
            .skip(2)
            .filter(|message| message.guild == guild)
            .map(|message| message.id)
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn each_message_counts_once_and_in_order(acts in prop::collection::vec(act(), 0..120)) {
        let mut scene = Scene::new();
        for act in &acts {
            scene.act(act);
        }
        scene.settle();
        for guild in 1..=GUILDS {
            prop_assert_eq!(scene.counted(guild), scene.sent(guild), "guild {}", guild);
        }
        let database = &scene.database;
        prop_assert!(database.channels.is_empty() && database.held.is_empty(), "{:?}", database);
        prop_assert!(database.unread.is_empty());
        prop_assert_eq!(scene.process.backfill.guilds(), 0);
        prop_assert_eq!(scene.process.backfill.held(), 0);
    }

    /// When reading is given up now and then, what came by the gateway counts all the same, each once and in order.
    #[test]
    fn giving_up_loses_only_what_was_not_read(
        acts in prop::collection::vec(prop_oneof![20 => act(), 1 => Just(Act::GiveUp)], 0..120),
    ) {
        let mut scene = Scene::new();
        let mut came = BTreeSet::new();
        for act in &acts {
            scene.act(act);
        }
        scene.settle();
        // Of each session that which was received, by the last process that followed it.
        if let Some((session, received)) = scene.process.at {
            came.extend(scene.discord.sessions[session][..received].iter().filter_map(|event| match event {
                Event::Message(message) => Some((message.guild, message.id)),
                _ => None,
            }));
        }
        let counted: BTreeSet<(u64, u64)> = scene.database.counted.iter().copied().collect();
        prop_assert_eq!(counted.len(), scene.database.counted.len(), "one counted twice");
        prop_assert!(came.is_subset(&counted), "one that came did not count");
        for guild in 1..=GUILDS {
            let counted = scene.counted(guild);
            prop_assert!(counted.is_sorted(), "{:?}", counted);
            let sent = scene.sent(guild);
            prop_assert!(counted.iter().all(|id| sent.contains(id)));
        }
        prop_assert!(scene.database.channels.is_empty() && scene.database.held.is_empty());
    }
}

fn ids(scene: &Scene) -> Vec<u64> {
    scene.database.counted.iter().map(|(_, id)| *id).collect()
}

/// A gap in a quiet time, right after the first session began: where it begins follows from the guilds themselves.
#[test]
fn a_first_session_without_any_message_knows_what_was_before_it() {
    let mut scene = Scene::new();
    scene.act(&Act::Lose);
    scene.act(&Act::Send(1, 0));
    scene.settle();
    assert_eq!(ids(&scene), [1_002]);
    assert_eq!(scene.database.read_back, 1);
}

/// Two gaps without a message between them: what the first had planned is not planned again.
#[test]
fn two_gaps_in_a_row() {
    let mut scene = Scene::new();
    for channel in 0..2 {
        scene.act(&Act::Lose);
        scene.act(&Act::Send(1, channel));
        scene.act(&Act::Send(2, channel));
        scene.settle();
    }
    assert_eq!(ids(&scene).len(), 4);
    assert_eq!(scene.database.read_back, 4);
}

/// Discord knew of a message when the page was asked for, and neither told of it nor delivers it.
#[test]
fn a_message_above_the_last_one_that_was_told() {
    let mut scene = Scene::new();
    scene.act(&Act::Lose);
    scene.act(&Act::Send(1, 0));
    scene.act(&Act::Send(1, 0));
    scene.act(&Act::Identify { late: true });
    scene.settle();
    assert_eq!(ids(&scene), [1_002, 1_003]);
    assert_eq!(scene.database.read_back, 2);
    // The next gap begins above it.
    scene.act(&Act::Lose);
    scene.act(&Act::Send(1, 0));
    scene.settle();
    assert_eq!(ids(&scene), [1_002, 1_003, 1_004]);
}

/// Whether the gateway delivers what was read is known when it has answered two heartbeats: it counts once, at whatever moment.
#[test]
fn what_was_read_waits_for_the_gateway() {
    for deliveries in 0..3 {
        let mut scene = Scene::new();
        scene.act(&Act::Lose);
        scene.act(&Act::Send(1, 0));
        scene.act(&Act::Identify { late: false });
        // READY and the guilds; the message that is sent now is on its way.
        for _ in 0..=GUILDS {
            scene.act(&Act::Receive);
        }
        scene.act(&Act::Send(1, 0));
        scene.process.read(&scene.discord, 0, 100);
        scene.process.release();
        assert_eq!(scene.process.backfill.held(), 1);
        for _ in 0..deliveries {
            scene.act(&Act::Heartbeat);
            scene.act(&Act::Receive);
        }
        scene.act(&Act::Flush);
        scene.act(&Act::Kill);
        scene.settle();
        assert_eq!(ids(&scene), [1_002, 1_003]);
    }
}

/// What the bot joined for was before its time.
#[test]
fn messages_from_before_the_bot_joined_do_not_count() {
    let mut backfill = Backfill {
        enabled: true,
        ..Backfill::default()
    };
    backfill.saw(Id::new(5));
    backfill.begin(&Ready::parse(r#"{"d":{"user":{"id":"7"},"guilds":[{"id":"1"}]}}"#).expect("valid"));
    // A snowflake of 2020, and a bot that joined in 2021.
    let text = r#"{"d":{"id":"1","joined_at":"2021-01-01T00:00:00.000000+00:00","channels":[
        {"id":"10","type":0,"last_message_id":"660000000000000000"},{"id":"11","type":0,"last_message_id":"1300000000000000000"}]}}"#;
    backfill.guild_created(&GuildCreate::parse(text).expect("valid").expect("available"));
    let plan = backfill.next_plan().expect("one channel");
    assert_eq!(plan.channels.len(), 1);
    assert_eq!(plan.channels[0].0, Id::new(11));
    assert!(plan.channels[0].1.after > Id::new(790_000_000_000_000_000));
}

/// A channel whose history is closed to the bot is said at once, and nobody asks for it.
#[test]
fn a_channel_without_history_is_unread_without_a_request() {
    let mut backfill = Backfill {
        enabled: true,
        ..Backfill::default()
    };
    backfill.saw(Id::new(5));
    backfill.begin(&Ready::parse(r#"{"d":{"user":{"id":"7"},"guilds":[{"id":"1"}]}}"#).expect("valid"));
    let text = r#"{"d":{"id":"1","roles":[{"id":"1","permissions":"1024"}],"members":[{"user":{"id":"7"},"roles":[]}],
        "channels":[{"id":"10","type":0,"last_message_id":"9"}]}}"#;
    backfill.guild_created(&GuildCreate::parse(text).expect("valid").expect("available"));
    assert_eq!(backfill.next_plan(), None);
    let changes = backfill.take();
    assert!(
        matches!(
            changes.last(),
            Some(Change::Unread {
                why: Unread::NoHistory,
                ..
            })
        ),
        "{changes:?}"
    );
}

/// Switched off while it was under way: what came counts, and the rest is recorded.
#[test]
fn switched_off_meanwhile() {
    let mut scene = Scene::new();
    scene.act(&Act::Lose);
    scene.act(&Act::Send(1, 0));
    scene.act(&Act::Identify { late: false });
    scene.act(&Act::Send(1, 1));
    for _ in 0..5 {
        scene.act(&Act::Receive);
    }
    scene.act(&Act::Flush);
    assert_eq!(scene.database.held.len(), 1);
    let mut process = Process::start(&scene.database);
    let counted = &mut process.counted;
    process.backfill.give_up(Unread::Off, |guild, _, change| {
        counted.push((guild.get(), change.at.cast_unsigned()));
    });
    process.flush(&mut scene.database);
    assert_eq!(ids(&scene), [1_003]);
    assert_eq!(scene.database.unread, [(10, Unread::Off)]);
    assert!(scene.database.channels.is_empty() && scene.database.held.is_empty());
}
