//! One session: which events are its own, and how far a client has got.

use tokio::time::Instant;

use crate::record::Log;

/// A session. Its events are kept as indexes into the world's history; sequence `n` is the entry `n - 1`.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) shard: [u32; 2],
    pub(crate) intents: u64,
    /// Index into the history, relative to `origin`, of each event.
    log: Log<u32>,
    origin: u64,
    /// The last sequence handed to a connection.
    pub(crate) sent: u64,
    /// The last sequence ever handed to a connection; smaller ones are replays.
    pub(crate) high: u64,
    /// The last sequence that the kernel of the present connection took.
    pub(crate) written: u64,
    /// Events up to here were forgotten because a heartbeat acknowledged them.
    pub(crate) forgotten: u64,
    pub(crate) connection: Option<u64>,
    /// Since when there is no connection.
    pub(crate) left_at: Option<Instant>,
    pub(crate) alive: bool,
    /// Whether events came since the connection was last woken.
    pub(crate) dirty: bool,
}

impl Session {
    pub(crate) fn new(id: String, shard: [u32; 2], intents: u64, origin: u64, connection: u64) -> Self {
        Self {
            id,
            shard,
            intents,
            log: Log::new(),
            origin,
            sent: 0,
            high: 0,
            written: 0,
            forgotten: 0,
            connection: Some(connection),
            left_at: None,
            alive: true,
            dirty: false,
        }
    }

    /// Adds the event at an index of the history.
    pub(crate) fn push(&mut self, index: u64) {
        // Four bytes an event reach for four billion events of the world after the session's beginning, half a day at
        // full speed; what is further away could not be resumed and ends the session's log.
        if let Ok(offset) = u32::try_from(index - self.origin) {
            self.log.push(offset);
        } else {
            self.alive = false;
        }
    }

    pub(crate) const fn last_seq(&self) -> u64 {
        self.log.end()
    }

    pub(crate) const fn unsent(&self) -> u64 {
        self.log.end() - self.sent
    }

    /// The index into the history of the event with a sequence.
    pub(crate) fn index_of(&self, seq: u64) -> Option<u64> {
        self.log
            .get(seq.checked_sub(1)?)
            .map(|offset| self.origin + u64::from(offset))
    }

    /// The last sequence that is no longer in the buffer, given the first index that the history still has.
    pub(crate) fn below_buffer(&self, replay_limit: u64, history_start: u64) -> u64 {
        let by_count = self.log.end().saturating_sub(replay_limit);
        let mut low = by_count.max(self.log.start());
        // The history goes in whole chunks, so this is a search and not a walk.
        let mut high = self.log.end();
        while low < high {
            let middle = low + (high - low) / 2;
            if self
                .index_of(middle + 1)
                .is_some_and(|index| index >= history_start)
            {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The indexes of all events up to a sequence.
    pub(crate) fn indexes_up_to(&self, seq: u64) -> impl Iterator<Item = u64> + '_ {
        self.log
            .iter_from(0)
            .take_while(move |&(at, _)| at < seq)
            .map(|(_, offset)| self.origin + u64::from(offset))
    }

    /// Forgets what the history no longer has.
    pub(crate) fn trim(&mut self, history_start: u64) {
        let gone = self.below_buffer(u64::MAX, history_start);
        self.log.forget_below(gone);
    }
}
