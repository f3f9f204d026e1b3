//! `[ledger]`: what is gathered in memory between two transactions.

use std::time::Duration;

use crate::config::reader::{Reader, Whole};

const BYTES_PER_MIB: usize = 1024 * 1024;

/// What is gathered in memory between two transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Time between two flushes of the process's shards; under load they use every second one.
    pub flush_interval: Duration,
    /// Pending rows of one shard that cause a flush at once.
    pub flush_rows: usize,
    /// Bound of all pending changes together, in bytes. A shard whose changes find no room closes resumably
    /// and comes back.
    pub max_memory_bytes: usize,
    /// A shard with nothing to write stores its checkpoint this often; never below `flush_interval`.
    pub checkpoint_interval: Duration,
    /// Transactions in flight at once; always fewer than `database.pool_size`.
    pub writers: usize,
    /// Members whose last award the process remembers, 24 bytes each.
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
                why: "Changes are written this often, under load half as often; longer writes fewer rows, shorter shows them sooner.",
            }),
            flush_rows: section.count(Whole {
                name: "flush_rows",
                default: 10_000,
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
                why: "How often an idle shard stores its position, so that a restart has little to replay.",
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
