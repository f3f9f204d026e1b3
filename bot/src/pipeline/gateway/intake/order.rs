//! The order of a session's events, by their sequence numbers.
//!
//! A gateway may deliver an event slightly too late. Those that come before it wait here until it has come, so that the ledger
//! receives everything in the order of the numbers, and the checkpoint never covers a number that has not been taken in: if the
//! process ends meanwhile, the resume replays the late event and those that waited for it. The wait is bounded by time, number and
//! bytes. What has not come by then is a gap.

use std::collections::BTreeMap;

use tokio::time::{Duration, Instant};

use super::{Intake, Signal, Violation};
use crate::{discord::events::frame::Frame, telemetry::metrics};

/// How long the events after a skipped one wait for it. A heartbeat waits with them, which it can for four seconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// Numbers that may be skipped at once. Where more are missing, they are not a little late but missed.
const MAX_SKIPPED: u64 = 64;

/// Events that wait at most, and their bytes.
const MAX_WAITING: usize = 10_000;
const MAX_WAITING_BYTES: usize = 8 << 20;

/// Numbers that a gap in a session can have: several minutes of the busiest shard. One that is further ahead is no sequence number,
/// and everything that follows would look as if it had been counted before.
pub(super) const MAX_GAP: u64 = 10_000_000;

/// Events in a row that were counted before, outside of a replay, after which the numbers are taken to have begun again.
const MAX_DUPLICATES: u32 = 1_000;

/// What came before its turn.
#[derive(Debug, Default)]
pub(super) struct Order {
    early: BTreeMap<u64, String>,
    bytes: usize,
    /// Since when the first of them waits.
    since: Option<Instant>,
    /// Duplicates since the last event that was none.
    duplicates: u32,
}

impl Order {
    /// Forget what waits: a new connection replays it, or a new session begins.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether what waits has waited for too long at `now`, or takes too much memory.
    fn is_over(&self, now: Instant) -> bool {
        let waited = self.since.is_some_and(|since| now >= since + PATIENCE);
        waited || self.bytes > MAX_WAITING_BYTES || self.early.len() > MAX_WAITING
    }
}

impl Intake {
    /// Take in a dispatch if it is its turn.
    pub(super) fn in_order(&mut self, sequence: u64, event_type: &str, text: &str) -> Option<Signal> {
        let next = self.sequence + 1;
        if sequence < next || self.order.early.contains_key(&sequence) {
            return self.duplicate(event_type);
        }
        if sequence == next {
            self.order.duplicates = 0;
            if self.waits_for_order() {
                metrics::gateway_events_reordered_total().increment(1);
            }
            return self.take_in(sequence, event_type, text);
        }
        let skipped = sequence - next;
        if skipped > MAX_GAP {
            return Some(Signal::Violation(Violation::Sequence));
        }
        self.order.duplicates = 0;
        if skipped > MAX_SKIPPED && self.order.early.is_empty() {
            return self.take_in(sequence, event_type, text);
        }
        self.order.since.get_or_insert_with(Instant::now);
        self.order.bytes += text.len();
        self.order.early.insert(sequence, text.to_owned());
        None
    }

    fn duplicate(&mut self, event_type: &str) -> Option<Signal> {
        metrics::gateway_events_duplicate_total().increment(1);
        if event_type == "RESUMED" {
            self.replaying = false;
            return Some(Signal::Resumed);
        }
        if !self.replaying {
            self.order.duplicates += 1;
        }
        (self.order.duplicates > MAX_DUPLICATES).then_some(Signal::Violation(Violation::Sequence))
    }

    /// Take in what waited for its turn, up to the next signal: what follows on the last event, and at `now` what has waited for too
    /// long. To be called before each read while [something waits](Self::waits_for_order).
    pub(in crate::pipeline::gateway) fn release_early(&mut self, now: Instant) -> Option<Signal> {
        while let Some((first, _)) = self.order.early.first_key_value() {
            if *first != self.sequence + 1 && !self.order.is_over(now) {
                return None;
            }
            if let Some(signal) = self.release_first(now) {
                return Some(signal);
            }
        }
        None
    }

    fn release_first(&mut self, now: Instant) -> Option<Signal> {
        let (sequence, text) = self.order.early.pop_first()?;
        self.order.bytes -= text.len();
        match self.order.early.keys().next() {
            None => self.order.since = None,
            Some(next) if *next == sequence + 1 => {}
            // The next hole has a time of its own.
            Some(_) => self.order.since = Some(now),
        }
        let event_type = Frame::scan(&text)?.event_type?;
        self.take_in(sequence, event_type, &text)
    }

    /// Whether events wait for one that was skipped.
    pub(in crate::pipeline::gateway) fn waits_for_order(&self) -> bool {
        !self.order.early.is_empty()
    }

    /// When to [release](Self::release_early) what waits, whatever came.
    pub(in crate::pipeline::gateway) fn order_deadline(&self) -> Option<Instant> {
        self.order.since.map(|since| since + PATIENCE)
    }

    /// The highest number that came, which is what a heartbeat tells Discord.
    pub(in crate::pipeline::gateway) fn newest_sequence(&self) -> u64 {
        let early = self.order.early.last_key_value();
        early.map_or(self.sequence, |(sequence, _)| *sequence)
    }

    /// Take in what waits although what it waits for has not come.
    pub(in crate::pipeline::gateway) fn release_all(&mut self) {
        let now = Instant::now();
        while self.waits_for_order() && self.release_first(now) != Some(Signal::Undecided) {}
    }
}
