//! The ledger gathers what the handlers changed, one per shard, until the writer takes it.
//!
//! Changes of one key are folded into one entry, so a flush writes a row once however many events touched it. The ledger is
//! taken whole together with the shard's sequence, which is what makes counting exact: a batch contains every event up to
//! its checkpoint and none after it.

pub mod gap;
pub mod last_awards;
pub mod member_xp;
pub mod memory;

use std::sync::Arc;

use self::{
    gap::GapChange,
    last_awards::LastAwards,
    member_xp::{MemberKey, MemberMessage, MemberRows},
    memory::Memory,
};

/// The changes of one shard that are not in a batch yet.
#[derive(Debug)]
pub struct Ledger {
    members: MemberRows,
    last_awards: LastAwards,
    gaps: Vec<GapChange>,
    memory: Arc<Memory>,
    /// What this ledger has charged to `memory` for its entries.
    charged: usize,
}

/// What a batch takes out of the ledger.
#[derive(Debug, Default)]
pub struct Changes {
    /// Members whose messages are to be counted, unsorted.
    pub members: Vec<(MemberKey, member_xp::Pending)>,
    /// What was missed.
    pub gaps: Vec<GapChange>,
    /// Bytes that these changes hold of the process's budget until they are committed.
    pub bytes: usize,
}

impl Ledger {
    /// An empty ledger that draws on the process's `memory`, and remembers the last awards of about `cache_entries` members.
    pub fn new(memory: Arc<Memory>, cache_entries: usize) -> Self {
        Self {
            members: MemberRows::default(),
            last_awards: LastAwards::new(cache_entries),
            gaps: Vec::new(),
            memory,
            charged: 0,
        }
    }

    /// Count a member's message.
    pub fn member_message(&mut self, key: MemberKey, message: MemberMessage) {
        let grown = self.members.apply(key, message, &self.last_awards);
        if grown > 0 {
            self.charged += grown;
            self.memory.charge(grown);
        }
    }

    /// Note what was missed.
    pub fn gap(&mut self, change: GapChange) {
        self.gaps.push(change);
    }

    /// Rows that the next flush would write.
    pub fn rows(&self) -> usize {
        self.members.len()
    }

    /// Bytes that the entries hold.
    pub const fn bytes(&self) -> usize {
        self.charged
    }

    /// Take everything out. The charge for it goes along, and is given back by [`Ledger::settle`].
    pub fn take(&mut self) -> Changes {
        Changes {
            members: self.members.take(&mut self.last_awards),
            gaps: std::mem::take(&mut self.gaps),
            bytes: std::mem::take(&mut self.charged),
        }
    }

    /// A batch was committed: give its memory back, and learn the last awards that its transaction had to read.
    pub fn settle(&mut self, bytes: usize, learned: &[(MemberKey, member_xp::LastAward)]) {
        self.memory.release(bytes);
        for (key, last_award) in learned {
            let shrunk = self.members.learn(key, *last_award);
            match shrunk {
                Some(bytes) => {
                    self.charged = self.charged.saturating_sub(bytes);
                    self.memory.release(bytes);
                }
                None => self.last_awards.remember(*key, *last_award),
            }
        }
    }

    /// Forget what is pending and what is remembered: the shard belongs to another process now, and its events will be
    /// replayed there. Returns how many rows were dropped.
    pub fn forget(&mut self) -> usize {
        let rows = self.rows();
        self.memory.release(std::mem::take(&mut self.charged));
        self.members = MemberRows::default();
        self.last_awards.clear();
        self.gaps.clear();
        rows
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.memory.release(self.charged);
    }
}
