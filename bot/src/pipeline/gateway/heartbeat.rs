//! Keeps heartbeats from running ahead of the checkpoint.
//!
//! A heartbeat tells Discord the last sequence that was received. Discord does not say whether it then forgets the events up to
//! it; if it does, a process that dies between a heartbeat and the flush of what the heartbeat covered has lost those events.
//! twilight sends a heartbeat when its timer is due at the beginning of a poll, before it reads, and with the sequence that the
//! poll before returned. So the shard predicts the moment, flushes before it, stops reading for a few milliseconds until that
//! flush is committed and the moment has come, and polls again: the heartbeat carries the committed sequence.
//!
//! The pause is bounded. When the database is too slow for it the heartbeat goes out all the same, since a shard without
//! heartbeats loses its connection. So it does when the machine is so busy that the pause begins too late. Either is seen after
//! the poll that sent it, counted, and followed by a flush at once.

use std::time::Duration;

use tokio::time::Instant;

/// How much earlier than expected the pause begins, at least.
const MARGIN: Duration = Duration::from_millis(15);

/// twilight's timer is known to have fired this long after it was due: tokio's timers count in milliseconds.
const SLACK: Duration = Duration::from_millis(3);

/// How long a heartbeat may be late for the sake of the flush before it: a tenth of
/// [Discord's interval](https://docs.discord.com/developers/events/gateway#sending-heartbeats) of 41.25 s.
const MAX_LATENESS: Duration = Duration::from_secs(4);

/// The prediction for one connection.
#[derive(Debug, Default)]
pub struct Heartbeats {
    interval: Duration,
    due: Option<Instant>,
    /// Since when reading is paused.
    holding: Option<Instant>,
    /// Whether a timer of our own, set for later than twilight's, has fired: then twilight's has too. The clock alone does not
    /// tell, since a busy runtime fires timers late.
    fired: bool,
    /// Whether reading goes on after the pause: it is not paused again before the next heartbeat is expected.
    released: bool,
    /// Smoothed duration of this shard's flushes.
    flush: Duration,
}

/// What to do at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Read on; ask again at this time.
    Read(Option<Instant>),
    /// Read on, but flush now.
    Flush(Instant),
    /// Do not read: flush if anything is pending, and ask again when it is committed, or at this time.
    Hold(Instant),
}

impl Heartbeats {
    /// HELLO came: the first heartbeat is due after `jitter`, the next ones after `interval` each.
    pub fn hello(&mut self, now: Instant, interval: Duration, jitter: Duration) {
        self.interval = interval;
        self.expect(now + jitter);
    }

    /// How much later than predicted a heartbeat was sent at `at`; `None` if it was earlier, or not predicted.
    pub fn lateness(&self, at: Instant) -> Option<Duration> {
        at.checked_duration_since(self.due?)
    }

    /// A heartbeat was sent at `at`.
    pub fn sent(&mut self, at: Instant) {
        self.expect(at + self.interval);
    }

    /// Discord asked for a heartbeat with op 1: it goes out with the next poll.
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

    /// A flush took this long.
    pub fn flushed(&mut self, took: Duration) {
        self.flush = (self.flush * 3 + took) / 4;
    }

    /// How much earlier than expected the pause begins. Short intervals, as tests use them, must leave most of the time for reading.
    fn margin(&self) -> Duration {
        (MARGIN + self.flush * 2).min(self.interval / 6)
    }

    /// Whether the pause before a heartbeat begins at `now`, or has begun: a burst of reading ends there, however long it has taken.
    pub fn are_near(&self, now: Instant) -> bool {
        self.due
            .filter(|_| !self.released)
            .and_then(|due| due.checked_sub(self.margin()))
            .is_some_and(|from| now >= from)
    }

    /// What to do at `now`, when everything received is committed (`clean`) or not.
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

    /// Reading begins at `now`. Returns the pause that this ends, if there was one.
    pub fn held(&mut self, now: Instant) -> Option<Duration> {
        let since = self.holding.take()?;
        self.released = true;
        Some(now - since)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Advice, Heartbeats};

    const INTERVAL: Duration = Duration::from_millis(41_250);

    #[tokio::test(start_paused = true)]
    async fn it_flushes_then_holds_then_lets_the_heartbeat_go() {
        let start = Instant::now();
        let mut beats = Heartbeats::default();
        assert_eq!(beats.advice(start, false), Advice::Read(None));
        beats.hello(start, INTERVAL, Duration::from_secs(10));
        beats.flushed(Duration::from_millis(20));
        let due = start + Duration::from_secs(10);
        assert!(matches!(beats.advice(start, false), Advice::Read(Some(at)) if at < due));
        assert!(!beats.are_near(due - Duration::from_secs(1)));
        assert!(beats.are_near(due - Duration::from_millis(5)));
        assert!(matches!(
            beats.advice(due - Duration::from_millis(30), false),
            Advice::Flush(_)
        ));
        assert!(matches!(
            beats.advice(due - Duration::from_millis(5), false),
            Advice::Hold(_)
        ));
        // Committed, but the moment has not come: reading now would put the next event's sequence into the heartbeat.
        assert!(matches!(beats.advice(due - Duration::from_millis(1), true), Advice::Hold(at) if at > due));
        let after = due + Duration::from_millis(3);
        // The clock is past the moment, but no timer has fired yet: twilight's may not have either.
        assert!(matches!(beats.advice(after, true), Advice::Hold(_)));
        beats.waited();
        assert_eq!(beats.advice(after, true), Advice::Read(None));
        assert!(beats.held(after).is_some());
        // One pause a heartbeat, however often is asked before it is seen to have been sent.
        assert_eq!(beats.advice(after, false), Advice::Read(None));
        assert_eq!(beats.held(after), None);
        assert!(!beats.are_near(after));
        beats.sent(after);
        assert!(matches!(beats.advice(after, false), Advice::Read(Some(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_database_delays_a_heartbeat_by_four_seconds_at_most() {
        let start = Instant::now();
        let mut beats = Heartbeats::default();
        beats.hello(start, INTERVAL, Duration::from_secs(1));
        let due = start + Duration::from_secs(1);
        assert!(matches!(beats.advice(due, false), Advice::Hold(_)));
        beats.waited();
        assert!(matches!(
            beats.advice(due + Duration::from_millis(3_999), false),
            Advice::Hold(_)
        ));
        assert_eq!(
            beats.advice(due + Duration::from_secs(4), false),
            Advice::Read(None)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_requested_heartbeat_waits_for_the_flush() {
        let start = Instant::now();
        let mut beats = Heartbeats::default();
        beats.hello(start, INTERVAL, INTERVAL);
        beats.requested(start);
        assert!(matches!(beats.advice(start, false), Advice::Hold(_)));
        beats.waited();
        assert_eq!(
            beats.advice(start + Duration::from_millis(3), true),
            Advice::Read(None)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn short_intervals_leave_time_to_read() {
        let start = Instant::now();
        let interval = Duration::from_millis(300);
        let mut beats = Heartbeats::default();
        beats.hello(start, interval, interval);
        beats.flushed(Duration::from_secs(4));
        assert!(matches!(
            beats.advice(start + Duration::from_millis(140), false),
            Advice::Read(_)
        ));
    }
}
