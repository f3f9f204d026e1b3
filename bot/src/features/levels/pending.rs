//! Pending changes of `member_xp`: one entry a member, whatever number of messages they sent.
//!
//! Whether a message earns depends on the member's last award. When that is remembered, an entry is three numbers. When it is
//! not (a member's first message since the shard came to this process), the messages that could earn are kept in order, and
//! the rule is applied to them once the stored award has been read, in the transaction that writes the row.

use std::collections::{HashMap, hash_map::Entry};

use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, MessageMarker, RoleMarker},
};

use super::last_awards::LastAwards;
use crate::{
    features::levels::rules::{award::earns, week::week_of},
    support::ids::{MemberKey, Millis},
};

/// When a member was last awarded XP; `None` before the first time.
pub type LastAward = Option<Millis>;

/// A message that counts, with what it earns.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct MemberMessage {
    /// When it was sent.
    pub at: Millis,
    /// Where it was sent.
    pub channel_id: Id<ChannelMarker>,
    /// What it earns.
    pub earns: Earns,
}

/// What a message earns.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Earns {
    /// XP, if the cooldown is over.
    Xp {
        /// How much.
        xp: u32,
        /// Milliseconds since the last award after which it earns; 0 for always.
        cooldown: Millis,
    },
    /// Nothing, and it begins no cooldown.
    Nothing,
    /// The guild's rules, or what they ask for, are not at hand: it is decided before the flush.
    Undecided(Box<Undecided>),
}

/// What is known of a message whose worth is not.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Undecided {
    /// Its id.
    pub id: Id<MessageMarker>,
    /// The author's roles; `None` where the message did not tell them, as over REST.
    pub roles: Option<Box<[Id<RoleMarker>]>>,
}

/// What is added to a member's row. The sums stay below 2^63, which is what a BIGINT holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct MemberDelta {
    /// XP to add.
    pub xp: u64,
    /// Messages to add.
    pub messages: u64,
    /// The last award after this; `None` when there never was one.
    pub last_award: LastAward,
    /// The newest week in which one of these earned, by the messages' own time; 0 when none did.
    pub week: i32,
    /// What was earned in it.
    pub week_xp: u64,
    /// Where the message was sent that earned last; `None` when none of these earned.
    pub channel_id: Option<Id<ChannelMarker>>,
}

/// The changes of one member.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Pending {
    delta: MemberDelta,
    /// Whether `delta.last_award` takes the stored one into account. If not, it is only what is certain without it.
    known: bool,
    /// When the oldest of the messages was sent.
    oldest: Millis,
    /// Messages whose award depends on the stored last award, or on rules that are not at hand, and those behind them, in order.
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
            oldest: Millis::MAX,
            undecided: Vec::new(),
        }
    }

    /// Count a message. Returns by how many bytes the entry grew.
    fn add(&mut self, message: MemberMessage) -> usize {
        self.delta.messages = saturating_sum(self.delta.messages, 1);
        self.oldest = self.oldest.min(message.at);
        if self.undecided.is_empty() {
            match message.earns {
                Earns::Nothing => return 0,
                // Without a cooldown it earns whatever is stored.
                Earns::Xp { xp, cooldown } if self.known || cooldown == 0 => {
                    self.delta.award(message.at, message.channel_id, xp, cooldown);
                    return 0;
                }
                Earns::Xp { .. } | Earns::Undecided(_) => {}
            }
        }
        // In order: each may begin the cooldown of the next.
        let before = self.undecided.capacity();
        let facts = message.earns.bytes();
        self.undecided.push(message);
        (self.undecided.capacity() - before) * size_of::<MemberMessage>() + facts
    }

    /// Whether the stored last award has to be read before [`Pending::resolve`] can be exact.
    pub const fn needs_stored_award(&self) -> bool {
        !self.known
    }

    /// When the oldest of the messages was sent.
    pub const fn oldest(&self) -> Millis {
        self.oldest
    }

    /// Whether the last award after it is known only when it is resolved.
    pub const fn is_open(&self) -> bool {
        !self.known || !self.undecided.is_empty()
    }

    /// Messages of which nobody knows what they earn, to be decided before [`Pending::resolve`].
    pub fn undecided(&mut self) -> impl Iterator<Item = &mut MemberMessage> {
        let messages = self.undecided.iter_mut();
        messages.filter(|message| matches!(message.earns, Earns::Undecided(_)))
    }

    /// The change, given the stored last award (which is ignored when the entry took it into account already).
    #[must_use]
    pub fn resolve(&self, stored: LastAward) -> MemberDelta {
        let mut delta = self.delta;
        if !self.known {
            // `None` is less than any award.
            delta.last_award = delta.last_award.max(stored);
        }
        for message in &self.undecided {
            delta.apply(message);
        }
        delta
    }

    /// The stored last award became known: award what waited for nothing else.
    fn learn(&mut self, stored: LastAward) {
        if !self.known {
            self.delta.last_award = self.delta.last_award.max(stored);
            self.known = true;
        }
        let undecided = |message: &MemberMessage| matches!(message.earns, Earns::Undecided(_));
        let first = self.undecided.iter().position(undecided);
        let rest = self.undecided.split_off(first.unwrap_or(self.undecided.len()));
        for message in std::mem::replace(&mut self.undecided, rest) {
            self.delta.apply(&message);
        }
    }

    /// Bytes of the messages that wait.
    fn waiting_bytes(&self) -> usize {
        let facts: usize = self.undecided.iter().map(|message| message.earns.bytes()).sum();
        self.undecided.capacity() * size_of::<MemberMessage>() + facts
    }
}

