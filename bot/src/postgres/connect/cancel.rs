//! Cancelling the statement that a connection is running.

use tokio_postgres::{CancelToken, NoTls};

use super::Target;
use crate::postgres::error::one_line;

impl Target {
    /// Ask the server to cancel a connection's statement, over a second connection with the same encryption. The statement may have ended
    /// in the meantime.
    pub(in crate::postgres) async fn cancel(&self, token: CancelToken) {
        let cancelled = async {
            match &self.tls {
                Some(tls) => token.cancel_query(tls.clone()).await,
                None => token.cancel_query(NoTls).await,
            }
        };
        match tokio::time::timeout(self.patience, cancelled).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(
                error = one_line(&error),
                "a statement could not be cancelled after its timeout"
            ),
            Err(_elapsed) => tracing::debug!("cancelling a statement after its timeout took too long"),
        }
    }
}
