//! Starting tasks by name.

use std::future::Future;

use tokio::task::JoinHandle;
use tracing::Instrument as _;

/// Starts a task that the caller awaits or aborts.
pub(crate) fn spawn<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that starts tasks; each has a name and an owner"
    )]
    tokio::spawn(future.instrument(tracing::debug_span!("task", name)))
}