impl Earns {
    fn bytes(&self) -> usize {
        match self {
            Self::Undecided(facts) => {
                let roles = facts.roles.as_ref().map_or(0, |roles| size_of_val(&**roles));
                size_of::<Undecided>() + roles
            }
            Self::Xp { .. } | Self::Nothing => 0,
        }
    }
}

impl MemberDelta {
    /// Award a message that is decided.
    fn apply(&mut self, message: &MemberMessage) {
        match message.earns {
            Earns::Xp { xp, cooldown } => self.award(message.at, message.channel_id, xp, cooldown),
            Earns::Nothing => {}
            Earns::Undecided(_) => debug_assert!(false, "decided before it is resolved"),
        }
    }

    fn award(&mut self, at: Millis, channel_id: Id<ChannelMarker>, xp: u32, cooldown: Millis) {
        if earns(self.last_award, at, cooldown) {
            self.xp = saturating_sum(self.xp, u64::from(xp));
            self.last_award = self.last_award.max(Some(at));
            self.channel_id = Some(channel_id);
            self.earned_in(week_of(at), u64::from(xp));
        }
    }

    /// Note XP of a week: only the newest one's is kept apart.
    pub fn earned_in(&mut self, week: i32, xp: u64) {
        if week > self.week {
            self.week = week;
            self.week_xp = 0;
        }
        if week == self.week {
            self.week_xp = saturating_sum(self.week_xp, xp);
        }
    }
}

/// The sum, or the largest number that a BIGINT holds.
pub fn saturating_sum(a: u64, b: u64) -> u64 {
    a.saturating_add(b).min(i64::MAX.cast_unsigned())
}

/// Entries by member.
#[derive(Debug, Default)]
pub(crate) struct MemberRows {
    rows: HashMap<MemberKey, Pending, FxBuildHasher>,
}

/// What an entry takes, with its share of the table's free slots, of the vector it is handed over in, and of the batch's set of members.
const ENTRY_BYTES: usize = 2 * (2 * size_of::<MemberKey>() + size_of::<Pending>());

/// A table that was grown by an outage is given back when it is this many times larger than its last use.
const SHRINK_FACTOR: usize = 8;

impl MemberRows {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn contains(&self, key: &MemberKey) -> bool {
        self.rows.contains_key(key)
    }

    /// Count a message. Returns by how many bytes the entries grew.
    pub(crate) fn apply(
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
    pub(crate) fn take(&mut self, last_awards: &mut LastAwards) -> Vec<(MemberKey, Pending)> {
        let used = self.rows.len();
        let taken = self
            .rows
            .drain()
            .inspect(|(key, pending)| {
                if pending.is_open() {
                    // What is remembered is from before it.
                    last_awards.forget(key);
                } else {
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
    pub(crate) fn learn(&mut self, key: &MemberKey, stored: LastAward) -> Option<usize> {
        let pending = self.rows.get_mut(key)?;
        let before = pending.waiting_bytes();
        pending.learn(stored);
        Some(before.saturating_sub(pending.waiting_bytes()))
    }
}

#[cfg(test)]
mod tests;
