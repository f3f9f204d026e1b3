//! Gaps: what a shard knows to have missed, committed with its checkpoint like everything else.

use std::time::SystemTime;

/// Events that Discord did not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Why: one of the gateway's reasons.
    pub reason: &'static str,
    /// The session whose events they were.
    pub session_id: Option<String>,
    /// The last event of it that was received.
    pub last_sequence: u64,
    /// How many were missed, where their numbers tell.
    pub missing: Option<u64>,
    /// When the shard last received something.
    pub began_at: SystemTime,
    /// When it received again; `None` while it does not.
    pub ended_at: Option<SystemTime>,
}

/// A change of the record of gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GapChange {
    /// A gap began, or was noticed.
    Noticed(Gap),
    /// A new session receives: whatever was open ends.
    Ended(SystemTime),
}
