//! Metrics, log lines and traces.

pub mod logging;
pub mod metrics;
pub mod task;
pub mod traces;
