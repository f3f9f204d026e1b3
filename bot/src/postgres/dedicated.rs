//! A connection of its own, outside of the pool, for a command that holds something for a while: a snapshot, a lock.

use tokio_postgres::Client;

use super::{
    StoreError,
    connect::{Target, process_name},
    error::{NO_ANSWER, one_line},
};
use crate::telemetry::task::{self, Task};

/// A connection; what it holds is given back when it is dropped.
pub(in crate::postgres) struct Dedicated {
    pub(in crate::postgres) client: Client,
    /// The place that answered, alone.
    pub(in crate::postgres) target: Target,
    connection: Task<()>,
}

impl Dedicated {
    /// Connect, under a name that says what for.
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

    /// Say goodbye to the server, which otherwise logs that the client went away.
    pub(in crate::postgres) async fn close(self) {
        let Self {
            client, connection, ..
        } = self;
        drop(client);
        connection.join().await;
    }
}
