//! Named tasks, each with an awaiter.
//!
//! A panic is logged and counted at once, whether or not the task is awaited. Its consequence depends on the kind of task:
//!
//! - [`spawn`]: the awaiter receives no result.
//! - [`spawn_essential`]: the process cannot work without it, so it exits ([`essential_failure`]) and is restarted.
//! - [`spawn_restarted`]: it restarts after a pause, since the rest works without it.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::FutureExt as _;
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle},
};

use crate::{support::backoff::Backoff, telemetry::metrics};

/// The pauses between restarts of a task that panics repeatedly.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(10));

/// The first essential task that panicked.
static FAILED: LazyLock<watch::Sender<Option<&'static str>>> = LazyLock::new(|| watch::Sender::new(None));

/// A running task. Dropping the handle aborts the task, so that none runs without an awaiter.
#[derive(Debug)]
pub struct Task<T> {
    name: &'static str,
    handle: JoinHandle<T>,
}

/// Run `future` as a task called `name`.
pub fn spawn<T, F>(name: &'static str, future: F) -> Task<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    supervised(name, future, || ())
}

/// Run `future` as a task without which the process cannot do its work.
pub fn spawn_essential<T, F>(name: &'static str, future: F) -> Task<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    supervised(name, future, move || {
        FAILED.send_if_modified(|failed| failed.replace(name).is_none());
    })
}

/// Run `future`; if it panics, call `failed` before the task ends.
fn supervised<T, F>(name: &'static str, future: F, failed: impl FnOnce() + Send + 'static) -> Task<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    start(name, async move {
        match observed(name, future).await {
            Ok(value) => value,
            Err(panic) => {
                failed();
                std::panic::resume_unwind(panic)
            }
        }
    })
}

/// Run the future made by `begin`, and again after a pause whenever it panics, until it completes.
pub fn spawn_restarted<F>(name: &'static str, begin: impl Fn() -> F + Send + 'static) -> Task<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    start(name, async move {
        let mut backoff = Backoff::between(PAUSES.0, PAUSES.1);
        while observed(name, begin()).await.is_err() {
            tokio::time::sleep(backoff.pause()).await;
        }
    })
}

/// Wait until an essential task of the process panics. Returns its name.
pub async fn essential_failure() -> &'static str {
    let mut failed = FAILED.subscribe();
    let name = failed.wait_for(Option::is_some).await.ok().and_then(|name| *name);
    match name {
        Some(name) => name,
        // The sender is never dropped.
        None => std::future::pending().await,
    }
}

fn start<T: Send + 'static>(name: &'static str, future: impl Future<Output = T> + Send + 'static) -> Task<T> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where tasks begin"
    )]
    let handle = tokio::spawn(future);
    Task { name, handle }
}

/// Log and count a panic of `future`.
///
/// # Errors
///
/// It panicked.
pub(crate) async fn observed<T>(
    name: &'static str,
    future: impl Future<Output = T>,
) -> std::thread::Result<T> {
    // A partial state in the future is dropped with it; shared state is behind locks that detect poisoning.
    let ended = AssertUnwindSafe(future).catch_unwind().await;
    if ended.is_err() {
        metrics::tasks_panicked_total(name).increment(1);
        // The panic's message may contain data; the hook has printed its location.
        tracing::error!(
            task = name,
            "a task panicked; this is a bug, please report it with the log"
        );
    }
    ended
}

impl<T> Task<T> {
    /// Wait until the task ends. `None` if it panicked or was aborted.
    pub async fn join(mut self) -> Option<T> {
        std::future::poll_fn(|cx| self.poll_join(cx)).await
    }

    /// [`Task::join`] for waiting for several tasks. Must not be polled after it was ready.
    pub fn poll_join(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.handle).poll(cx).map(|ended| match ended {
            Ok(value) => Some(value),
            Err(error) => {
                self.note_abort(&error);
                None
            }
        })
    }

    /// The task's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    fn note_abort(&self, error: &JoinError) {
        if error.is_cancelled() {
            tracing::debug!(task = self.name, "task aborted");
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::{essential_failure, spawn, spawn_essential, spawn_restarted};

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_restarted_until_it_ends() {
        let begun = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&begun);
        let task = spawn_restarted("restarted", move || {
            let counted = Arc::clone(&counted);
            async move {
                assert!(counted.fetch_add(1, Ordering::Relaxed) >= 2, "not yet");
            }
        });
        assert_eq!(task.join().await, Some(()));
        assert_eq!(begun.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn an_essential_task_that_panics_is_reported() {
        // The panic of a task that is not essential has no effect here.
        assert_eq!(
            spawn("other", async { panic!("on purpose") }).join().await,
            None::<()>
        );
        let task = spawn_essential("essential", async { panic!("on purpose") });
        assert_eq!(essential_failure().await, "essential");
        assert_eq!(task.join().await, None::<()>);
    }
}
