//! The reactions of a shard to the end of a burst of reading.

use std::time::Duration;

use tokio::time::Instant;

use super::{HELLO_TIMEOUT, Link, ShardEnd, ShardTask, TURN_CHECK};
use crate::{
    discord::shards::ShardState,
    pipeline::gateway::{
        connection::{Burst, Connection},
        guard::{self, Next},
        intake::{self, Signal},
        violation::{self, Violation},
    },
    telemetry::metrics,
};

impl ShardTask {
    /// When to check the connection although nothing arrives: for HELLO, for an answer that is expected from Discord, or for the turn to
    /// IDENTIFY.
    pub(super) fn deadline(&self, connection: &mut Connection, now: Instant) -> Option<Instant> {
        if connection.up_since.is_some() {
            return None;
        }
        if !connection.greeted {
            return Some(connection.opened + HELLO_TIMEOUT);
        }
        let owed = connection.owed_since(now);
        Some(owed.map_or(now + TURN_CHECK, |since| since + self.ready_timeout))
    }

    /// Whether Discord has taken too long to answer.
    pub(super) fn is_unanswered(&self, connection: &mut Connection, now: Instant) -> bool {
        let waits_for_turn = connection.greeted && connection.owed_since(now).is_none();
        !waits_for_turn && self.deadline(connection, now).is_some_and(|at| now >= at)
    }

    /// Close a connection on which Discord does not answer.
    pub(super) async fn give_up(&mut self, mut connection: Box<Connection>) -> Link {
        let now = Instant::now();
        let next = if connection.greeted {
            metrics::gateway_unanswered_total().increment(1);
            tracing::warn!(
                shard.id = self.key.id,
                "Discord has answered neither IDENTIFY nor RESUME within gateway.ready_timeout_seconds; reconnecting"
            );
            self.guard.unanswered()
        } else {
            tracing::warn!(
                shard.id = self.key.id,
                "the gateway has not sent HELLO; reconnecting"
            );
            self.intake.forget_resume_url();
            self.guard.unreachable(None)
        };
        self.warn_if_never_ready(&connection);
        connection.close_resumably();
        connection.close_quietly().await;
        self.wait_for(next, now).unwrap_or(Link::Waiting { until: now })
    }

    fn warn_if_never_ready(&mut self, connection: &Connection) {
        if connection.up_since.is_none()
            && let Some(connections) = self.guard.never_ready()
        {
            tracing::warn!(
                shard.id = self.key.id,
                gateway.connections = connections,
                "several gateway connections in a row ended before READY or RESUMED"
            );
        }
    }

    fn wait_for(&mut self, next: Next, now: Instant) -> Result<Link, ShardEnd> {
        match next {
            Next::Reconnect { after } => Ok(Link::Waiting { until: now + after }),
            Next::Identify { after, reason } => {
                self.intake.lose_session(reason);
                Ok(Link::Waiting { until: now + after })
            }
            Next::Fatal(fatal) => Err(ShardEnd::Fatal(fatal)),
        }
    }

    /// React to the end of a burst. Returns the connection if it continues.
    pub(super) async fn after_burst(
        &mut self,
        mut connection: Box<Connection>,
        burst: Burst,
    ) -> Result<Link, ShardEnd> {
        let now = Instant::now();
        self.flushing.noticed(&self.intake, now);
        let up_for = connection.up_for(now);
        if up_for.is_some() {
            self.intake.alive();
        }
        let next = match burst {
            Burst::Signal(Signal::Undecided) => {
                tracing::info!(
                    shard.id = self.key.id,
                    shard.count = self.key.count,
                    "the shard waits until the change of the number of shards is decided"
                );
                connection.close_resumably();
                connection.close_quietly().await;
                Next::Reconnect {
                    after: Duration::ZERO,
                }
            }
            Burst::Signal(signal) => match self.on_signal(&mut connection, signal, now) {
                None => return Ok(self.unless_full(connection).await),
                Some(next) => {
                    // The close frame is queued; for op 7 and 9, by twilight.
                    connection.close_quietly().await;
                    next
                }
            },
            Burst::Progress => return Ok(self.unless_full(connection).await),
            Burst::Unreachable => {
                self.intake.forget_resume_url();
                tracing::warn!(shard.id = self.key.id, "the gateway cannot be reached; retrying");
                self.guard.unreachable(up_for)
            }
            Burst::Closed(frame) => {
                let code = frame.as_ref().map(|frame| frame.code);
                metrics::gateway_closes_total(guard::close_label(code)).increment(1);
                let token = self.config.token();
                let reason = frame.and_then(|frame| violation::loggable_reason(&frame, token));
                if guard::is_a_fault(code) {
                    tracing::warn!(
                        shard.id = self.key.id,
                        close.code = code,
                        close.reason = reason,
                        "Discord closed the gateway connection with an error"
                    );
                } else {
                    tracing::info!(
                        shard.id = self.key.id,
                        close.code = code,
                        close.reason = reason,
                        "the gateway connection ended"
                    );
                }
                self.guard.closed(code, up_for)
            }
        };
        self.warn_if_never_ready(&connection);
        self.wait_for(next, now)
    }

