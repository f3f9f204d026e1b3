//! One connection to the gateway: twilight's shard, polled in bursts, and its heartbeats.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::Stream;
use tokio::{
    task::coop::has_budget_remaining,
    time::{Instant, timeout},
};
use twilight_gateway::{
    CloseFrame, Message, Shard, ShardState,
    error::{ReceiveMessageError, ReceiveMessageErrorType},
};
use twilight_model::gateway::OpCode;

use super::{
    heartbeat::Heartbeats,
    identify::IdentifyQueue,
    intake::{Intake, Signal},
    violation::Violation,
};
use crate::{discord::events::frame::Frame, telemetry::metrics};

/// The maximum number of messages before timers and results are processed.
const BURST: usize = 64;

/// The time limit of the closing handshake, after which the connection is dropped without it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum number of random numbers in one poll: the WebSocket's key takes two if connecting and HELLO happen in the same poll.
const MAX_DRAWS: usize = 16;

/// A connection to the gateway, with the known state of its heartbeats.
pub(super) struct Connection {
    pub(super) shard: Shard<IdentifyQueue>,
    pub(super) beats: Heartbeats,
    /// The last heartbeat known to `beats`.
    beat: Option<Instant>,
    /// The sequence that it sent to Discord, until it is [taken](Self::take_acknowledged).
    acknowledged: Option<u64>,
    pub(super) opened: Instant,
    pub(super) greeted: bool,
    /// Whether it resumes a session, rather than sending IDENTIFY.
    resumes: bool,
    /// Since when READY or RESUMED is expected: the time of the last progress towards it.
    asked: Option<Instant>,
    /// The state of the random number generator before and after the last poll that may have read HELLO.
    poll_seed: u64,
    polled_seed: u64,
    /// When READY or RESUMED arrived.
    pub(super) up_since: Option<Instant>,
    /// Whether this side has started to close the connection.
    closing: bool,
}

/// Why a poll returned no message.
enum Unread {
    /// The connection could not be opened.
    Unreachable,
    /// A frame could not be decompressed, or was not text. The decompressor cannot continue.
    Garbled,
    /// A payload that twilight cannot parse, with its text if there is any.
    Payload(Option<String>),
    /// twilight panicked.
    Panicked,
}

/// The end of a burst of reading.
pub(super) enum Burst {
    /// There is nothing more to read, or the burst has reached its limit.
    Progress,
    Signal(Signal),
    /// The connection could not be opened.
    Unreachable,
    /// The connection ended.
    Closed(Option<CloseFrame<'static>>),
}

impl Connection {
    pub(super) fn new(shard: Shard<IdentifyQueue>, now: Instant) -> Self {
        Self {
            resumes: shard.session().is_some(),
            asked: None,
            shard,
            beats: Heartbeats::default(),
            beat: None,
            acknowledged: None,
            opened: now,
            greeted: false,
            poll_seed: 0,
            polled_seed: 0,
            up_since: None,
            closing: false,
        }
    }

    /// The time since READY or RESUMED; `None` if neither has arrived.
    pub(super) fn up_for(&self, now: Instant) -> Option<Duration> {
        self.up_since.map(|since| now - since)
    }

    /// Start to close the connection, which ends the session.
    pub(super) fn close_for_good(&mut self) {
        self.shard.close(CloseFrame::NORMAL);
        self.closing = true;
    }

    /// Start to close the connection, so that the session can be resumed.
    pub(super) fn close_resumably(&mut self) {
        self.shard.close(CloseFrame::RESUME);
        self.closing = true;
    }

    /// HELLO has arrived. twilight has just delayed its first heartbeat by a random part of the interval.
    pub(super) fn greet(&mut self, now: Instant, interval: Duration) {
        self.greeted = true;
        self.asked = self.resumes.then_some(now);
        let part = last_drawn(self.poll_seed, self.polled_seed).unwrap_or_else(|| {
            // This version of twilight draws different numbers from the pinned one.
            metrics::gateway_unexpected_draws_total().increment(1);
            tracing::error!(
                "the first heartbeat cannot be predicted, so it may run ahead of the checkpoint; this is a bug, please report it"
            );
            1.0
        });
        self.beats.hello(now, interval, interval.mul_f64(part));
    }

