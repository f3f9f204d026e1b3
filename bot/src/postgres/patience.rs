//! How long somebody waits for PostgreSQL.

use std::time::Duration;

use super::Store;

impl Store {
    /// The same store, which gives a connection up when a statement has no answer within `limit`, and the statement with it.
    ///
    /// The kernel gives up a connection whose other end does not acknowledge. This is for one whose other end does and says nothing, such
    /// as a proxy in front of a server that is gone.
    #[must_use]
    pub(crate) fn answering_within(mut self, limit: Duration) -> Self {
        self.patience = self.usual_patience.min(limit);
        self
    }

    /// The same store without [`Store::answering_within`]: for work that takes its time.
    #[must_use]
    pub(crate) fn unhurried(mut self) -> Self {
        self.patience = self.usual_patience;
        self
    }
}
