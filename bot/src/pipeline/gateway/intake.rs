//! The intake: it passes the events from a shard's socket to the ledger, in order and each once.
//!
//! It keeps its own sequence, which is the one that is committed: an event at or below it has been counted and is skipped. If an event
//! skips a number, it waits a moment for the missing one (`intake/order.rs`); if that has not arrived by then, there is a gap.
//!
//! While the number of shards changes, it decides which events this shard counts (`intake/reshard.rs`). Later stages do not know of that.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use twilight_model::{
    gateway::OpCode,
    id::{Id, marker::MessageMarker},
};

use self::{
    counters::{Counters, known_name},
    message_range::MessageRange,
    order::Order,
};
use super::{
    guard,
    violation::{HEARTBEAT_INTERVALS, Violation},
};
use crate::{
    discord::events::{frame::Frame, message_create::Unreadable, ready},
    pipeline::{
        dispatch::{Counting, Dispatched, Dispatcher},
        ledger::{
            Ledger,
            gap::{Gap, GapChange},
        },
        rows::shard_checkpoint::SessionPoint,
    },
    support::{clock::host_time, ids::ShardKey},
    telemetry::metrics,
};

mod counters;
pub(in crate::pipeline::gateway) mod message_range;
mod order;
mod reshard;

/// A signal for the shard's task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) enum Signal {
    /// Op 10: the connection is open.
    Hello {
        /// The time between heartbeats.
        heartbeat_interval: Duration,
    },
    /// A new session has started; its ID and URL are to be taken from the shard.
    Ready,
    /// The session was resumed.
    Resumed,
    /// Op 1: Discord requests a heartbeat now.
    HeartbeatRequested,
    /// Op 11.
    HeartbeatAck,
    /// Op 7.
    Reconnect,
    /// Op 9.
    InvalidSession {
        /// Whether the session may be resumed.
        resumable: bool,
    },
    /// It is not yet decided which shard counts a message. Nothing else is taken in on this connection.
    Undecided,
    /// The gateway broke the protocol.
    Violation(Violation),
}

/// A session that receives, or received, events.
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct Session {
    pub(in crate::pipeline) id: String,
    pub(in crate::pipeline) resume_url: Option<String>,
}

/// The intake of one shard.
#[derive(Debug)]
pub(in crate::pipeline) struct Intake {
    pub(in crate::pipeline) key: ShardKey,
    pub(in crate::pipeline) dispatcher: Dispatcher,
    pub(in crate::pipeline) ledger: Ledger,
    pub(in crate::pipeline) session: Option<Session>,
    /// The messages that count.
    message_range: MessageRange,
    sequence: u64,
    order: Order,
    /// When an event of the session last arrived, or else the time of another process's last flush.
    alive_at: SystemTime,
    /// Whether something was received that is not in a batch.
    pub(in crate::pipeline) dirty: bool,
    /// Whether a replay is in progress: from a resume until RESUMED.
    pub(in crate::pipeline) replaying: bool,
    /// The message that could not be handled because the number of shards changes there.
    halted_at: Option<Id<MessageMarker>>,
    /// Whether a message was found that arrived too late for the shard of the other number that should have counted it.
    late_seen: bool,
    received: u64,
    /// The number of payloads that could not be parsed.
    unreadable: u64,
    counters: Counters,
}

impl Intake {
    pub(in crate::pipeline) fn new(
        key: ShardKey,
        dispatcher: Dispatcher,
        ledger: Ledger,
        stored: Option<SessionPoint>,
        alive_at: SystemTime,
    ) -> Self {
        let (session, sequence) = match stored {
            Some(point) => {
                let session = Session {
                    id: point.session_id,
                    resume_url: point.resume_url,
                };
                (Some(session), point.sequence)
            }
            None => (None, 0),
        };
        Self {
            key,
            dispatcher,
            ledger,
            session,
            message_range: MessageRange::ALL,
            sequence,
            order: Order::default(),
            alive_at,
            dirty: false,
            replaying: false,
            halted_at: None,
            late_seen: false,
            received: 0,
            unreadable: 0,
            counters: Counters::new(),
        }
    }

    /// The session, up to the point where everything is in the ledger or in a batch.
    pub(in crate::pipeline) fn point(&self) -> Option<SessionPoint> {
        self.point_at(self.sequence)
    }

    /// The session at another of its events.
    pub(in crate::pipeline) fn point_at(&self, sequence: u64) -> Option<SessionPoint> {
        self.session.as_ref().map(|session| SessionPoint {
            session_id: session.id.clone(),
            resume_url: session.resume_url.clone(),
            sequence,
        })
    }