    /// Since when READY or RESUMED is expected; `None` if it is not. It is not expected while the shard waits for its turn to IDENTIFY.
    /// Replayed events show that the answer is on its way.
    pub(super) fn owed_since(&mut self, now: Instant) -> Option<Instant> {
        if !self.greeted || self.up_since.is_some() {
            return None;
        }
        if self.asked.is_none() && self.shard.config().queue().has_admitted(self.shard.id().number()) {
            self.asked = Some(now);
        }
        self.asked
    }

    /// Read messages into the intake, up to the end of a burst. Cancel safe.
    pub(super) async fn read(&mut self, intake: &mut Intake) -> Burst {
        std::future::poll_fn(|cx| self.poll_burst(intake, cx)).await
    }

    /// Update the prediction if twilight has sent a heartbeat. Returns whether the last poll sent one; events up to `received` had arrived
    /// before it.
    fn note_heartbeat(&mut self, received: u64) -> bool {
        let sent = self.shard.latency().sent().map(Instant::from_std);
        if sent == self.beat {
            return false;
        }
        self.beat = sent;
        let Some(at) = sent else {
            return false;
        };
        let late_ms = self.beats.lateness(at).map(|late| late.as_millis());
        tracing::trace!(heartbeat.late_ms = ?late_ms, "heartbeat sent");
        self.beats.sent(at);
        self.acknowledged = Some(received);
        true
    }

    /// The sequence that a heartbeat has sent to Discord since the last call.
    pub(super) const fn take_acknowledged(&mut self) -> Option<u64> {
        self.acknowledged.take()
    }

    /// Complete the closing handshake, and ignore messages that still arrive: they are replayed when the shard resumes.
    pub(super) async fn close_quietly(&mut self) {
        self.closing = true;
        let closed = std::future::poll_fn(|cx| {
            loop {
                match self.poll_message(cx) {
                    Poll::Ready(None | Some(Ok(Message::Close(_)) | Err(_))) => return Poll::Ready(()),
                    Poll::Ready(Some(Ok(Message::Text(_)))) => {}
                    Poll::Pending => return Poll::Pending,
                }
            }
        });
        // Without a handshake the connection is dropped, which keeps the session as well.
        drop(timeout(CLOSE_TIMEOUT, closed).await);
    }

