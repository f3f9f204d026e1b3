//! A connection that has been taken from the pool.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use deadpool_postgres::Object;
use tokio::sync::OwnedSemaphorePermit;

use super::connect::Target;

/// Returns the connection to the pool when it is dropped, unless an answer is pending. A caller that stopped waiting, because of a time
/// limit or because it was dropped, does not know whether there still is a server. The connection is then closed, since the next caller
/// would wait for the same answer. The server would continue to run the statement and hold its locks, so it is asked to cancel it.
pub(super) struct Lease {
    connection: Option<Object>,
    /// The server to which a cancel request is sent.
    target: Target,
    state: State,
    /// Whether the pending answer is that of COMMIT, which is never cancelled: with a synchronous standby, cancelling would end the wait
    /// for the standby, and the transaction would only be committed on this server.
    commits: Arc<AtomicBool>,
    /// Its place in a part of the pool.
    _permit: Option<OwnedSemaphorePermit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Usable,
    /// An answer is pending.
    Waits,
    /// The answer shows that the connection is no longer usable.
    Useless,
}

impl Lease {
    pub(super) fn new(connection: Object, target: Target, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            connection: Some(connection),
            target,
            state: State::Usable,
            commits: Arc::default(),
            _permit: permit,
        }
    }

    /// An answer is pending from now on.
    pub(super) const fn begin(&mut self) {
        self.state = State::Waits;
    }

    /// A flag to set while the pending answer is that of COMMIT.
    pub(super) fn commits(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.commits)
    }

    /// The answer has arrived, and the connection may be reused.
    pub(super) const fn answered(&mut self) {
        self.state = State::Usable;
    }

    /// The answer has arrived, and the connection must not be reused.
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
                reason = "the caller has stopped waiting, and it ends after the target's timeout"
            )]
            drop(tokio::spawn(async move { target.cancel(token).await }));
        }
        // It is removed from the pool, which closes its socket.
        drop(Object::take(connection));
    }
}
