//! The state behind the gateway: history, sessions, connections, and the recipients of events.

mod handshake;
mod messages;
mod observe;
mod produce;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

pub(crate) use handshake::{Entry, ResumeRequest};
pub(crate) use messages::{MessageRange, Place};
use rustc_hash::FxHashMap;
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

use crate::{
    config::{Duplicate, GatewayRules, Rate, SimulatorConfig},
    oracle::Ledger,
    payload::{Beside, Overlay, RawEvent},
    record::{Kind, Log, NO_GUILD, Record},
    session::Session,
    snowflake::{self, Clock},
    stats::{Resume, Stats},
    traffic::Generator,
    world::{Skew, World},
};

/// A command to a connection.
#[derive(Debug)]
pub(crate) enum Command {
    /// End with a TCP reset.
    Reset,
    /// End without a close frame.
    Drop,
    Close(u16),
    /// Op 7.
    Reconnect,
    /// Op 9.
    Invalidate(bool),
    /// Op 1 from the server.
    AskHeartbeat,
    Freeze(bool),
    /// A frame, unchanged.
    Send(String),
    /// A binary frame, unchanged.
    SendBinary(Vec<u8>),
}

/// What happens to heartbeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeartbeatAcks {
    /// Each is acknowledged at once.
    Prompt,
    /// Each is acknowledged after this time.
    Late(Duration),
    /// None is acknowledged.
    Never,
}

/// A connection as the engine sees it.
pub(crate) struct ConnectionHandle {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) wake: Arc<Notify>,
    pub(crate) shard: Option<u32>,
}

/// Events on their way to a connection.
pub(crate) struct Batch {
    pub(crate) events: Vec<(u64, Record, Beside)>,
    pub(crate) overlay: Arc<Overlay>,
}

/// A sampler of guilds by traffic: ranks, and the guilds that they stand for.
type Sampler = (Skew, Vec<u32>);

pub(crate) struct Engine {
    pub(crate) rules: GatewayRules,
    pub(crate) acks: HeartbeatAcks,
    pub(crate) refuse_connections: bool,
    pub(crate) rate: Rate,
    pub(crate) clock: Clock,
    pub(crate) overlay: Arc<Overlay>,
    pub(crate) stats: Stats,
    pub(crate) resumes: Vec<Resume>,
    pub(crate) oracle: Ledger,
    pub(crate) sessions: Vec<Session>,
    pub(crate) history: Log<Record>,
    channels: messages::ChannelIndex,
    pub(crate) raws: BTreeMap<u64, Arc<RawEvent>>,
    delivered_by_kind: [u64; Kind::COUNT],
    delivered_raws: BTreeMap<String, u64>,
    token: String,
    seed: u64,
    gap_ms: f64,
    pending: u64,
    generator: Generator,
    all_guilds: Sampler,
    of_shard: FxHashMap<[u32; 2], Arc<Sampler>>,
    by_id: FxHashMap<String, usize>,
    /// For each shard count in use, the live sessions of each shard.
    routes: Vec<(u32, Vec<Vec<usize>>)>,
    dirty: Vec<usize>,
    connections: FxHashMap<u64, ConnectionHandle>,
    next_connection: u64,
    /// Whether a guild's shard ever had a session; before that it has no traffic.
    opened: Vec<bool>,
    opened_count: usize,
    opened_direct: bool,
    identified_at: FxHashMap<u32, Instant>,
    identifies_today: VecDeque<Instant>,
}

impl Engine {
    pub(crate) fn new(config: &SimulatorConfig, world: &World) -> Self {
        let guilds = world.guilds().len();
        Self {
            rules: config.gateway.clone(),
            acks: HeartbeatAcks::Prompt,
            refuse_connections: false,
            rate: config.rate,
            clock: Clock::new(
                config.start_time_ms.unwrap_or_else(snowflake::wall_clock_ms),
                config.time_scale,
            ),
            overlay: Arc::default(),
            stats: Stats::default(),
            resumes: Vec::new(),
            oracle: Ledger::new(config.levels),
            sessions: Vec::new(),
            history: Log::new(),
            channels: messages::ChannelIndex::new(world),
            raws: BTreeMap::new(),
            delivered_by_kind: [0; Kind::COUNT],
            delivered_raws: BTreeMap::new(),
            token: config.token.clone(),
            seed: config.seed,
            gap_ms: config.generate_gap_ms,
            pending: 0,
            generator: Generator::new(config.seed, config.traffic.clone(), guilds),
            all_guilds: world.guild_sampler(|_| true),
            of_shard: FxHashMap::default(),
            by_id: FxHashMap::default(),
            routes: Vec::new(),
            dirty: Vec::new(),
            connections: FxHashMap::default(),
            next_connection: 0,
            opened: vec![false; guilds],
            opened_count: 0,
            opened_direct: false,
            identified_at: FxHashMap::default(),
            identifies_today: VecDeque::new(),
        }
    }

    /// Registers a connection and gives it its number.
    pub(crate) fn connect(&mut self, commands: mpsc::Sender<Command>, wake: Arc<Notify>) -> u64 {
        self.next_connection += 1;
        self.stats.connections_opened += 1;
        self.connections.insert(
            self.next_connection,
            ConnectionHandle {
                commands,
                wake,
                shard: None,
            },
        );
        self.next_connection
    }

