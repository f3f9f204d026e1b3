//! Pending changes of `member_xp`: one entry per member, regardless of the number of messages.
//!
//! Whether a message earns XP depends on the member's last award. If that is cached, an entry is three numbers. If not (a member's first
//! message since this process took over the shard), the messages that could earn are kept in order, and the rule is applied once the stored
//! award has been read, in the transaction that writes the row.

use std::collections::{HashMap, hash_map::Entry};

use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, MessageMarker, RoleMarker},
};

use super::last_awards::LastAwards;
use crate::{
    features::levels::rules::{cooldown::earns, week::week_of},
    support::ids::{MemberKey, Millis},
};

/// When a member was last awarded XP; `None` if never.
pub type LastAward = Option<Millis>;

/// A counted message with its reward.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct MemberMessage {
    /// When the message was sent.
    pub at: Millis,
    /// The channel in which it was sent.
    pub channel_id: Id<ChannelMarker>,
    /// The XP that it earns.
    pub earns: Earns,
}

/// The reward of a message.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Earns {
    /// XP, if the cooldown has passed.
    Xp {
        /// The amount.
        xp: u32,
        /// Milliseconds since the last award after which it earns; 0 for no cooldown.
        cooldown: Millis,
    },
    /// No XP, and it starts no cooldown.
    Nothing,
    /// The guild's rules, or the data that they need, are not cached: resolved before the flush.
    Undecided(Box<Undecided>),
}

/// The known data of a message whose reward is undecided.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Undecided {
    /// The message ID.
    pub id: Id<MessageMarker>,
    /// The author's roles; `None` if the message did not include them, as over REST.
    pub roles: Option<Box<[Id<RoleMarker>]>>,
}

/// Additions to a member's row. Sums stay below 2^63, the limit of BIGINT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct MemberDelta {
    /// XP to add.
    pub xp: u64,
    /// Messages to add.
    pub messages: u64,
    /// The last award after this change; `None` if there never was one.
    pub last_award: LastAward,
    /// The latest week in which one of these messages earned XP, by their own timestamps; 0 if none did.
    pub week: i32,
    /// The XP earned in that week.
    pub week_xp: u64,
    /// The channel of the last message that earned XP; `None` if none did.
    pub channel_id: Option<Id<ChannelMarker>>,
}

/// The pending changes of one member.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Pending {
    delta: MemberDelta,
    /// Whether `delta.last_award` includes the stored one. If not, it covers only what is certain without it.
    known: bool,
    /// The timestamp of the oldest message.
    oldest: Millis,
    /// Messages whose reward depends on the stored last award or on rules that are not cached, and all messages after them, in order.
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

    /// Count a message. Returns the number of bytes by which the entry grew.
    fn add(&mut self, message: MemberMessage) -> usize {
        self.delta.messages = saturating_sum(self.delta.messages, 1);
        self.oldest = self.oldest.min(message.at);
        if self.undecided.is_empty() {
            match message.earns {
                Earns::Nothing => return 0,
                // Without a cooldown it earns whatever the stored award is.
                Earns::Xp { xp, cooldown } if self.known || cooldown == 0 => {
                    self.delta.award(message.at, message.channel_id, xp, cooldown);
                    return 0;
                }
                Earns::Xp { .. } | Earns::Undecided(_) => {}
            }
        }
        // In order: each message may start the cooldown of the next.
        let before = self.undecided.capacity();
        let facts = message.earns.bytes();
        if before == 0 {
            // Most members send one message until their award is read, and a vector would begin with room for four.
            self.undecided.reserve_exact(1);
        }
        self.undecided.push(message);
        (self.undecided.capacity() - before) * size_of::<MemberMessage>() + facts
    }

    /// Whether [`Pending::resolve`] needs the stored last award to be exact.
    pub const fn needs_stored_award(&self) -> bool {
        !self.known
    }

    /// The timestamp of the oldest message.
    pub const fn oldest(&self) -> Millis {
        self.oldest
    }

    /// Whether the last award is known only after resolution.
    pub const fn is_open(&self) -> bool {
        !self.known || !self.undecided.is_empty()
    }

    /// Messages whose reward is undecided and must be resolved before [`Pending::resolve`].
    pub fn undecided(&mut self) -> impl Iterator<Item = &mut MemberMessage> {
        let messages = self.undecided.iter_mut();
        messages.filter(|message| matches!(message.earns, Earns::Undecided(_)))
    }

    /// The change, given the stored last award (ignored if the entry already includes it).
    #[must_use]
    pub fn resolve(&self, stored: LastAward) -> MemberDelta {
        let mut delta = self.delta;
        if !self.known {
            // `None` is lower than any award.
            delta.last_award = delta.last_award.max(stored);
        }
        for message in &self.undecided {
            delta.apply(message);
        }
        delta
    }

    /// Apply the stored last award, and decide the messages that waited only for it.
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

    /// The size of the undecided messages, in bytes.
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
    /// Apply a message whose reward is decided.
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

    /// Add XP of a week: only the latest week's is kept separately.
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

/// The sum, capped at the maximum of BIGINT.
pub fn saturating_sum(a: u64, b: u64) -> u64 {
    a.saturating_add(b).min(i64::MAX.cast_unsigned())
}

/// Pending entries by member.
#[derive(Debug, Default)]
pub(crate) struct MemberRows {
    rows: HashMap<MemberKey, Pending, FxBuildHasher>,
}

/// The size of an entry, with its share of the table's free slots, of the vector that hands it over, and of the batch's list of members.
const ENTRY_BYTES: usize = 2 * (2 * size_of::<MemberKey>() + size_of::<Pending>());

/// A table that grew during an outage is shrunk when its capacity is this many times its last use.
const SHRINK_FACTOR: usize = 8;

impl MemberRows {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn contains(&self, key: &MemberKey) -> bool {
        self.rows.contains_key(key)
    }

    /// Count a message. Returns the number of bytes by which the entries grew.
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

    /// Take all entries, and cache the last awards that are known.
    pub(crate) fn take(&mut self, last_awards: &mut LastAwards) -> Vec<(MemberKey, Pending)> {
        let used = self.rows.len();
        let taken = self
            .rows
            .drain()
            .inspect(|(key, pending)| {
                if pending.is_open() {
                    // The cached award is outdated now.
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

    /// Apply a stored last award. Returns the number of bytes by which the member's entry shrank; `None` if there is no entry.
    pub(crate) fn learn(&mut self, key: &MemberKey, stored: LastAward) -> Option<usize> {
        let pending = self.rows.get_mut(key)?;
        let before = pending.waiting_bytes();
        pending.learn(stored);
        Some(before.saturating_sub(pending.waiting_bytes()))
    }
}

#[cfg(test)]
mod tests;
