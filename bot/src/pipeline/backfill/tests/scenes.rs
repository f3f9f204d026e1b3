//! Random and fixed scenarios for the model, and the checks after them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use twilight_model::id::Id;

use super::{CHANNELS, Database, Discord, Event, GUILDS, Process};
use crate::{
    discord::events::{guild_create::GuildCreate, ready::Ready},
    pipeline::backfill::{Backfill, Change, Unread},
};

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
        // Messages before the bot joined are not counted.
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
            // The shard only does this while it is established and its session has nothing older for it.
            Act::Release if process.is_level(discord) => process.release(),
            Act::Release => {}
            Act::Relieve => process.relieve(),
            Act::GiveUp => process.give_up(),
            Act::Flush => process.flush(database),
            Act::Kill => {
                *process = Process::start(database);
                let newest = discord.sessions.len().checked_sub(1);
                if !discord.alive || process.at.map(|(session, _)| session) != newest {
                    // Its session was never committed, or is dead, so it cannot be resumed.
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
            // A channel whose missed messages are not announced is not read.
            let seen = self.process.backfill.newest().map(Id::get);
            self.discord.identify(seen.filter(|_| late));
            self.process.at = Some((self.discord.sessions.len() - 1, 0));
            self.process.beats = false;
            self.process.deaf_until = 0;
            self.process.backfill.disconnected();
        }
    }

    /// Send a heartbeat, unless the previous one has not been acknowledged. The acknowledgement arrives after everything sent before.
    fn heartbeat(&mut self) {
        let Some((session, _)) = self.process.at else {
            return;
        };
        if self.discord.alive && !self.process.beats {
            self.process.beats = true;
            self.discord.sessions[session].push(Event::HeartbeatAnswered);
        }
    }

    /// Finish everything.
    fn settle(&mut self) {
        self.identify(false);
        while !self.process.is_level(&self.discord) {
            self.process.receive(&self.discord);
        }
        for _ in 0..10_000 {
            if !self.process.backfill.is_active() {
                break;
            }
            // An existing reader comes first: 7 is not a multiple of 3, so no other one is started.
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

    /// If the backfill is abandoned from time to time, messages from the gateway still count, each once and in order.
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
        // The received part of each session, by the last process that followed it.
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

/// A gap without traffic, right after the first session started: its start follows from the guilds themselves.
#[test]
fn a_first_session_without_any_message_knows_what_was_before_it() {
    let mut scene = Scene::new();
    scene.act(&Act::Lose);
    scene.act(&Act::Send(1, 0));
    scene.settle();
    assert_eq!(ids(&scene), [1_002]);
    assert_eq!(scene.database.read_back, 1);
}

/// Two gaps without a message between them: the plan of the first is not planned again.
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

/// Discord knew of a message when the page was requested, and neither announced nor delivers it.
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
    // The next gap starts after it.
    scene.act(&Act::Lose);
    scene.act(&Act::Send(1, 0));
    scene.settle();
    assert_eq!(ids(&scene), [1_002, 1_003, 1_004]);
}

/// After two acknowledged heartbeats it is known whether the gateway delivers a message that was read. It counts once, whenever it arrives.
#[test]
fn what_was_read_waits_for_the_gateway() {
    for deliveries in 0..3 {
        let mut scene = Scene::new();
        scene.act(&Act::Lose);
        scene.act(&Act::Send(1, 0));
        scene.act(&Act::Identify { late: false });
        // READY and the guilds; the message sent now is not yet received.
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

/// Messages from before the bot joined.
#[test]
fn messages_from_before_the_bot_joined_do_not_count() {
    let mut backfill = Backfill {
        enabled: true,
        ..Backfill::default()
    };
    backfill.saw(Id::new(5));
    backfill.begin(&Ready::parse(r#"{"d":{"user":{"id":"7"},"guilds":[{"id":"1"}]}}"#).expect("valid"));
    // A snowflake from 2020, and a bot that joined in 2021.
    let text = r#"{"d":{"id":"1","joined_at":"2021-01-01T00:00:00.000000+00:00","channels":[
        {"id":"10","type":0,"last_message_id":"660000000000000000"},{"id":"11","type":0,"last_message_id":"1300000000000000000"}]}}"#;
    backfill.guild_created(&GuildCreate::parse(text).expect("valid").expect("available"));
    let plan = backfill.next_plan().expect("one channel");
    assert_eq!(plan.channels.len(), 1);
    assert_eq!(plan.channels[0].0, Id::new(11));
    assert!(plan.channels[0].1.after > Id::new(790_000_000_000_000_000));
}

/// A channel whose history the bot may not read is reported immediately, without a request.
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

/// The backfill is switched off while in progress: what arrived counts, and the rest is recorded.
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
