//! `[fleet]`: how several processes share the shards.

use std::time::Duration;

use crate::config::reader::{Reader, Whole};

/// How several processes share the shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// The other processes take over the shards of a process that is silent for this long.
    pub lease: Duration,
    /// This process's share of the shards, relative to the other processes.
    pub capacity: u32,
}

impl Fleet {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("fleet", "How several processes share the shards.");
        Self {
            lease: section.seconds(Whole {
                name: "lease_seconds",
                default: 15,
                range: 2..=300,
                unit: "seconds",
                why: "A process that is silent for this long loses its shards; it must exceed the longest pause of a host.",
            }),
            capacity: section.whole(Whole {
                name: "capacity",
                default: 1,
                range: 1..=1000,
                unit: "parts",
                why: "This process's share of the shards relative to other processes; 2 gets twice as many as 1.",
            }),
        }
    }
}
