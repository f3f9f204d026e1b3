//! Gaps: events that a shard is known to have missed, committed together with its checkpoint.

use std::time::SystemTime;

/// Events that Discord did not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The cause: one of the gateway's reasons.
    pub reason: &'static str,
    /// The session of the missed events.
    pub session_id: Option<String>,
    /// The last sequence received in that session.
    pub last_sequence: u64,
    /// The number of missed events, if the sequence numbers show it.
    pub missing: Option<u64>,
    /// When the shard last received something.
    pub began_at: SystemTime,
    /// When it received events again; `None` while it does not.
    pub ended_at: Option<SystemTime>,
}

/// A change to the record of gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GapChange {
    /// A gap began or was detected.
    Noticed(Gap),
    /// A new session receives events: open gaps end.
    Ended(SystemTime),
}
