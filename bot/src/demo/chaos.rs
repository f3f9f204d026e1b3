//! Breaks things on purpose, one every few seconds, none of which may lose an event.

use std::time::Duration;

use discord_simulator::Control;
use tokio::time::{Instant, sleep_until};

use crate::{
    database::DatabaseError,
    embedded::{PrivatePostgres, StopMode},
};

/// The pause between two faults.
const PAUSE: Duration = Duration::from_millis(2_500);

/// The first fault comes when all shards are up.
const FIRST: Duration = Duration::from_secs(4);

/// The faults, in turn.
pub struct Chaos {
    control: Control,
    private: Option<PrivatePostgres>,
    due: Option<Instant>,
    turn: usize,
}

impl Chaos {
    /// Faults on this simulator and this database, if `wanted`.
    pub fn new(wanted: bool, control: Control, private: Option<PrivatePostgres>) -> Self {
        Self {
            control,
            private,
            due: wanted.then(|| Instant::now() + FIRST),
            turn: 0,
        }
    }

    /// Wait for the next fault, cause it, and say what it was. Never, if none is wanted. May be dropped while it waits; a restart
    /// of the database, once begun, is not to be dropped, which is why it is the last thing here.
    pub async fn next(&mut self) -> Result<String, DatabaseError> {
        let Some(due) = self.due else {
            return std::future::pending().await;
        };
        sleep_until(due).await;
        self.due = Some(due + PAUSE);
        let turn = self.turn;
        self.turn += 1;
        let told = match turn % 8 {
            0 => told("reset", self.control.reset(None)),
            1 => self.restart(StopMode::Fast).await?,
            2 => told("asked to reconnect (op 7)", self.control.reconnect(None)),
            3 => told("closed with 4000", self.control.close(None, 4000)),
            4 => self.restart(StopMode::Immediate).await?,
            5 => told(
                "told that the session is invalid but resumable (op 9)",
                self.control.invalidate(None, true),
            ),
            6 => told(
                "dropped without a close frame",
                self.control.drop_connections(None),
            ),
            _ => told("asked for a heartbeat (op 1)", self.control.ask_heartbeat(None)),
        };
        Ok(told)
    }

    /// No more faults. Gives the database back.
    pub fn end(self) -> Option<PrivatePostgres> {
        self.private
    }

    async fn restart(&mut self, mode: StopMode) -> Result<String, DatabaseError> {
        if let Some(private) = &mut self.private {
            private.restart(mode).await?;
        }
        Ok(match mode {
            StopMode::Fast => "PostgreSQL restarted under the bot".to_owned(),
            StopMode::Immediate => "PostgreSQL crashed under the bot and recovered".to_owned(),
        })
    }
}

fn told(what: &str, connections: usize) -> String {
    format!("{connections} gateway connections {what}")
}
