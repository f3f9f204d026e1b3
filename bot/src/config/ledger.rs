//! `[ledger]`: changes collected in memory between two transactions.

use std::time::Duration;

use crate::config::reader::{Reader, Whole};

const BYTES_PER_MIB: usize = 1024 * 1024;

/// Changes collected in memory between two transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The time between two flushes of the process's shards. Under load they skip every other one.
    pub flush_interval: Duration,
    /// The number of pending rows of one shard that triggers a flush.
    pub flush_rows: usize,
    /// The maximum size of all pending changes, in bytes. A shard whose changes do not fit closes its connection resumably and resumes
    /// later.
    pub max_memory_bytes: usize,
    /// How often a shard without changes stores its checkpoint; never less than `flush_interval`.
    pub checkpoint_interval: Duration,
    /// The number of concurrent write transactions, always less than `database.pool_size`.
    pub writers: usize,
    /// The number of members whose last award is cached, 24 bytes each.
    pub member_cache_entries: usize,
}

impl Ledger {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("ledger", "Changes collected in memory between two transactions.");
        let ledger = Self {
            flush_interval: section.milliseconds(Whole {
                name: "flush_interval_ms",
                default: 250,
                range: 10..=10_000,
                unit: "milliseconds",
                why: "Time between two writes, under load up to three times as long; longer writes fewer rows, shorter shows them sooner.",
            }),
            flush_rows: section.count(Whole {
                name: "flush_rows",
                default: 15_000,
                range: 1..=1_000_000,
                unit: "rows",
                why: "A shard with this many changed rows writes immediately, which bounds the length of a transaction.",
            }),
            max_memory_bytes: section
                .count(Whole {
                    name: "max_memory_mib",
                    default: 64,
                    range: 1..=65_536,
                    unit: "MiB",
                    why: "Memory for changes that wait while PostgreSQL is unavailable; shards pause when it is full.",
                })
                .saturating_mul(BYTES_PER_MIB),
            checkpoint_interval: section.milliseconds(Whole {
                name: "checkpoint_interval_ms",
                default: 5000,
                range: 100..=60_000,
                unit: "milliseconds",
                why: "How often an idle shard stores its checkpoint, so that a restart has little to replay.",
            }),
            writers: section.count(Whole {
                name: "writers",
                default: 2,
                range: 1..=16,
                unit: "transactions",
                why: "Concurrent write transactions; more helps only if PostgreSQL has CPU and disk capacity to spare.",
            }),
            member_cache_entries: section.count(Whole {
                name: "member_cache_entries",
                default: 1_000_000,
                range: 1000..=100_000_000,
                unit: "members",
                why: "Members whose last award is cached, 24 bytes each; for others it is read from the database.",
            }),
        };
        if ledger.checkpoint_interval < ledger.flush_interval {
            reader.impossible(
                [
                    ("ledger", "checkpoint_interval_ms"),
                    ("ledger", "flush_interval_ms"),
                ],
                format!(
                    "checkpoint_interval_ms {} below flush_interval_ms {}",
                    ledger.checkpoint_interval.as_millis(),
                    ledger.flush_interval.as_millis()
                ),
                "checkpoint_interval_ms at least as long as flush_interval_ms",
            );
        }
        ledger
    }
}
