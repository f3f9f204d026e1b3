//! How a shard ends, or closes temporarily: everything that was sent before is processed and committed.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Link, ROOM_CHECK, ShardEnd, ShardTask};
use crate::pipeline::gateway::connection::{Burst, Connection};

/// How long a stopping shard continues to read what was sent before its close frame.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a stopping shard waits for the READY of an IDENTIFY that it has sent.
const READY_TIMEOUT: Duration = Duration::from_secs(5);

/// The code for a connection that ended without a close frame: <https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1>.
const ABNORMAL: u16 = 1006;

impl ShardTask {
    /// Whether a shard may retire: its session is established, so nothing earlier is missing, and there is no backfill in progress.
    pub(super) fn may_retire(&self, link: &Link) -> bool {
        let up = matches!(link, Link::Open(connection) if connection.up_since.is_some());
        up && !self.intake.waits_for_order() && !self.intake.ledger.backfill.is_active()
    }

    /// If the shard has just identified, wait for READY: a session whose ID is unknown cannot be resumed, and the next owner would have to
    /// identify again. Returns whether the connection is still open.
    async fn knows_its_session(&mut self, connection: &mut Connection) -> bool {
        let identifies = connection.up_since.is_none()
            && self.intake.point().is_none()
            && self.config.queue().has_admitted(self.key.id);
        if !identifies {
            return true;
        }
        let answered = timeout(READY_TIMEOUT, async {
            while connection.up_since.is_none() {
                match connection.read(&mut self.intake).await {
                    Burst::Progress => {}
                    Burst::Signal(signal) => {
                        if self.on_signal(connection, signal, Instant::now()).is_some() {
                            connection.close_quietly().await;
                            return false;
                        }
                    }
                    Burst::Closed(_) | Burst::Unreachable => return false,
                }
            }
            true
        });
        answered.await.unwrap_or(true)
    }

    /// Close resumably, and process what was sent before the close frame.
    pub(super) async fn close_resumably(&mut self, link: Link) {
        self.received_all = false;
        let Link::Open(mut connection) = link else {
            return;
        };
        if !self.knows_its_session(&mut connection).await {
            return;
        }
        connection.close_resumably();
        let drained = timeout(DRAIN_TIMEOUT, async {
            loop {
                match connection.read(&mut self.intake).await {
                    Burst::Closed(frame) => break frame.map(|frame| frame.code),
                    Burst::Unreachable => break None,
                    Burst::Progress => {}
                    Burst::Signal(signal) => {
                        self.on_signal(&mut connection, signal, Instant::now());
                    }
                }
            }
        });
        match drained.await {
            // A broken connection has no code, or this one.
            Ok(code) => {
                let agreed = code.is_some_and(|code| code != ABNORMAL);
                self.received_all = agreed && !self.intake.waits_for_order();
            }
            Err(_elapsed) => tracing::debug!(shard.id = self.key.id, "the closing handshake took too long"),
        }
    }

    /// Close resumably, and commit everything received.
    pub(super) async fn finish(&mut self, link: Link, end: ShardEnd) -> ShardEnd {
        // The rows are kept for the next process.
        self.reading.stop();
        self.close_resumably(link).await;
        if matches!(end, ShardEnd::Fenced(_) | ShardEnd::WriterGone) {
            return end;
        }
        while self.intake.is_dirty() || self.flushing.is_under_way() {
            self.flushing.flush_if_due(&mut self.intake, Instant::now(), true);
            self.show();
            if self.flushing.is_under_way() {
                let outcome = self.flushing.outcome().await;
                if let Err(end) = self.settle(outcome) {
                    return end;
                }
            } else {
                // The lane is full, which is temporary.
                tokio::time::sleep(ROOM_CHECK).await;
            }
        }
        self.show();
        end
    }
}
