//! The fleet's orders for a shard.

use super::MessageRange;

/// The orders for a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orders {
    /// Whether to end.
    pub(super) end: Ending,
    /// The messages that count.
    pub(super) message_range: MessageRange,
}

/// Whether a shard should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It should not.
    GoOn,
    /// It should end as soon as everything received is committed.
    Stop,
    /// It should end as soon as everything that was sent before is received and committed.
    Retire,
}
