//! Pending changes of `member_xp`: one entry a member, whatever number of messages they sent.
//!
//! Whether a message earns depends on the member's last award. When that is remembered, an entry is three numbers. When it is
//! not (a member's first message since the shard came to this process), the messages that could earn are kept in order, and
//! the rule is applied to them once the stored award has been read, in the transaction that writes the row.

use std::collections::{HashMap, hash_map::Entry};

use rustc_hash::FxBuildHasher;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, UserMarker},
};

use super::last_awards::LastAwards;
use crate::rules::award::{Millis, earns};

/// When a member was last awarded XP; `None` before the first time.
pub type LastAward = Option<Millis>;

/// A member of a guild. Ordered as the primary key of `member_xp` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberKey {
    /// The guild.
    pub guild_id: Id<GuildMarker>,
    /// The user.
    pub user_id: Id<UserMarker>,
}

/// A message that counts, with the rule that was in force when it came.
#[derive(Clone, Copy, Debug)]
pub struct MemberMessage {
    /// When it was sent.
    pub at: Millis,
    /// Where it was sent.
    pub channel_id: Id<ChannelMarker>,
    /// What it earns, if it earns.
    pub xp: u32,
    /// Milliseconds since the last award after which it earns; 0 for always.
    pub cooldown: Millis,
}

/// What is added to a member's row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberDelta {
    /// XP to add.
    pub xp: u64,
    /// Messages to add.
    pub messages: u64,
    /// The last award after this; `None` when there never was one.
    pub last_award: LastAward,
    /// Where the message was sent that earned last; `None` when none of these earned.
    pub channel_id: Option<Id<ChannelMarker>>,
}

/// The changes of one member.
#[derive(Clone, Debug)]
pub struct Pending {
    delta: MemberDelta,
    /// Whether `delta.last_award` takes the stored one into account. If not, it is only what is certain without it.
    known: bool,
    /// Messages whose award depends on the stored last award, in order. Empty when that is known.
    undecided: Vec<MemberMessage>,
}

impl Pending {
    fn new(remembered: Option<LastAward>) -> Self {
        Self {
            delta: MemberDelta {
                last_award: remembered.flatten(),
                ..MemberDelta::default()
            },
            known: remembered.is_some(),
            undecided: Vec::new(),
        }
    }

    /// Count a message. Returns by how many bytes the entry grew.
    fn add(&mut self, message: MemberMessage) -> usize {
        self.delta.messages += 1;
        // Without a cooldown the message earns whatever is stored; but not before an undecided one has had its turn.
        if self.known || (message.cooldown == 0 && self.undecided.is_empty()) {
            self.delta.award(message);
            return 0;
        }
        let before = self.undecided.capacity();
        self.undecided.push(message);
        (self.undecided.capacity() - before) * size_of::<MemberMessage>()
    }

    /// Whether the stored last award has to be read before [`Pending::resolve`] can be exact.
    pub const fn needs_stored_award(&self) -> bool {
        !self.known
    }

    /// The change, given the stored last award (which is ignored when the entry took it into account already).
    #[must_use]
    pub fn resolve(&self, stored: LastAward) -> MemberDelta {
        let mut delta = self.delta;
        if !self.known {
            // `None` is less than any award.
            delta.last_award = delta.last_award.max(stored);
            for message in &self.undecided {
                delta.award(*message);
            }
        }
        delta
    }
}

impl MemberDelta {
    fn award(&mut self, message: MemberMessage) {
        if earns(self.last_award, message.at, message.cooldown) {
            self.xp += u64::from(message.xp);
            self.last_award = self.last_award.max(Some(message.at));
            self.channel_id = Some(message.channel_id);
        }
    }
}

/// Entries by member.
#[derive(Debug, Default)]
pub(super) struct MemberRows {
    rows: HashMap<MemberKey, Pending, FxBuildHasher>,
}

/// What an entry takes, with its share of the table's free slots and of the vector it is handed over in.
const ENTRY_BYTES: usize = 2 * (size_of::<MemberKey>() + size_of::<Pending>());

/// A table that was grown by an outage is given back when it is this many times larger than its last use.
const SHRINK_FACTOR: usize = 8;

impl MemberRows {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Count a message. Returns by how many bytes the entries grew.
    pub(super) fn apply(
        &mut self,
        key: MemberKey,
        message: MemberMessage,
        last_awards: &LastAwards,
    ) -> usize {
        match self.rows.entry(key) {
            Entry::Occupied(entry) => entry.into_mut().add(message),
            Entry::Vacant(entry) => {
                let pending = entry.insert(Pending::new(last_awards.get(&key)));
                ENTRY_BYTES + pending.add(message)
            }
        }
    }

    /// Take all entries, and remember the last awards that are known.
    pub(super) fn take(&mut self, last_awards: &mut LastAwards) -> Vec<(MemberKey, Pending)> {
        let used = self.rows.len();
        let taken = self
            .rows
            .drain()
            .inspect(|(key, pending)| {
                if pending.known {
                    last_awards.remember(*key, pending.delta.last_award);
                }
            })
            .collect();
        if self.rows.capacity() > SHRINK_FACTOR * used.max(1024) {
            self.rows.shrink_to(2 * used);
        }
        taken
    }

    /// A stored last award became known. Returns how many bytes an entry of the member shrank by; `None` if it has none.
    pub(super) fn learn(&mut self, key: &MemberKey, stored: LastAward) -> Option<usize> {
        let pending = self.rows.get_mut(key)?;
        let delta = pending.resolve(stored);
        let undecided = std::mem::take(&mut pending.undecided);
        *pending = Pending {
            delta,
            known: true,
            undecided: Vec::new(),
        };
        Some(undecided.capacity() * size_of::<MemberMessage>())
    }
}

#[cfg(test)]
mod tests;
