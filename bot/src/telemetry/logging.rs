//! Logging to standard error: readable lines on a terminal, JSON elsewhere.
//!
//! Lines go through a bounded queue to a separate thread, so a blocked standard error (Ctrl-S, a log driver that hangs) delays nothing:
//! lines that find the queue full are dropped and counted.
//!
//! The level can be changed while the process runs ([`set_level`]). Regardless of the level, the statement parameters and payloads of
//! libraries are never logged.

use std::{
    io::{IsTerminal as _, Write, stderr},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use thiserror::Error;
use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    Layer, Registry,
    filter::{FilterExt as _, Targets, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    reload,
    util::SubscriberInitExt as _,
};

use crate::{
    config::{Log, LogFormat},
    telemetry::{metrics, traces},
};

/// Libraries whose routine messages are not useful; the configured level can still name them.
const QUIET: &str = "refinery_core=warn,tokio_postgres=warn,opentelemetry=warn,opentelemetry_sdk=warn";

/// Capacity of the queue in lines; the longest lines have some hundred bytes.
const QUEUED_LINES: usize = 4_096;

/// An additional layer, which receives spans.
pub type Also = Box<dyn Layer<Registry> + Send + Sync>;

/// The active log level.
struct Levels {
    filter: reload::Handle<Targets, Registry>,
    directives: Mutex<String>,
}

static LEVELS: OnceLock<Levels> = OnceLock::new();

/// The thread that writes lines, until [`flush`].
static WRITER: Mutex<Option<WorkerGuard>> = Mutex::new(None);

/// Lines dropped because the queue was full.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// The number of dropped lines already reported.
static REPORTED: AtomicUsize = AtomicUsize::new(0);

/// Why the level cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LevelError {
    /// The level is invalid.
    #[error(
        "found {0:?}, expected error, warn, info, debug, trace or off, optionally followed by target=level after commas, as in info,eventide::discord::rest=debug"
    )]
    Unreadable(String),
    /// This process has no log, or another library has installed one.
    #[error("this process has no log of its own")]
    NoLog,
}

/// Install the process's log. Further calls have no effect.
pub fn install(log: &Log) {
    install_with(log, None);
}

/// Like [`install`], and pass spans to `also`.
pub fn install_with(log: &Log, also: Option<Also>) {
    let human = match log.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => stderr().is_terminal(),
    };
    let (filter, handle) = reload::Layer::new(filter(&log.level));
    // A single filter: with two, each would be evaluated again for every suppressed line, which libraries emit several times per event.
    let filter = filter.and(filter_fn(is_safe));
    let (writer, guard) = queued(stderr());
    let dropped = writer.error_counter();
    let lines = fmt::layer().with_writer(writer);
    let lines: Also = if human {
        let lines = lines.with_target(false).with_ansi(stderr().is_terminal());
        lines.with_filter(filter).boxed()
    } else {
        let lines = lines.json().flatten_event(true);
        lines.with_filter(filter).boxed()
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
    drop(DROPPED.set(dropped));
    *WRITER.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
}

/// A queue to a thread that writes to `sink`. Lines are dropped if it is full.
fn queued(sink: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUED_LINES)
        .thread_name("log")
        .finish(sink)
}

/// Write queued lines, for at most a second, at the end of the process. Nothing is logged afterwards.
pub fn flush() {
    // Taken out first, since dropping it blocks.
    let guard = WRITER.lock().unwrap_or_else(PoisonError::into_inner).take();
    drop(guard);
}

/// Update the metric of dropped lines, and log how many were dropped since the last report.
pub(crate) fn report_dropped() {
    let Some(counter) = DROPPED.get() else {
        return;
    };
    let dropped = counter.dropped_lines();
    metrics::log_lines_dropped_total().absolute(dropped as u64);
    let reported = REPORTED.load(Ordering::Relaxed);
    if dropped > reported {
        tracing::warn!(
            log.lines = dropped - reported,
            "log lines were dropped, because standard error was not read"
        );
        // If this line was dropped too, the next call reports again.
        if counter.dropped_lines() == dropped {
            REPORTED.store(dropped, Ordering::Relaxed);
        }
    }
}

/// The active level, in the form of `log.level`.
///
/// # Errors
///
/// [`LevelError::NoLog`].
pub fn level() -> Result<String, LevelError> {
    let levels = LEVELS.get().ok_or(LevelError::NoLog)?;
    let directives = levels.directives.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(directives.clone())
}

/// Change the level until the process ends. Returns the previous and the new level.
///
/// # Errors
///
/// The level has not changed.
pub fn set_level(directives: &str) -> Result<(String, String), LevelError> {
    let levels = LEVELS.get().ok_or(LevelError::NoLog)?;
    if Log::targets(directives).is_none() {
        return Err(LevelError::Unreadable(directives.to_owned()));
    }
    let mut kept = levels.directives.lock().unwrap_or_else(PoisonError::into_inner);
    levels
        .filter
        .reload(filter(directives))
        .map_err(|_gone| LevelError::NoLog)?;
    Ok((
        std::mem::replace(&mut *kept, directives.to_owned()),
        directives.to_owned(),
    ))
}

fn filter(level: &str) -> Targets {
    // Spans are only for trace collectors.
    Log::targets(&format!("{QUIET},{level},{}=off", traces::TARGET)).expect("levels that were validated")
}

/// Whether it may be logged at any level: at debug and trace level these libraries log statement parameters and request bodies, and so
/// names, messages and tokens.
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

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::mpsc::{Receiver, channel},
    };

    use super::{QUEUED_LINES, queued};

    /// A blocked standard error: each write waits until the other end is dropped.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _released = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_is_stuck_holds_up_nobody_and_counts_what_it_drops() {
        let (release, stuck) = channel();
        let (mut writer, guard) = queued(Stuck(stuck));
        let counter = writer.error_counter();
        for _ in 0..2 * QUEUED_LINES {
            writer.write_all(b"a line\n").expect("it is taken or dropped");
        }
        // One line may already be on its way to the sink.
        let dropped = counter.dropped_lines();
        assert!((QUEUED_LINES - 1..=QUEUED_LINES).contains(&dropped), "{dropped}");
        drop(release);
        drop(guard);
    }
}