    /// The next message; `None` if the connection has ended without a close frame. twilight would open another one immediately and resume
    /// on it, which may be wrong: the session may belong to another process.
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Unread>>> {
        // Before HELLO, twilight uses the received interval and URL without validation, and panics if they are impossible. After a panic
        // the connection is dropped.
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut self.shard).poll_next(cx)));
        let Ok(polled) = polled else {
            // The connection had ended, and twilight was about to open another one. The session is unaffected.
            if self.greeted && matches!(self.shard.state(), ShardState::Disconnected { .. }) {
                return Poll::Ready(None);
            }
            return Poll::Ready(Some(Err(Unread::Panicked)));
        };
        let ended = match &polled {
            Poll::Pending if !self.closing => {
                self.greeted && matches!(self.shard.state(), ShardState::Disconnected { .. })
            }
            // twilight's state is "disconnected" while this side closes. But only a new connection receives HELLO, and the next poll would
            // resume on it.
            Poll::Ready(Some(Ok(Message::Text(text)))) if self.closing => {
                Frame::scan(text).is_some_and(|frame| frame.op == Some(OpCode::Hello))
            }
            _ => false,
        };
        if ended {
            return Poll::Ready(None);
        }
        polled.map_err(Unread::from)
    }

    fn poll_burst(&mut self, intake: &mut Intake, cx: &mut Context<'_>) -> Poll<Burst> {
        for taken in 0..BURST {
            // On a busy machine, a burst can take longer than the margin before a heartbeat.
            if taken > 0 && self.beats.are_near(Instant::now()) {
                return Poll::Ready(Burst::Progress);
            }
            if !self.greeted {
                // The poll that reads HELLO draws the delay of the first heartbeat last. With a known seed, the delay is known too.
                self.poll_seed = fastrand::u64(..);
                fastrand::seed(self.poll_seed);
            }
            if intake.waits_for_order()
                && let Some(signal) = intake.release_early(None)
            {
                return Poll::Ready(Burst::Signal(signal));
            }
            let received = intake.newest_sequence();
            let polled = self.poll_message(cx);
            if !self.greeted {
                self.polled_seed = fastrand::get_seed();
            }
            // A heartbeat ends the burst: if it was sent too early, a flush is required.
            let beat = self.note_heartbeat(received);
            let signal = match polled {
                Poll::Pending => {
                    let before = intake.sequence();
                    // Without budget, tokio reads nothing although something may have arrived.
                    let read = has_budget_remaining().then(Instant::now);
                    return match intake.release_early(read) {
                        Some(signal) => Poll::Ready(Burst::Signal(signal)),
                        None if taken > 0 || beat || intake.sequence() > before => {
                            Poll::Ready(Burst::Progress)
                        }
                        None => Poll::Pending,
                    };
                }
                Poll::Ready(Some(Ok(Message::Text(text)))) => intake.on_text(&text),
                Poll::Ready(Some(Ok(Message::Close(frame)))) => return Poll::Ready(Burst::Closed(frame)),
                Poll::Ready(None) => return Poll::Ready(Burst::Closed(None)),
                Poll::Ready(Some(Err(Unread::Unreachable))) => return Poll::Ready(Burst::Unreachable),
                Poll::Ready(Some(Err(Unread::Garbled))) => {
                    intake.garbled();
                    return Poll::Ready(Burst::Closed(None));
                }
                Poll::Ready(Some(Err(Unread::Payload(text)))) => intake.on_unreadable(text.as_deref()),
                Poll::Ready(Some(Err(Unread::Panicked))) if self.greeted => {
                    Some(Signal::Violation(Violation::Library))
                }
                Poll::Ready(Some(Err(Unread::Panicked))) => {
                    Some(Signal::Violation(Violation::HeartbeatInterval))
                }
            };
            if self.asked.is_some() && intake.newest_sequence() > received {
                self.asked = Some(Instant::now());
            }
            match signal {
                Some(signal) => return Poll::Ready(Burst::Signal(signal)),
                None if beat => return Poll::Ready(Burst::Progress),
                None => {}
            }
        }
        Poll::Ready(Burst::Progress)
    }
}

impl From<ReceiveMessageError> for Unread {
    fn from(error: ReceiveMessageError) -> Self {
        match error.into_parts().0 {
            ReceiveMessageErrorType::Reconnect => Self::Unreachable,
            ReceiveMessageErrorType::Compression => Self::Garbled,
            ReceiveMessageErrorType::Deserializing { event } => Self::Payload(Some(event)),
            _ => Self::Payload(None),
        }
    }
}

/// The last number between 0 and 1 that a generator drew between the states `before` and `after`.
fn last_drawn(before: u64, after: u64) -> Option<f64> {
    let mut generator = fastrand::Rng::with_seed(before);
    (0..MAX_DRAWS).find_map(|_| {
        let drawn = generator.f64();
        (generator.get_seed() == after).then_some(drawn)
    })
}

#[cfg(test)]
mod tests {
    use super::last_drawn;

    #[test]
    fn the_last_number_is_found_whatever_was_drawn_before() {
        for before in 0..5 {
            fastrand::seed(99);
            for _ in 0..before {
                fastrand::u64(..);
            }
            let drawn = fastrand::f64();
            assert_eq!(
                last_drawn(99, fastrand::get_seed()).map(f64::to_bits),
                Some(drawn.to_bits()),
                "{before}"
            );
        }
        assert_eq!(last_drawn(99, 99), None);
    }
}
