//! Keeps heartbeats from acknowledging events that are not committed.
//!
//! A heartbeat sends Discord the last sequence that was received. Discord does not document whether it then discards the events up to it;
//! if it does, a process that dies between a heartbeat and the flush of the acknowledged events has lost them. twilight sends a heartbeat
//! if its timer is due at the start of a poll, before it reads, and with the sequence that the previous poll returned. So the shard
//! predicts this time, flushes before it, stops reading for a few milliseconds until the flush is committed and the time has come, and
//! polls again: the heartbeat then contains the committed sequence.
//!
//! The pause is limited. If the database is too slow, the heartbeat is sent anyway, since a shard without heartbeats loses its connection.
//! The same happens if the machine is so busy that the pause starts too late. Both are detected after the poll that sent the heartbeat,
//! counted, and followed by an immediate flush.

use std::time::Duration;

use tokio::time::Instant;

/// The minimum time between the start of the pause and the expected heartbeat.
const MARGIN: Duration = Duration::from_millis(15);

/// twilight's timer has certainly fired this long after it was due: tokio's timers have a resolution of milliseconds.
const SLACK: Duration = Duration::from_millis(3);

/// How long a heartbeat may be delayed for the preceding flush: a tenth of [Discord's
/// interval](https://docs.discord.com/developers/events/gateway#sending-heartbeats) of 41.25 s.
const MAX_LATENESS: Duration = Duration::from_secs(4);

/// The prediction for one connection.
#[derive(Debug, Default)]
pub struct Heartbeats {
    interval: Duration,
    due: Option<Instant>,
    /// Since when reading is paused.
    holding: Option<Instant>,
    /// Whether a timer of our own, set later than twilight's, has fired: then twilight's has fired too. The clock alone is not sufficient,
    /// since a busy runtime fires timers late.
    fired: bool,
    /// Whether reading has continued after the pause: it is not paused again before the next expected heartbeat.
    released: bool,
    /// The smoothed duration of this shard's flushes.
    flush: Duration,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Continue to read, and ask again at this time.
    Read(Option<Instant>),
    /// Continue to read, but flush now.
    Flush(Instant),
    /// Do not read. Flush if anything is pending, and ask again when it is committed, or at this time.
    Hold(Instant),
}

impl Heartbeats {
    /// HELLO has arrived: the first heartbeat is due after `jitter`, and the following ones at intervals of `interval`.
    pub fn hello(&mut self, now: Instant, interval: Duration, jitter: Duration) {
        self.interval = interval;
        self.expect(now + jitter);
    }

    /// How much later than predicted a heartbeat was sent at `at`; `None` if it was earlier or not predicted.
    pub fn lateness(&self, at: Instant) -> Option<Duration> {
        at.checked_duration_since(self.due?)
    }

    /// Record that a heartbeat was sent at `at`.
    pub fn sent(&mut self, at: Instant) {
        self.expect(at + self.interval);
    }

    /// Discord requested a heartbeat with op 1, which is sent with the next poll.
    pub fn requested(&mut self, now: Instant) {
        self.expect(now);
    }

    /// A timer for the time of [`Advice::Hold`] has fired.
    pub fn waited(&mut self) {
        self.fired = self.holding.is_some();
    }

    fn expect(&mut self, due: Instant) {
        self.due = Some(due);
        self.holding = None;
        self.fired = false;
        self.released = false;
    }

    /// Record the duration of a flush.
    pub fn flushed(&mut self, took: Duration) {
        self.flush = (self.flush * 3 + took) / 4;
    }

    /// The time between the start of the pause and the expected heartbeat. With short intervals, as in tests, most of the time must remain
    /// for reading.
    fn margin(&self) -> Duration {
        (MARGIN + self.flush * 2).min(self.interval / 6)
    }

    /// Whether the pause before a heartbeat starts at `now` or has started: it ends a burst of reading, however long that has taken.
    pub fn are_near(&self, now: Instant) -> bool {
        self.due
            .filter(|_| !self.released)
            .and_then(|due| due.checked_sub(self.margin()))
            .is_some_and(|from| now >= from)
    }

    /// What to do at `now`, depending on whether everything received is committed (`clean`).
    pub fn advice(&mut self, now: Instant, clean: bool) -> Advice {
        let Some(due) = self.due.filter(|_| !self.released) else {
            return Advice::Read(None);
        };
        let margin = self.margin();
        let (flush_from, hold_from) = (due.checked_sub(margin * 3), due.checked_sub(margin));
        if hold_from.is_some_and(|from| now < from) {
            let from = flush_from.unwrap_or(now);
            return if now < from {
                Advice::Read(Some(from))
            } else {
                Advice::Flush(hold_from.unwrap_or(due))
            };
        }
        self.holding.get_or_insert(now);
        let latest = due + MAX_LATENESS.min(self.interval / 2).max(SLACK);
        if self.fired && (clean || now >= latest) {
            Advice::Read(None)
        } else {
            Advice::Hold(if self.fired { latest } else { due + SLACK })
        }
    }

    /// Reading starts at `now`. Returns the duration of the pause that this ends, if there was one.
    pub fn held(&mut self, now: Instant) -> Option<Duration> {
        let since = self.holding.take()?;
        self.released = true;
        Some(now - since)
    }
}

#[cfg(test)]
mod tests;