    /// Record that the session receives events.
    pub(in crate::pipeline) fn alive(&mut self) {
        self.alive_at = host_time();
    }

    pub(in crate::pipeline) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The number of dispatches received since the last call.
    pub(in crate::pipeline) fn take_received(&mut self) -> u64 {
        self.counters.raise();
        std::mem::take(&mut self.received)
    }

    pub(in crate::pipeline) const fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// A batch with everything up to [`Intake::point`] was taken.
    pub(in crate::pipeline) const fn taken(&mut self) {
        self.dirty = false;
    }

    /// A connection starts. If there is a session, events until RESUMED are a replay.
    pub(in crate::pipeline) fn connecting(&mut self) {
        self.order.clear();
        self.ledger.backfill.disconnected();
        self.replaying = self.session.is_some();
        self.halted_at = None;
    }

    /// The resume URL did not answer: resume at the gateway's general address.
    pub(in crate::pipeline) fn forget_resume_url(&mut self) {
        if let Some(session) = &mut self.session {
            session.resume_url = None;
        }
    }

    /// The session is dead. Events that it had not delivered are missed, and a gap is recorded.
    pub(in crate::pipeline) fn lose_session(&mut self, reason: &'static str) {
        if self.message_range == MessageRange::NOTHING {
            // Shards of the old number count everything.
            self.dirty |= self.session.take().is_some();
        }
        if let Some(session) = self.session.take() {
            self.ledger.gap(GapChange::Noticed(Gap {
                reason,
                session_id: Some(session.id.clone()),
                last_sequence: self.sequence,
                missing: None,
                began_at: self.alive_at,
                ended_at: None,
            }));
            self.dirty = true;
            metrics::gateway_gaps_total(reason).increment(1);
            tracing::warn!(
                shard.id = self.key.id,
                session.id = session.id,
                session.sequence = self.sequence,
                gap.reason = reason,
                "gap: the session is lost; events from now until the next READY are missed"
            );
        }
        self.replaying = false;
    }

    /// READY has arrived, and this is the session from now on.
    pub(in crate::pipeline) fn begin_session(&mut self, session: Session) {
        self.session = Some(session);
        self.ledger.gap(GapChange::Ended(host_time()));
        self.dirty = true;
    }

    /// Process a payload.
    pub(in crate::pipeline) fn on_text(&mut self, text: &str) -> Option<Signal> {
        let frame = Frame::scan(text)?;
        match frame.op {
            Some(OpCode::Dispatch) => self.on_dispatch(frame.sequence?, frame.event_type?, text),
            Some(OpCode::Hello) => Some(hello(text)),
            Some(OpCode::Heartbeat) => Some(Signal::HeartbeatRequested),
            Some(OpCode::HeartbeatAck) => Some(Signal::HeartbeatAck),
            Some(OpCode::Reconnect) => Some(Signal::Reconnect),
            Some(OpCode::InvalidSession) => Some(Signal::InvalidSession {
                resumable: text
                    .split("\"d\":")
                    .nth(1)
                    .is_some_and(|data| data.trim_start().starts_with("true")),
            }),
            _ => None,
        }
    }

    fn on_dispatch(&mut self, sequence: u64, event_type: &str, text: &str) -> Option<Signal> {
        if self.halted_at.is_some() {
            return None;
        }
        self.received += 1;
        self.counters.count(event_type);
        if event_type == "READY" {
            return Some(self.on_ready(sequence, text));
        }
        if self.session.is_none() {
            // READY is the first event of a session. Earlier events belong to no session.
            self.unreadable(event_type, sequence, None);
            return None;
        }
        self.in_order(sequence, event_type, text)
    }

    fn on_ready(&mut self, sequence: u64, text: &str) -> Signal {
        if sequence > order::MAX_GAP {
            return Signal::Violation(Violation::Sequence);
        }
        if self.session.is_some() {
            // A new session has started instead of a resume.
            self.lose_session("invalid_session");
        }
        self.order.clear();
        self.look_for_missed(text);
        self.sequence = sequence;
        self.replaying = false;
        Signal::Ready
    }

