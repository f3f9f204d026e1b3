//! Further addresses of the same database: without a pooler, and of a replica.

use std::time::Duration;

use super::url_fault;
use crate::config::{
    Secret,
    guarded::Guarded,
    reader::{Section, Text, Whole},
};

const ADDRESS: &str = "postgresql://user:password@host:port/database or libpq's key=value form";

/// Addresses of the database besides `url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routes {
    /// The pooler at `url` and `read_url`.
    pub pooler: Pooler,
    /// The address without the pooler, for whatever needs a session, such as migrations.
    pub direct_url: Option<Secret>,
    /// A replica for leaderboards and ranks.
    pub read_url: Option<Secret>,
    /// A replica that is further behind is not used.
    pub read_max_lag: Duration,
}

/// The kind of pooler between the bot and PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooler {
    /// No pooler, or one in session mode.
    None,
    /// A pooler that may run each transaction in a different session.
    Transaction,
}

impl Routes {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            pooler: section.text(
                &Text {
                    name: "pooler",
                    default: "none",
                    allowed: "\"none\" or \"transaction\"",
                    why: "\"transaction\" if url leads to PgBouncer or another pooler in transaction mode; requires direct_url.",
                },
                |text| match text {
                    "none" => Some(Pooler::None),
                    "transaction" => Some(Pooler::Transaction),
                    _ => None,
                },
            ),
            direct_url: section.secret(&Guarded {
                name: "direct_url",
                file: "direct_url_file",
                variable: "DATABASE_DIRECT_URL",
                allowed: ADDRESS,
                why: "Address of the same database without the pooler, for migrations, notifications and locks.",
                fault: url_fault,
            }),
            read_url: section.secret(&Guarded {
                name: "read_url",
                file: "read_url_file",
                variable: "DATABASE_READ_URL",
                allowed: ADDRESS,
                why: "A replica for leaderboards and ranks; the primary is used while it does not answer.",
                fault: url_fault,
            }),
            read_max_lag: section.seconds(Whole {
                name: "read_max_lag_seconds",
                default: 30,
                range: 1..=3600,
                unit: "seconds",
                why: "While the replica is further behind, or is no standby of this database, reads go to the primary.",
            }),
        }
    }
}
