//! `[gateway]`: the connections to Discord's gateway.

use std::{ops::RangeInclusive, time::Duration};

use crate::config::reader::{Reader, Special, Whole, in_range};

/// Discord's maximum is not documented. These values fit its formula for shards and twilight's types with a wide margin.
const SHARD_COUNT: RangeInclusive<u32> = 1..=65_535;

/// Connections to the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The total number of shards.
    pub shard_count: ShardCount,
    /// The maximum delay between two connection attempts.
    pub max_backoff: Duration,
    /// How long Discord may take to answer an IDENTIFY or RESUME.
    pub ready_timeout: Duration,
}

/// The total number of shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardCount {
    /// The recommendation of `GET /gateway/bot` at startup.
    Auto,
    /// A fixed number, 1 to 65,535.
    Fixed(u32),
}

impl Gateway {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("gateway", "Connections to Discord's gateway.");
        let (least, most) = (SHARD_COUNT.start(), SHARD_COUNT.end());
        Self {
            shard_count: section.special(
                Special {
                    name: "shard_count",
                    default: ShardCount::Auto,
                    written: "\"auto\"",
                    allowed: format!("\"auto\" or a whole number of shards, {least} to {most}"),
                    why: "Number of shards of the whole bot; \"auto\" follows Discord's recommendation, one per 1,000 servers or so.",
                },
                |input| match input.whole() {
                    Some(number) => in_range(number, &SHARD_COUNT).map(ShardCount::Fixed),
                    None => (input.text()? == "auto").then_some(ShardCount::Auto),
                },
            ),
            max_backoff: section.seconds(Whole {
                name: "max_backoff_seconds",
                default: 60,
                range: 1..=3600,
                unit: "seconds",
                why: "Longest pause between connection attempts; a short one uses up identifies during a Discord outage.",
            }),
            ready_timeout: section.seconds(Whole {
                name: "ready_timeout_seconds",
                default: 30,
                range: 1..=600,
                unit: "seconds",
                why: "A connection is closed if Discord answers neither IDENTIFY nor RESUME for this long.",
            }),
        }
    }
}
