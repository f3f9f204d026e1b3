//! `[process]`: the lifetime of the process.

use std::time::Duration;

use crate::config::reader::{Reader, Whole};

/// The lifetime of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The maximum duration of a clean shutdown after SIGTERM or SIGINT. What is not finished by then is aborted, and replayed at the next
    /// start.
    ///
    /// The default is 25 seconds: Kubernetes kills 30 seconds after SIGTERM, and the private PostgreSQL needs the rest. Docker kills after
    /// 10 seconds unless `stop_grace_period` is set. A shutdown takes this long only if the database is unavailable.
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
