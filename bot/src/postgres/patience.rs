//! Time limits for answers from PostgreSQL.

use std::time::Duration;

use super::Store;

impl Store {
    /// The same store with a time limit for each answer, after which the statement is cancelled and the connection is closed.
    ///
    /// The kernel closes a connection whose other end does not acknowledge data. This is for an end that acknowledges but does not answer,
    /// such as a proxy in front of a server that is gone.
    #[must_use]
    pub(crate) fn answering_within(mut self, limit: Duration) -> Self {
        self.patience = self.usual_patience.min(limit);
        self
    }

    /// The same store without the limit of [`Store::answering_within`], for long operations.
    #[must_use]
    pub(crate) fn unhurried(mut self) -> Self {
        self.patience = self.usual_patience;
        self
    }
}