    /// A connection is gone; `ends_session` says whether its session goes with it.
    pub(crate) fn disconnect(&mut self, connection: u64, session: Option<usize>, ends_session: bool) {
        self.connections.remove(&connection);
        if let Some(key) = session
            && self.sessions[key].connection == Some(connection)
        {
            self.sessions[key].connection = None;
            self.sessions[key].left_at = Some(Instant::now());
            if ends_session {
                self.end_session(key);
            }
        }
    }

    /// Ends a session: it gets no more events and cannot be resumed.
    pub(crate) fn end_session(&mut self, key: usize) {
        self.sessions[key].alive = false;
        for (_, shards) in &mut self.routes {
            for keys in shards {
                keys.retain(|&other| other != key);
            }
        }
    }

    /// Ends the sessions that were not resumed in time.
    pub(crate) fn bury_expired(&mut self) {
        let ttl = self.rules.session_ttl;
        let expired: Vec<usize> = self
            .live_sessions()
            .filter(|&key| {
                self.sessions[key]
                    .left_at
                    .is_some_and(|left| left.elapsed() >= ttl)
            })
            .collect();
        for key in expired {
            self.end_session(key);
        }
    }

    /// The keys of the live sessions, which are few even when many have been.
    pub(crate) fn live_sessions(&self) -> impl Iterator<Item = usize> + '_ {
        self.routes
            .iter()
            .flat_map(|(_, shards)| shards.iter().flatten().copied())
    }

    /// Sends a command to the connections of a shard, or to all. Returns their number.
    pub(crate) fn command(&self, shard: Option<u32>, command: impl Fn() -> Command) -> usize {
        self.connections
            .values()
            .filter(|handle| shard.is_none() || handle.shard == shard)
            .filter(|handle| handle.commands.try_send(command()).is_ok())
            .count()
    }

    /// Gives a session to a connection, and deals with the one that had it.
    fn attach(&mut self, key: usize, connection: u64) {
        let session = &mut self.sessions[key];
        session.left_at = None;
        let old = session.connection.replace(connection);
        let shard = session.shard[0];
        if let Some(handle) = self.connections.get_mut(&connection) {
            handle.shard = Some(shard);
        }
        if let Some(old) = old.filter(|&old| old != connection)
            && let Duplicate::CloseOld(code) = self.rules.duplicate
            && let Some(handle) = self.connections.get(&old)
        {
            // A full queue means that the old connection has many commands already, and it has lost the session
            // in any case.
            drop(handle.commands.try_send(Command::Close(code)));
        }
    }

    /// Hands the session's next events to its connection. Leaves the batch empty when there are none.
    ///
    /// Returns false when the connection is too far behind: what it has not got is no longer there.
    pub(crate) fn take(
        &mut self,
        world: &World,
        key: usize,
        connection: u64,
        most: usize,
        batch: &mut Batch,
    ) -> bool {
        batch.events.clear();
        if self.sessions[key].connection != Some(connection) || !self.sessions[key].alive {
            return true;
        }
        if self.rate == Rate::Full {
            self.top_up(world, key);
        }
        let Self {
            sessions,
            history,
            channels,
            raws,
            rules,
            ..
        } = self;
        let session = &mut sessions[key];
        while batch.events.len() < most && session.unsent() > 0 {
            let Some(index) = session.index_of(session.sent + 1) else {
                return false;
            };
            let Some(record) = history.get(index) else {
                return false;
            };
            session.sent += 1;
            let beside = match record.kind {
                Kind::Raw => raws
                    .get(&index)
                    .map_or(Beside::Nothing, |event| Beside::Raw(Arc::clone(event))),
                Kind::GuildCreate => {
                    let without = usize::from(rules.late_last_messages);
                    Beside::LastMessages(channels.newest_below(history, record.guild, record.id, without))
                }
                _ => Beside::Nothing,
            };
            match &beside {
                Beside::Raw(event) => *self.delivered_raws.entry(event.name.clone()).or_default() += 1,
                _ => self.delivered_by_kind[record.kind as usize] += 1,
            }
            if session.sent <= session.high {
                self.stats.replayed += 1;
            } else {
                session.high = session.sent;
            }
            batch.events.push((session.sent, record, beside));
        }
        if !batch.events.is_empty() {
            batch.overlay = Arc::clone(&self.overlay);
        }
        true
    }

    /// The kernel took what a connection had been given.
    pub(crate) fn written(&mut self, key: usize, connection: u64, seq: u64, events: u64) {
        self.stats.delivered += events;
        let session = &mut self.sessions[key];
        if session.connection == Some(connection) {
            session.written = seq;
        }
    }

    /// A heartbeat came with the last sequence that the client says it has.
    pub(crate) fn heartbeat(&mut self, session: Option<usize>, connection: u64, seq: Option<u64>) {
        self.stats.heartbeats += 1;
        if let (true, Some(key), Some(seq)) = (self.rules.heartbeat_prunes, session, seq) {
            let session = &mut self.sessions[key];
            if session.connection == Some(connection) {
                session.forgotten = session.forgotten.max(seq.min(session.sent));
            }
        }
    }

    /// Whether everything generated has reached connected clients.
    pub(crate) fn drained(&self) -> bool {
        self.pending == 0
            && self.live_sessions().all(|key| {
                let session = &self.sessions[key];
                session.connection.is_some() && session.written == session.last_seq()
            })
    }

    /// Whether a guild's events go to a shard.
    pub(crate) fn shard_of(world: &World, guild: u32, total: u32) -> u32 {
        if guild == NO_GUILD {
            return 0;
        }
        u32::try_from((world.guild_at(guild).id() >> 22) % u64::from(total.max(1))).unwrap_or(0)
    }
}
