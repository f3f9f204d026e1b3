//! What has happened so far.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Events that the world produced.
    pub generated: u64,
    /// Of those, events for which no session was alive; the gateway can never deliver them.
    pub missed: u64,
    /// Of those, events that no session's intents asked for.
    pub filtered: u64,
    /// Dispatches handed to the kernel of a connection, replays included.
    pub delivered: u64,
    /// Dispatches by event name.
    pub delivered_by_type: BTreeMap<String, u64>,
    /// Bytes written to gateway connections.
    pub bytes_sent: u64,
    /// Events kept in memory.
    pub history: u64,
    /// Connections that completed the WebSocket handshake.
    pub connections_opened: u64,
    /// Connections that are open now.
    pub connections_open: u64,
    /// Sessions that can be used or resumed now.
    pub sessions_live: u64,
    /// Every IDENTIFY.
    pub identifies: Vec<Identify>,
    /// RESUMEs that succeeded.
    pub resumes: u64,
    /// RESUMEs that were refused.
    pub resumes_refused: u64,
    /// Events sent more than once because of a RESUME.
    pub replayed: u64,
    /// Events that a RESUME asked for and did not get, because a heartbeat had let the session forget them.
    pub pruned_and_lost: u64,
    /// Op 9s sent.
    pub invalid_sessions: u64,
    /// Close codes that clients sent; 1005 means a close frame without one.
    pub client_closes: BTreeMap<u16, u64>,
    /// Connections that clients ended without a close frame.
    pub client_aborts: u64,
    /// Close codes that the simulator sent.
    pub server_closes: BTreeMap<u16, u64>,
    /// Heartbeats received.
    pub heartbeats: u64,
    /// Heartbeats acknowledged.
    pub heartbeat_acks: u64,
    /// REST requests.
    pub rest_requests: u64,
    /// REST requests answered with 429.
    pub rest_rate_limited: u64,
    /// REST requests that Discord counts as invalid: answered with 401, 403, or 429 of a scope other than `shared`.
    pub rest_invalid: u64,
}

/// One IDENTIFY.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identify {
    /// The shard's number.
    pub shard: u32,
    /// How many shards the client runs.
    pub shards: u32,
    /// When, as Unix time in milliseconds by the wall clock.
    pub at_ms: u64,
    /// What came of it.
    pub outcome: IdentifyOutcome,
}

/// What came of an IDENTIFY.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifyOutcome {
    /// A session began.
    Ready,
    /// It came too soon after another of its bucket: op 9.
    TooSoon,
    /// The daily budget is used up: op 9.
    BudgetUsedUp,
    /// It was refused with this close code.
    Closed(u16),
}

impl Stats {
    /// How many IDENTIFYs led to a session.
    pub fn sessions_started(&self) -> usize {
        self.identifies
            .iter()
            .filter(|identify| identify.outcome == IdentifyOutcome::Ready)
            .count()
    }

    /// How many IDENTIFYs broke `max_concurrency` or the daily budget.
    pub fn identify_violations(&self) -> usize {
        use IdentifyOutcome::{BudgetUsedUp, TooSoon};
        self.identifies
            .iter()
            .filter(|it| matches!(it.outcome, TooSoon | BudgetUsedUp))
            .count()
    }
}

/// One RESUME that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Resume {
    /// The shard's number.
    pub shard: u32,
    /// How many shards the client runs.
    pub shards: u32,
    /// When, as Unix time in milliseconds by the wall clock.
    pub at_ms: u64,
    /// For how many milliseconds the session had been without a connection; 0 when it was taken from one that was open.
    pub away_ms: u64,
}

/// A session, alive or over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionInfo {
    /// Its id.
    pub id: String,
    /// Shard number and count.
    pub shard: [u32; 2],
    /// Its intents.
    pub intents: u64,
    /// The last sequence that belongs to it.
    pub last_seq: u64,
    /// The last sequence written to a connection.
    pub sent_seq: u64,
    /// Whether it can be used or resumed.
    pub alive: bool,
    /// Whether a connection uses it now.
    pub connected: bool,
}
