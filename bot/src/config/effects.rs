//! `[effects]`: how effects on Discord are delivered.

use std::time::Duration;

use crate::config::reader::{Reader, Whole};

const SECONDS_PER_HOUR: u64 = 3_600;
const SECONDS_PER_DAY: u64 = 86_400;

/// How effects on Discord are delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// The number of channels and members served concurrently.
    pub workers: usize,
    /// How long a worker keeps a channel or a member. After that time, other processes deliver the effects of a process that died. It has
    /// to be well below the minutes for which Discord remembers a nonce.
    pub lease: Duration,
    /// A message that could not be delivered for this long is abandoned.
    pub max_age: Duration,
    /// How long failed effects and their reasons are kept.
    pub keep_failed: Duration,
    /// The number of consecutive failures after which a server's announcements or rewards are switched off.
    pub failures_until_off: u32,
    /// The delay before a role that could not be given is retried.
    pub retry_blocked: Duration,
}

impl Effects {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section(
            "effects",
            "Delivery of announcements, roles and moderation actions.",
        );
        Self {
            workers: section.count(Whole {
                name: "workers",
                default: 64,
                range: 1..=1000,
                unit: "channels or members",
                why: "Channels and members served concurrently; a rate limit delays only the one that it concerns.",
            }),
            lease: section.seconds(Whole {
                name: "lease_seconds",
                default: 45,
                range: 5..=120,
                unit: "seconds",
                why: "Other processes take over the deliveries of a dead one after this; Discord detects duplicates for minutes only.",
            }),
            max_age: hours(section.whole(Whole {
                name: "max_age_hours",
                default: 24,
                range: 1..=720,
                unit: "hours",
                why: "A message that cannot be delivered for this long is given up; roles are tried for 30 days.",
            })),
            keep_failed: Duration::from_secs(
                u64::from(section.whole(Whole {
                    name: "keep_failed_days",
                    default: 7,
                    range: 1..=365,
                    unit: "days",
                    why: "How long failed deliveries are kept for `eventide effects --failed`.",
                })) * SECONDS_PER_DAY,
            ),
            failures_until_off: section.whole(Whole {
                name: "failures_until_off",
                default: 5,
                range: 1..=1000,
                unit: "failures",
                why: "Failures in a row that stop a server's rewards or a channel's announcements, with one notice in the log channel.",
            }),
            retry_blocked: section.seconds(Whole {
                name: "retry_blocked_seconds",
                default: 3600,
                range: 1..=86_400,
                unit: "seconds",
                why: "How often a role that the bot is not allowed to give is retried.",
            }),
        }
    }
}

fn hours(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours) * SECONDS_PER_HOUR)
}
