//! `[gateway]`: the connections to Discord's gateway.

use std::{ops::RangeInclusive, time::Duration};

use crate::config::reader::{Reader, Special, Whole, in_range};

/// Discord's own bound is not documented; this is what its shard formula and twilight's types can hold with
/// room to spare.
const SHARD_COUNT: RangeInclusive<u32> = 1..=65_535;

/// Connections to the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// How many shards the bot has in all.
    pub shard_count: ShardCount,
    /// Longest wait between two attempts to connect.
    pub max_backoff: Duration,
    /// How long Discord may take to answer an IDENTIFY or RESUME.
    pub ready_timeout: Duration,
}

/// How many shards the bot has in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardCount {
    /// What `GET /gateway/bot` recommends at the start.
    Auto,
    /// This many, 1 to 65535.
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
