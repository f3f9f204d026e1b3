//! `[process]`: the process's own life.

use std::time::Duration;

use crate::config::reader::{Reader, Whole};

/// The process's own life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Longest drain after SIGTERM or SIGINT; what is not done by then is cut off and replayed at the next
    /// start.
    ///
    /// 25 seconds by default: Kubernetes kills 30 seconds after SIGTERM, and the private PostgreSQL wants the
    /// rest. Docker kills after 10 unless `stop_grace_period` says otherwise; a drain takes so long only
    /// while the database is away.
    pub shutdown_timeout: Duration,
}

impl Process {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("process", "Shutdown.");
        Self {
            shutdown_timeout: section.seconds(Whole {
                name: "shutdown_timeout_seconds",
                default: 25,
                range: 1..=3600,
                unit: "seconds",
                why: "Time limit for a clean shutdown; keep it below Kubernetes' grace period of 30 seconds.",
            }),
        }
    }
}
