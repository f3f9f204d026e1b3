//! Direct access to the database.

use std::collections::BTreeSet;

use discord_simulator::Simulator;
use eventide::{
    postgres::{
        Statement, Store,
        connect::{Driver, Target},
    },
    telemetry::task,
};
use tokio_postgres::Client;

use super::until;

/// Wait until each shard has a session that is written down. A bot that ends before cannot resume a session that it has not written
/// down, whatever it has received by then.
pub(crate) async fn every_session_is_stored(discord: &Simulator, store: &Store) {
    let statement = Statement::new(
        "every_session_is_stored",
        &[],
        "SELECT session_id FROM shard_checkpoint WHERE session_id IS NOT NULL",
    );
    until("each shard has a session that is written down", async || {
        let rows = store.query(statement, &[]).await.ok()?;
        let stored: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        let sessions = discord.control().sessions();
        let shards: BTreeSet<u32> = sessions
            .iter()
            .filter(|session| session.alive && stored.contains(&session.id))
            .map(|session| session.shard[0])
            .collect();
        (shards.len() == discord.config().shards as usize).then_some(())
    })
    .await;
}

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

    /// Wait until a shard's session is written down: one that is not would not be resumed.
    pub(crate) async fn has_a_checkpoint(&self) {
        until("a session is written down", async || {
            let sql = "SELECT count(*) FROM shard_checkpoint WHERE session_id IS NOT NULL";
            let row = self.client.query_one(sql, &[]).await.expect("counted");
            (row.get::<_, i64>(0) > 0).then_some(())
        })
        .await;
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.client.batch_execute(sql).await.expect(sql);
    }

    /// Make the timers of a kind due, and tell the processes: on their own they look after 20 s. Returns the number of timers.
    pub(crate) async fn make_due(&self, kind: &str) -> i64 {
        let sql = "WITH due AS (
                       UPDATE timer SET due_at = now() - interval '1 second', ready_at = now(), claim = NULL WHERE kind = $1 RETURNING 1
                   )
                   SELECT count(*), pg_notify('eventide_fleet', current_schema() || ' @timers') FROM due";
        self.client
            .query_one(sql, &[&kind])
            .await
            .expect("made due")
            .get(0)
    }

    pub(crate) async fn close(self) {
        drop(self.client);
        self.driver.join().await.expect("joined").expect("a clean end");
    }
}
