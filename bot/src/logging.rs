//! Log lines, on standard error: for people on a terminal, JSON for collectors anywhere else.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::config::{Log, LogFormat};

/// Libraries whose routine is not worth a line; the configured level can still name them.
/// At its debug level tokio-postgres would log the parameters of statements.
const QUIET: &str = "refinery_core=warn,tokio_postgres=warn";

/// Install the process's log. A second call changes nothing.
pub fn install(log: &Log) {
    let human = match log.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => stderr().is_terminal(),
    };
    let filter = EnvFilter::new(format!("{QUIET},{}", log.level));
    let registry = tracing_subscriber::registry().with(filter);
    let installed = if human {
        let lines = fmt::layer()
            .with_writer(stderr)
            .with_target(false)
            .with_ansi(stderr().is_terminal());
        registry.with(lines).try_init()
    } else {
        let lines = fmt::layer().with_writer(stderr).json().flatten_event(true);
        registry.with(lines).try_init()
    };
    if installed.is_err() {
        tracing::debug!("a log was installed before");
    }
}
