//! The memory budget for data that waits for the database, shared by all shards of the process.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes in ledgers and in batches in progress, against a limit.
#[derive(Debug)]
pub struct Memory {
    used: AtomicUsize,
    limit: usize,
}

impl Memory {
    /// A budget of `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            limit,
        }
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Bytes that may be in use.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Whether the limit is reached: a shard that sees this stops reading. Each shard can exceed it by one event at most.
    pub fn is_full(&self) -> bool {
        self.used() >= self.limit
    }

    /// Whether a stopped shard may read again: only when half is free, so that it does not stop again at once.
    pub fn has_room(&self) -> bool {
        self.used() <= self.limit / 2
    }

    pub(super) fn charge(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn release(&self, bytes: usize) {
        let before = self.used.fetch_sub(bytes, Ordering::Relaxed);
        debug_assert!(before >= bytes, "released {bytes} bytes of {before}");
    }
}
