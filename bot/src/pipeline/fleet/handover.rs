//! Handing shards over to other processes.
//!
//! 1. A [tick](super::tick) says which shards this process gives away, and they stop here, some at once.
//! 2. A shard that stops closes resumably and commits everything that it received (`gateway/shard/ending.rs`).
//! 3. The next tick releases it in the database. The process that takes it raises its fence and resumes its session.

use super::{Fleet, FleetEnd, registry, tick};
use crate::{pipeline::gateway::ShardEnd, support::ids::ShardKey, telemetry::metrics};

/// The fraction of its shards that a process may give away at once, so that they are not all disconnected together.
const PART: usize = 8;

impl Fleet {
    /// Stop as many shards as may be disconnected at once.
    pub(super) fn stop_some(&mut self, give: &[ShardKey]) {
        let at_once = give.len().max(self.gateway.running().len()).div_ceil(PART);
        for shard in give {
            if self.stopping.len() >= at_once {
                break;
            }
            if self.stopping.insert(*shard) {
                tracing::info!(
                    shard.id = shard.id,
                    shard.count = shard.count,
                    "handing the shard over"
                );
                self.gateway.stop(*shard);
            }
        }
    }

    /// A shard has ended. Returns how the process ends, if it must.
    pub(super) fn ended(&mut self, shard: ShardKey, end: ShardEnd) -> Option<FleetEnd> {
        let asked = self.stopping.remove(&shard);
        match end {
            ShardEnd::Stopped => {
                metrics::fleet_shards_given_total().increment(1);
                self.stopped.insert(shard);
                None
            }
            ShardEnd::Retired => {
                tracing::info!(
                    shard.id = shard.id,
                    shard.count = shard.count,
                    "the shard has counted its last message; the new shards continue"
                );
                self.retired.insert(shard);
                None
            }
            // The next tick shows its owner. If it still belongs to this process, the fence was raised manually or by a restore.
            ShardEnd::Fenced(_) => {
                debug_assert!(!asked || shard.id < shard.count);
                metrics::fleet_shards_lost_total().increment(1);
                None
            }
            ShardEnd::Fatal(fatal) => Some(FleetEnd::Fatal(fatal)),
            ShardEnd::WriterGone => Some(FleetEnd::WriterGone),
        }
    }

    pub(super) async fn leave(self) -> FleetEnd {
        self.leave_with(FleetEnd::Stopped).await
    }

    /// Stop every shard; each is released as soon as all of its data is committed.
    pub(super) async fn leave_with(mut self, end: FleetEnd) -> FleetEnd {
        for shard in self.gateway.running() {
            self.gateway.stop(shard);
        }
        let shards = self.gateway.running().len();
        while !self.gateway.running().is_empty() {
            let (shard, ended) = self.gateway.next_end().await;
            self.ended(shard, ended);
            let others = self.stopped.len() * PART >= shards || self.gateway.running().is_empty();
            if others && tick::run(&self.store, self.tick_input(true)).await.is_ok() {
                self.stopped.clear();
                self.retired.clear();
            }
        }
        tracing::info!(gateway.shards = shards, "shards closed, sessions left resumable");
        let id = self.process.id.clone();
        let left = self.store.transaction("fleet_leave", move |tx| {
            Box::pin(async move {
                registry::lock(tx).await?;
                registry::remove(tx, &id).await?;
                registry::announce(tx).await
            })
        });
        if let Err(error) = left.await {
            tracing::warn!(%error, "the fleet could not be notified that this process leaves; it notices after fleet.lease_seconds");
        }
        end
    }
}
