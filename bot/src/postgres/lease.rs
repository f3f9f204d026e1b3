//! A connection of the pool while somebody has it.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use deadpool_postgres::Object;

use super::connect::Target;

/// Given back to the pool when dropped; but not in the middle of a statement. Whoever gave up waiting for an answer, by a limit or by
/// being dropped, does not know whether the connection still has anybody at its other end: it is closed instead, or the next
/// caller would wait for the same answer. The server would run the statement to its end all the same, with its locks, so it is asked
/// to cancel it.
pub(super) struct Lease {
    connection: Option<Object>,
    /// Where to cancel.
    target: Target,
    state: State,
    /// Whether the answer that is waited for is COMMIT's. It is never cancelled: with a synchronous standby that would end the wait for
    /// it, and the transaction would be committed on this server only.
    commits: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Usable,
    /// An answer is waited for.
    Waits,
    /// The answer is that the connection is of no use any more.
    Useless,
}

impl Lease {
    pub(super) fn new(connection: Object, target: Target) -> Self {
        Self {
            connection: Some(connection),
            target,
            state: State::Usable,
            commits: Arc::default(),
        }
    }

    /// An answer is waited for from now on.
    pub(super) const fn begin(&mut self) {
        self.state = State::Waits;
    }

    /// To be set when the answer that is waited for is COMMIT's.
    pub(super) fn commits(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.commits)
    }

    /// It came: the connection may be used again.
    pub(super) const fn answered(&mut self) {
        self.state = State::Usable;
    }

    /// It came, and the connection is not to be used again.
    pub(super) const fn dismiss(&mut self) {
        self.state = State::Useless;
    }
}

impl Deref for Lease {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.connection.as_ref().expect("it is there until it is dropped")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Object {
        self.connection.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.state == State::Usable {
            return;
        }
        let Some(connection) = self.connection.take() else {
            return;
        };
        let waits = self.state == State::Waits && !self.commits.load(Ordering::Relaxed);
        if waits && !connection.is_closed() && tokio::runtime::Handle::try_current().is_ok() {
            let (token, target) = (connection.cancel_token(), self.target.clone());
            #[expect(
                clippy::disallowed_methods,
                reason = "whoever gave up does not wait for it, and it ends after the target's patience"
            )]
            drop(tokio::spawn(async move { target.cancel(token).await }));
        }
        // Out of the pool, and with that its socket is closed.
        drop(Object::take(connection));
    }
}
