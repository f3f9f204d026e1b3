//! A connection of the pool while somebody has it.

use std::ops::{Deref, DerefMut};

use deadpool_postgres::Object;

/// Given back to the pool when dropped; but not in the middle of a statement. Whoever gave up waiting for an answer, by a limit or by
/// being dropped, does not know whether the connection still has anybody at its other end: it is closed instead, or the next
/// caller would wait for the same answer.
pub(super) struct Lease {
    connection: Option<Object>,
    waits: bool,
}

impl Lease {
    pub(super) const fn new(connection: Object) -> Self {
        Self {
            connection: Some(connection),
            waits: false,
        }
    }

    /// An answer is waited for from now on.
    pub(super) const fn begin(&mut self) {
        self.waits = true;
    }

    /// It came: the connection may be used again.
    pub(super) const fn answered(&mut self) {
        self.waits = false;
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
        if self.waits
            && let Some(connection) = self.connection.take()
        {
            // Out of the pool, and with that its socket is closed.
            drop(Object::take(connection));
        }
    }
}
