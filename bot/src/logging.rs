//! Log lines, on standard error: for people on a terminal, JSON for collectors anywhere else.
//!
//! The level can be changed while the process runs ([`set_level`]). Whatever it is, a library's statement parameters and payloads are
//! never written.

use std::{
    io::{IsTerminal as _, stderr},
    sync::{Mutex, OnceLock, PoisonError},
};

use thiserror::Error;
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::filter_fn, fmt, layer::SubscriberExt as _, reload,
    util::SubscriberInitExt as _,
};

use crate::{
    config::{Log, LogFormat},
    traces,
};

/// Libraries whose routine is not worth a line; the configured level can still name them.
const QUIET: &str = "refinery_core=warn,tokio_postgres=warn,opentelemetry=warn,opentelemetry_sdk=warn";

/// What is added to the log: where spans go.
pub type Also = Box<dyn Layer<Registry> + Send + Sync>;

/// What is logged now.
struct Levels {
    filter: reload::Handle<EnvFilter, Registry>,
    directives: Mutex<String>,
}

static LEVELS: OnceLock<Levels> = OnceLock::new();

/// Why the level cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LevelError {
    /// It is none.
    #[error(
        "found {0:?}, need error, warn, info, debug, trace or off, and target=level after commas, as in info,eventide::rest=debug"
    )]
    Unreadable(String),
    /// Nothing is logged by this process, or by another library.
    #[error("this process has no log of its own")]
    NoLog,
}

/// Install the process's log. A second call changes nothing.
pub fn install(log: &Log) {
    install_with(log, None);
}

/// The same, which hands spans to `also`.
pub fn install_with(log: &Log, also: Option<Also>) {
    let human = match log.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => stderr().is_terminal(),
    };
    let (filter, handle) = reload::Layer::new(filter(&log.level));
    let lines = fmt::layer().with_writer(stderr);
    let lines: Also = if human {
        let lines = lines.with_target(false).with_ansi(stderr().is_terminal());
        lines.with_filter(filter).with_filter(filter_fn(is_safe)).boxed()
    } else {
        let lines = lines.json().flatten_event(true);
        lines.with_filter(filter).with_filter(filter_fn(is_safe)).boxed()
    };
    let layers: Vec<Also> = also.into_iter().chain([lines]).collect();
    if tracing_subscriber::registry().with(layers).try_init().is_err() {
        tracing::debug!("a log was installed before");
        return;
    }
    let levels = Levels {
        filter: handle,
        directives: Mutex::new(log.level.clone()),
    };
    drop(LEVELS.set(levels));
}

/// What is logged now, as `log.level` would say it.
///
/// # Errors
///
/// [`LevelError::NoLog`].
pub fn level() -> Result<String, LevelError> {
    let levels = LEVELS.get().ok_or(LevelError::NoLog)?;
    let directives = levels.directives.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(directives.clone())
}

/// Log this from now on, until the process ends. Gives what was logged before, and what is logged now.
///
/// # Errors
///
/// Nothing has changed then.
pub fn set_level(directives: &str) -> Result<(String, String), LevelError> {
    let levels = LEVELS.get().ok_or(LevelError::NoLog)?;
    let read = Log::directives(directives).ok_or_else(|| LevelError::Unreadable(directives.to_owned()))?;
    let mut kept = levels.directives.lock().unwrap_or_else(PoisonError::into_inner);
    levels
        .filter
        .reload(filter(&read))
        .map_err(|_gone| LevelError::NoLog)?;
    let before = std::mem::replace(&mut *kept, read.clone());
    drop(kept);
    Ok((before, read))
}

fn filter(level: &str) -> EnvFilter {
    // Spans are for collectors of traces.
    EnvFilter::new(format!("{QUIET},{level},{}=off", traces::TARGET))
}

/// Whether it may be logged at any level: at these libraries' debug and trace levels there are the parameters of statements and the bytes
/// of requests, and so names, messages and tokens.
fn is_safe(metadata: &Metadata<'_>) -> bool {
    let of = |library: &str| {
        let rest = metadata.target().strip_prefix(library);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let most = if of("eventide") || of("discord_simulator") {
        Level::TRACE
    } else if of("tokio_postgres") {
        Level::INFO
    } else {
        Level::DEBUG
    };
    *metadata.level() <= most
}