    /// Process an event in the right order.
    fn take_in(&mut self, sequence: u64, event_type: &str, text: &str) -> Option<Signal> {
        let dispatched = if self.message_range == MessageRange::ALL {
            self.dispatcher
                .dispatch(event_type, text, &mut self.ledger, Counting::Here)
        } else {
            match self.dispatch_in_range(event_type, text) {
                Ok(dispatched) => dispatched,
                Err(id) => {
                    self.halted_at = Some(id);
                    return Some(Signal::Undecided);
                }
            }
        };
        if let Dispatched::Malformed(why) = dispatched {
            self.unreadable(event_type, sequence, why);
        }
        self.check_gap(sequence);
        self.sequence = sequence;
        self.dirty = true;
        if event_type == "RESUMED" {
            self.replaying = false;
            return Some(Signal::Resumed);
        }
        if self.replaying {
            metrics::gateway_events_replayed_total().increment(1);
        }
        None
    }

    fn unreadable(&mut self, event_type: &str, sequence: u64, why: Option<Unreadable>) {
        let event_type = known_name(event_type);
        metrics::gateway_events_malformed_total(event_type).increment(1);
        if self.is_worth_a_line() {
            tracing::warn!(
                shard.id = self.key.id,
                event.r#type = event_type,
                event.sequence = sequence,
                event.unreadable = why.map(tracing::field::display),
                events.unreadable = self.unreadable,
                "an event could not be read and was skipped"
            );
        }
    }

    /// Whether another unreadable payload is logged: the first ones are, then fewer and fewer.
    const fn is_worth_a_line(&mut self) -> bool {
        const FIRST: u64 = 16;
        self.unreadable += 1;
        self.unreadable <= FIRST || self.unreadable.is_power_of_two()
    }

    fn check_gap(&mut self, sequence: u64) {
        let missing = sequence - self.sequence - 1;
        if missing > 0 {
            self.ledger.gap(GapChange::Noticed(Gap {
                reason: guard::SEQUENCE,
                session_id: self.session.as_ref().map(|session| session.id.clone()),
                last_sequence: self.sequence,
                missing: Some(missing),
                began_at: self.alive_at,
                ended_at: Some(host_time()),
            }));
            metrics::gateway_gaps_total(guard::SEQUENCE).increment(1);
            tracing::warn!(
                shard.id = self.key.id,
                gap.reason = guard::SEQUENCE,
                gap.from = self.sequence + 1,
                gap.events = missing,
                gap.replaying = self.replaying,
                "gap: Discord skipped over events"
            );
        }
    }

    /// A frame is not compressed text, which ends the connection.
    pub(in crate::pipeline) fn garbled(&self) {
        metrics::gateway_events_malformed_total("unknown").increment(1);
        tracing::warn!(
            shard.id = self.key.id,
            "a gateway frame could not be decompressed or is not UTF-8; closing the connection"
        );
    }

    /// twilight could not parse a payload. If it is one that twilight needs, there is no session.
    pub(in crate::pipeline) fn on_unreadable(&mut self, text: Option<&str>) -> Option<Signal> {
        let frame = text.and_then(Frame::scan);
        let (op, event_type) = frame.map_or((None, None), |frame| (frame.op, frame.event_type));
        let event_type = event_type.unwrap_or_default();
        metrics::gateway_events_malformed_total(known_name(event_type)).increment(1);
        match (op, event_type) {
            (Some(OpCode::Hello), _) => Some(Signal::Violation(Violation::Hello)),
            // Neither true nor false. A new session is always correct.
            (Some(OpCode::InvalidSession), _) => Some(Signal::InvalidSession { resumable: false }),
            (Some(OpCode::Dispatch), "READY") => {
                let fields = ready::unreadable_fields(text.unwrap_or_default());
                tracing::error!(
                    shard.id = self.key.id,
                    ready.unreadable_fields = fields.join(", "),
                    "READY could not be read, so the session cannot be used"
                );
                Some(Signal::Violation(Violation::Ready))
            }
            _ => {
                if self.is_worth_a_line() {
                    tracing::warn!(
                        shard.id = self.key.id,
                        events.unreadable = self.unreadable,
                        "a gateway payload could not be read and was skipped"
                    );
                }
                None
            }
        }
    }
}

/// Parse HELLO.
fn hello(text: &str) -> Signal {
    #[derive(Deserialize)]
    struct Payload {
        d: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        heartbeat_interval: u64,
    }
    let Ok(Payload { d }) = serde_json::from_str(text) else {
        return Signal::Violation(Violation::Hello);
    };
    let heartbeat_interval = Duration::from_millis(d.heartbeat_interval);
    if HEARTBEAT_INTERVALS.contains(&heartbeat_interval) {
        Signal::Hello { heartbeat_interval }
    } else {
        Signal::Violation(Violation::HeartbeatInterval)
    }
}

#[cfg(test)]
mod tests;
