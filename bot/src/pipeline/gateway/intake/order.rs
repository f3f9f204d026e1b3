//! The order of a session's events, by sequence number.
//!
//! A gateway may deliver an event slightly late. Later events wait here until it has arrived, so that the ledger receives everything in
//! order, and the checkpoint never covers a number that is missing: if the process ends meanwhile, the resume replays the late event and
//! those that waited for it. The wait is limited in time, number of events and bytes. If the event has not arrived by then, there is a gap.

use std::collections::BTreeMap;

use tokio::time::{Duration, Instant};

use super::{Intake, Signal, Violation};
use crate::{discord::events::frame::Frame, telemetry::metrics};

/// How long events wait for a missing one. Heartbeats wait as well, which is possible for up to four seconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// The maximum number of skipped events. If more are missing, they are not late but lost.
const MAX_SKIPPED: u64 = 64;

/// The maximum number of waiting events, and of their bytes.
const MAX_WAITING: usize = 10_000;
const MAX_WAITING_BYTES: usize = 8 << 20;

/// The maximum gap within a session: several minutes of the busiest shard. A larger number is not a sequence number, and after it all
/// events would look as if they had already been counted.
pub(super) const MAX_GAP: u64 = 10_000_000;

/// The number of consecutive duplicates outside of a replay after which the numbers are assumed to have restarted.
const MAX_DUPLICATES: u32 = 1_000;

/// Events that arrived early.
#[derive(Debug, Default)]
pub(super) struct Order {
    early: BTreeMap<u64, String>,
    bytes: usize,
    /// Since when the first of them waits.
    since: Option<Instant>,
    /// The number of duplicates since the last new event.
    duplicates: u32,
}

impl Order {
    /// Drop the waiting events: a new connection replays them, or a new session starts.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether the wait is too long, or takes too much memory. `read` is a time at which everything that had arrived was read: on a busy
    /// machine, or before a heartbeat, the missing event may have been waiting in the socket meanwhile.
    fn is_over(&self, read: Option<Instant>) -> bool {
        let waited = self
            .since
            .zip(read)
            .is_some_and(|(since, read)| read >= since + PATIENCE);
        waited || self.bytes > MAX_WAITING_BYTES || self.early.len() > MAX_WAITING
    }
}

impl Intake {
    /// Process a dispatch if it is the next one.
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

    /// Process waiting events up to the next signal: those that follow the last event, and those that have waited too long. Call this
    /// while [events wait](Self::waits_for_order): before each read, and with the time after one that found nothing.
    pub(in crate::pipeline::gateway) fn release_early(&mut self, read: Option<Instant>) -> Option<Signal> {
        while let Some((first, _)) = self.order.early.first_key_value() {
            // What follows the message at which this shard halted is replayed with it.
            if self.halted_at.is_some() {
                return None;
            }
            if *first != self.sequence + 1 && !self.order.is_over(read) {
                return None;
            }
            if let Some(signal) = self.release_first(read.unwrap_or_else(Instant::now)) {
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
            // The next missing number has its own time limit.
            Some(_) => self.order.since = Some(now),
        }
        let event_type = Frame::scan(&text)?.event_type?;
        self.take_in(sequence, event_type, &text)
    }

    /// Whether events wait for a missing one.
    pub(in crate::pipeline::gateway) fn waits_for_order(&self) -> bool {
        !self.order.early.is_empty()
    }

    /// When to [release](Self::release_early) waiting events, whether or not the missing one has arrived.
    pub(in crate::pipeline::gateway) fn order_deadline(&self) -> Option<Instant> {
        self.order.since.map(|since| since + PATIENCE)
    }

    /// The highest received number, which heartbeats send to Discord.
    pub(in crate::pipeline::gateway) fn newest_sequence(&self) -> u64 {
        let early = self.order.early.last_key_value();
        early.map_or(self.sequence, |(sequence, _)| *sequence)
    }

    /// Process the waiting events although the missing one has not arrived.
    pub(in crate::pipeline::gateway) fn release_all(&mut self) {
        let now = Instant::now();
        while self.waits_for_order() && self.release_first(now) != Some(Signal::Undecided) {}
    }
}
