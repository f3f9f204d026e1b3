//! Whose turn it is to IDENTIFY.
//!
//! Discord allows `max_concurrency` identifies in 5 seconds and a budget a day, both told by `GET /gateway/bot`:
//! <https://discord.com/developers/docs/events/gateway#rate-limiting>. One queue serves all shards of the process.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;
use twilight_gateway_queue::{InMemoryQueue, Queue};
use twilight_model::gateway::SessionStartLimit;

use crate::metrics;

/// The queue that the process's shards share.
#[derive(Clone, Debug)]
pub struct IdentifyQueue(Arc<InMemoryQueue>);

impl IdentifyQueue {
    /// A queue with the limits that Discord told.
    pub fn new(limit: &SessionStartLimit) -> Self {
        Self(Arc::new(InMemoryQueue::new(
            limit.max_concurrency,
            limit.remaining,
            Duration::from_millis(limit.reset_after),
            limit.total,
        )))
    }
}

impl Queue for IdentifyQueue {
    fn enqueue(&self, id: u32) -> oneshot::Receiver<()> {
        metrics::gateway_identifies_total().increment(1);
        self.0.enqueue(id)
    }
}
