//! Log lines, on standard error: for people on a terminal, JSON for collectors anywhere else.
//!
//! Lines go through a bounded queue to a thread of their own, so a standard error that nobody reads (Ctrl-S, a log driver that hangs) holds
//! up nothing: lines that find the queue full are dropped and counted.
//!
//! The level can be changed while the process runs ([`set_level`]). Whatever it is, a library's statement parameters and payloads are
//! never written.

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
    EnvFilter, Layer, Registry,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    reload,
    util::SubscriberInitExt as _,
};

use crate::{
    config::{Log, LogFormat},
    telemetry::{metrics, traces},
};

/// Libraries whose routine is not worth a line; the configured level can still name them.
const QUIET: &str = "refinery_core=warn,tokio_postgres=warn,opentelemetry=warn,opentelemetry_sdk=warn";

/// Lines that wait to be written; the longest are some hundred bytes.
const QUEUED_LINES: usize = 4_096;

/// What is added to the log: where spans go.
pub type Also = Box<dyn Layer<Registry> + Send + Sync>;

/// What is logged now.
struct Levels {
    filter: reload::Handle<EnvFilter, Registry>,
    directives: Mutex<String>,
}

static LEVELS: OnceLock<Levels> = OnceLock::new();

/// What writes the lines, until [`flush`].
static WRITER: Mutex<Option<WorkerGuard>> = Mutex::new(None);

/// Lines dropped because the queue was full.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// How many of those were reported.
static REPORTED: AtomicUsize = AtomicUsize::new(0);

/// Why the level cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LevelError {
    /// It is none.
    #[error(
        "found {0:?}, expected error, warn, info, debug, trace or off, optionally followed by target=level after commas, as in info,eventide::discord::rest=debug"
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
    // One filter: two would each be asked again whenever a line is left out, which libraries do several times an event.
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

/// A queue to a thread that writes to `sink`. Lines that find it full are dropped.
fn queued(sink: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUED_LINES)
        .thread_name("log")
        .finish(sink)
}

/// Write what is queued, for a second at most, at the end of the process. Nothing is logged after it.
pub fn flush() {
    // Taken out first: dropping it waits.
    let guard = WRITER.lock().unwrap_or_else(PoisonError::into_inner).take();
    drop(guard);
}

/// Bring the metric of dropped lines up to date, and log how many were dropped since this was logged last.
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
        // If this line was dropped as well, it is tried again.
        if counter.dropped_lines() == dropped {
            REPORTED.store(dropped, Ordering::Relaxed);
        }
    }
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

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::mpsc::{Receiver, channel},
    };

    use super::{QUEUED_LINES, queued};

    /// A standard error that nobody reads: each write waits until the other end is dropped.
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
        // One line may be on its way to the sink.
        let dropped = counter.dropped_lines();
        assert!((QUEUED_LINES - 1..=QUEUED_LINES).contains(&dropped), "{dropped}");
        drop(release);
        drop(guard);
    }
}
