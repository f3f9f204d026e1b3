//! What the fleet orders a shard to do.

use crate::pipeline::dispatch::message_range::MessageRange;

/// What a shard shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orders {
    /// Whether to end.
    pub(super) end: Ending,
    /// Which messages count.
    pub(super) message_range: MessageRange,
}

/// Whether a shard shall end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// No.
    GoOn,
    /// As soon as what was received is committed.
    Stop,
    /// As soon as everything that was sent before is received as well, and committed.
    Retire,
}