    pub(super) fn on_signal(
        &mut self,
        connection: &mut Connection,
        signal: Signal,
        now: Instant,
    ) -> Option<Next> {
        match signal {
            // After a second HELLO, twilight would send IDENTIFY or RESUME once more.
            Signal::Hello { .. } if connection.greeted => {
                return Some(self.guard.closed(None, connection.up_for(now)));
            }
            Signal::Hello { heartbeat_interval } => connection.greet(now, heartbeat_interval),
            Signal::Ready if connection.up_since.is_some() => {
                return Some(self.on_violation(connection, Violation::SecondReady, now));
            }
            Signal::Ready => {
                let shard = &connection.shard;
                let Some(session) = shard
                    .session()
                    .filter(|session| violation::is_session_id(session.id()))
                else {
                    return Some(self.on_violation(connection, Violation::SessionId, now));
                };
                let resume_url = shard
                    .resume_url()
                    .and_then(|url| violation::trusted_resume_url(url, self.gateway_url()));
                if resume_url.is_none() {
                    tracing::warn!(
                        shard.id = self.key.id,
                        "the resume URL in READY is not used: it is invalid, or would send the token elsewhere without TLS"
                    );
                }
                let id = session.id().to_owned();
                self.intake.begin_session(intake::Session { id, resume_url });
                self.up(connection, now, "ready");
                // Otherwise, a process that ends before the first flush would have to identify again.
                self.flushing.flush_if_due(&mut self.intake, now, true);
            }
            Signal::Resumed if connection.up_since.is_some() => {}
            Signal::Resumed => {
                metrics::gateway_resumes_total().increment(1);
                self.up(connection, now, "resumed");
            }
            Signal::Undecided => {}
            Signal::Violation(violation) => return Some(self.on_violation(connection, violation, now)),
            Signal::HeartbeatRequested => connection.beats.requested(now),
            Signal::HeartbeatAck => {
                self.intake.heartbeat_answered();
                if let Some(latency) = connection.shard.latency().recent().first() {
                    self.status.set_latency(*latency);
                    metrics::shard_latency_seconds(self.key.id.to_string()).set(latency.as_secs_f64());
                }
            }
            Signal::Reconnect => {
                return Some(self.guard.reconnect_requested(connection.up_for(now)));
            }
            Signal::InvalidSession { resumable } => {
                let up_for = connection.up_for(now);
                return Some(self.guard.invalid_session(resumable, up_for));
            }
        }
        None
    }

    /// The gateway broke the protocol: the connection ends, and the session too if it is affected.
    fn on_violation(&mut self, connection: &mut Connection, violation: Violation, now: Instant) -> Next {
        metrics::gateway_violations_total().increment(1);
        tracing::error!(
            shard.id = self.key.id,
            gateway.violation = %violation,
            "the gateway broke the protocol; closing the connection"
        );
        if matches!(violation, Violation::Hello | Violation::HeartbeatInterval) {
            // This says nothing about the session, which may be resumed on another connection.
            connection.close_resumably();
            self.intake.forget_resume_url();
            return self.guard.unanswered();
        }
        connection.close_for_good();
        self.guard.violated(connection.up_for(now))
    }

    fn up(&mut self, connection: &mut Connection, now: Instant, how: &'static str) {
        connection.up_since = Some(now);
        self.guard.established();
        self.status.set_state(ShardState::Up);
        self.status.has_session(how == "ready");
        tracing::info!(
            shard.id = self.key.id,
            shard.sequence = self.intake.sequence(),
            "shard {how}"
        );
    }
}
