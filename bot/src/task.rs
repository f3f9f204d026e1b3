//! Tasks with a name, each awaited by somebody.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::task::{JoinError, JoinHandle};

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
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where tasks begin"
    )]
    let handle = tokio::spawn(future);
    Task { name, handle }
}

impl<T> Task<T> {
    /// Wait until the task ends. `None` if it panicked or was aborted, which is logged here.
    pub async fn join(mut self) -> Option<T> {
        std::future::poll_fn(|cx| self.poll_join(cx)).await
    }

    /// [`Task::join`] for those who wait for several at once. Not to be polled again after it was ready.
    pub fn poll_join(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.handle).poll(cx).map(|ended| match ended {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(&error);
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

    fn report(&self, error: &JoinError) {
        if error.is_panic() {
            // The panic's own message may quote data; the hook has printed where it was.
            tracing::error!(task = self.name, "a task panicked; this is a bug");
        } else {
            tracing::debug!(task = self.name, "task aborted");
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.handle.abort();
    }
}
