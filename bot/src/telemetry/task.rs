//! Tasks with a name, each awaited by somebody.
//!
//! A panic is logged and counted at once, with or without an awaiter of the task. What becomes of the process depends on what the task is for:
//!
//! - [`spawn`]: its awaiter sees that it has no result.
//! - [`spawn_essential`]: the process cannot do its work without it, so it ends ([`essential_failure`]), and is started again.
//! - [`spawn_restarted`]: it begins again after a pause, since the rest works without it.

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

/// Between two starts of a task that panics again and again.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(10));

/// The first essential task that panicked.
static FAILED: LazyLock<watch::Sender<Option<&'static str>>> = LazyLock::new(|| watch::Sender::new(None));

/// A running task. Dropping the handle aborts the task: nothing runs on that nobody waits for.
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

/// Run `future`, and `failed` before its panic goes on to the task's end.
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

/// Run what `begin` makes, and again after a pause whenever it panics, until it ends by itself.
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
    // What a panic leaves half done in the future is dropped with it; what is shared is behind locks that know of it.
    let ended = AssertUnwindSafe(future).catch_unwind().await;
    if ended.is_err() {
        metrics::tasks_panicked_total(name).increment(1);
        // The panic's own message may quote data; the hook has printed where it was.
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

    /// [`Task::join`] for those who wait for several at once. Not to be polled again after it was ready.
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
    async fn an_essential_task_that_panics_is_told() {
        // Another task's panic is nobody else's matter.
        assert_eq!(
            spawn("other", async { panic!("on purpose") }).join().await,
            None::<()>
        );
        let task = spawn_essential("essential", async { panic!("on purpose") });
        assert_eq!(essential_failure().await, "essential");
        assert_eq!(task.join().await, None::<()>);
    }
}
