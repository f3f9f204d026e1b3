//! A look at the database past the bot.

use eventide::{
    store::connect::{Driver, Target},
    task,
};
use tokio_postgres::Client;

/// A session that is not the bot's.
pub(crate) struct Session {
    pub(crate) client: Client,
    driver: task::Task<Result<(), tokio_postgres::Error>>,
}

impl Session {
    pub(crate) async fn open(target: &Target) -> Self {
        let (client, driver) = target.connect().await.expect("a connection");
        Self::of(client, driver)
    }

    pub(crate) fn of(client: Client, driver: Driver) -> Self {
        Self {
            client,
            driver: task::spawn("session", driver),
        }
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.client.batch_execute(sql).await.expect(sql);
    }

    pub(crate) async fn close(self) {
        drop(self.client);
        self.driver.join().await.expect("joined").expect("a clean end");
    }
}
