//! Injects a fault every few seconds. None of them may lose an event.

use std::time::Duration;

use discord_simulator::Control;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};

use crate::{
    postgres::{
        database::DatabaseError,
        embedded::{PrivatePostgres, StopMode},
    },
    telemetry::task::{self, Task},
};

/// The delay between two faults.
const PAUSE: Duration = Duration::from_millis(2_500);

/// The first fault happens after all shards are up.
const FIRST: Duration = Duration::from_secs(4);

/// The faults as they happen. A separate task injects them, so that a restart of the database is always finished once it has begun.
pub struct Chaos {
    told: mpsc::Receiver<Result<&'static str, DatabaseError>>,
    stop: oneshot::Sender<()>,
    task: Task<Option<PrivatePostgres>>,
}

impl Chaos {
    /// Inject faults into this simulator and this database, if `wanted`.
    pub fn start(wanted: bool, control: Control, private: Option<PrivatePostgres>) -> Self {
        let (tell, told) = mpsc::channel(1);
        let (stop, stopped) = oneshot::channel();
        let faults = Faults { control, private };
        let task = task::spawn("chaos", faults.run(wanted, tell, stopped));
        Self { told, stop, task }
    }

    /// Wait for the next fault; forever if none are wanted. Cancel safe.
    ///
    /// # Errors
    ///
    /// The database could not be restarted.
    pub async fn next(&mut self) -> Result<&'static str, DatabaseError> {
        match self.told.recv().await {
            Some(told) => told,
            None => std::future::pending().await,
        }
    }

    /// Stop injecting faults. Returns the database, which is running.
    pub async fn end(self) -> Option<PrivatePostgres> {
        let Self { told, stop, task } = self;
        drop((told, stop));
        task.join().await.flatten()
    }
}

struct Faults {
    control: Control,
    private: Option<PrivatePostgres>,
}

impl Faults {
    async fn run(
        mut self,
        wanted: bool,
        tell: mpsc::Sender<Result<&'static str, DatabaseError>>,
        mut stopped: oneshot::Receiver<()>,
    ) -> Option<PrivatePostgres> {
        let mut due = Instant::now() + FIRST;
        let mut turn = 0;
        loop {
            tokio::select! {
                _ = &mut stopped => return self.private,
                () = sleep_until(due), if wanted => {}
            }
            let told = self.cause(turn).await;
            turn += 1;
            due = Instant::now() + PAUSE;
            // There is no receiver when the demo is about to end.
            drop(tell.send(told).await);
        }
    }

    async fn cause(&mut self, turn: usize) -> Result<&'static str, DatabaseError> {
        Ok(match turn % 8 {
            0 => told(self.control.reset(None), "every gateway connection is reset"),
            1 => {
                self.restart(StopMode::Fast, "PostgreSQL is restarted under the bot")
                    .await?
            }
            2 => told(
                self.control.reconnect(None),
                "every shard is asked to reconnect (op 7)",
            ),
            3 => told(
                self.control.close(None, 4000),
                "every gateway connection is closed with 4000",
            ),
            4 => {
                self.restart(
                    StopMode::Immediate,
                    "PostgreSQL crashes under the bot and recovers",
                )
                .await?
            }
            5 => told(
                self.control.invalidate(None, true),
                "every session is called invalid but resumable (op 9)",
            ),
            6 => told(
                self.control.drop_connections(None),
                "every gateway connection ends without a close frame",
            ),
            _ => told(
                self.control.ask_heartbeat(None),
                "every shard is asked for a heartbeat (op 1)",
            ),
        })
    }

    async fn restart(&mut self, mode: StopMode, what: &'static str) -> Result<&'static str, DatabaseError> {
        if let Some(private) = &mut self.private {
            private.restart(mode).await?;
        }
        Ok(what)
    }
}

/// What was done, or that there was no connection to do it to.
const fn told(connections: usize, what: &'static str) -> &'static str {
    if connections == 0 {
        "no shard is connected, so nothing is broken"
    } else {
        what
    }
}
