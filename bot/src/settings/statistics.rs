//! Whether a server has statistics. Several features count.

use serde::{Deserialize, Serialize};

use super::section::{
    Choices, Section,
    field::{Field, Kind},
};

/// The longest retention in days that can be chosen.
const MOST_DAYS: i64 = 3_650;

/// The settings of statistics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatisticsSettings {
    /// Whether anything is counted.
    pub(crate) enabled: bool,
    /// For how many days counts are kept; 0 for as long as the server has the bot.
    pub(crate) days: i64,
}

impl Choices for StatisticsSettings {
    const SECTION: Section = Section::of::<Self>(
        "statistics",
        &[
            Field::new("enabled", Kind::Switch),
            Field::new("days", Kind::Limit(MOST_DAYS)),
        ],
    );
}

impl Default for StatisticsSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            days: 90,
        }
    }
}
