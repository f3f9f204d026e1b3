//! A connection outside of the pool, for a command that keeps a snapshot or a lock for some time.

use tokio_postgres::Client;

use super::{
    StoreError,
    connect::{Target, process_name},
    error::{NO_ANSWER, one_line},
};
use crate::telemetry::task::{self, Task};

/// A dedicated connection. Dropping it releases everything that its session holds.
pub(in crate::postgres) struct Dedicated {
    pub(in crate::postgres) client: Client,
    /// The target with only the server that answered.
    pub(in crate::postgres) target: Target,
    connection: Task<()>,
}

impl Dedicated {
    /// Connect, with the purpose in the application name.
    pub(in crate::postgres) async fn open(target: &Target, for_what: &str) -> Result<Self, StoreError> {
        let target = target.clone().with(|config| {
            config.application_name(process_name(for_what));
        });
        let patience = target.patience();
        let (client, driver, there) = tokio::time::timeout(patience, target.connect_and_stay())
            .await
            .map_err(|_elapsed| StoreError::Pool(NO_ANSWER.to_owned()))??;
        let connection = task::spawn("a command's connection", async {
            if let Err(error) = driver.await {
                tracing::debug!(error = one_line(&error), "a command's connection ended");
            }
        });
        Ok(Self {
            client,
            target: there,
            connection,
        })
    }

    /// Close the connection properly; otherwise the server logs that the client disconnected.
    pub(in crate::postgres) async fn close(self) {
        let Self {
            client, connection, ..
        } = self;
        drop(client);
        connection.join().await;
    }
}
