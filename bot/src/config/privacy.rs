//! `[privacy]`: data retention.

use std::time::Duration;

use crate::config::reader::{Reader, Whole};

const DAY: Duration = Duration::from_hours(24);

/// Data retention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privacy {
    /// How long the data of a server is kept after it removed the bot.
    pub retention: Duration,
}

impl Privacy {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("privacy", "Data retention.");
        let days: u32 = section.whole(Whole {
            name: "retention_days",
            default: 30,
            range: 1..=3_650,
            unit: "days",
            why: "How long a server's data is kept after it removed the bot; if the bot returns in time, nothing is lost.",
        });
        Self {
            retention: DAY * days,
        }
    }
}
