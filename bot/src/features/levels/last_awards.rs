//! The last awards of recently active members, so that a flush need not read them from the database.
//!
//! A table of four-way sets: a full set evicts the member with the oldest award, who is least likely to be within a cooldown. An evicted
//! entry costs one extra row read in the next flush of that member, nothing else. The table grows with its members up to a limit, so that
//! it takes little memory, and few pages of it, where few members write.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

use super::pending::LastAward;
use crate::support::ids::MemberKey;

const WAYS: usize = 4;

/// The last award of a member known to have none. Evicted first, after free slots are used.
const NEVER: i64 = i64::MIN + 1;

/// The number of sets of a table with its first member.
const FIRST_SETS: usize = 64;

/// Guild, user, last award. All zeros if free.
type Slot = [u64; 3];

/// A bounded map from member to last award.
#[derive(Debug)]
pub struct LastAwards {
    slots: Vec<Slot>,
    /// The number of slots in use.
    used: usize,
    most_sets: usize,
}

impl LastAwards {
    /// Room for about `entries` members at most, 24 bytes each; at least one set.
    pub fn new(entries: usize) -> Self {
        Self {
            slots: Vec::new(),
            used: 0,
            most_sets: entries.div_ceil(WAYS).max(1),
        }
    }

    fn sets(&self) -> usize {
        self.slots.len() / WAYS
    }

    /// The first slot of the set for a guild and a user.
    fn set_of(&self, key: (u64, u64)) -> usize {
        let hash = FxBuildHasher.hash_one(key);
        // The upper half of the product maps a hash to any number of sets, without a division.
        let scaled = (u128::from(hash) * self.sets() as u128) >> 64;
        usize::try_from(scaled).expect("below the number of sets") * WAYS
    }

    /// The cached last award of a member; `None` if unknown.
    pub fn get(&self, key: &MemberKey) -> Option<LastAward> {
        if self.slots.is_empty() {
            return None;
        }
        let first = self.set_of(parts(key));
        self.slots[first..first + WAYS]
            .iter()
            .find(|slot| is_of(slot, key))
            .map(|slot| Some(slot[2].cast_signed()).filter(|last_award| *last_award != NEVER))
    }

    /// Store a member's last award.
    pub fn remember(&mut self, key: MemberKey, last_award: LastAward) {
        if self.used * 3 >= self.slots.len() && self.sets() < self.most_sets {
            self.grow();
        }
        self.put([
            key.guild_id.get(),
            key.user_id.get(),
            last_award.unwrap_or(NEVER).cast_unsigned(),
        ]);
    }

    /// Double the number of sets, within the limit. Below the limit, two of three slots are free, so that few sets are full.
    fn grow(&mut self) {
        let sets = (self.sets() * 2).max(FIRST_SETS).min(self.most_sets);
        // Written here: a fresh page that is read before it is written is mapped twice.
        let mut slots = Vec::with_capacity(sets * WAYS);
        slots.resize(sets * WAYS, [0; 3]);
        let before = std::mem::replace(&mut self.slots, slots);
        self.used = 0;
        for slot in before.into_iter().filter(|slot| !is_free(slot)) {
            self.put(slot);
        }
    }

    fn put(&mut self, slot: Slot) {
        let [guild, user, _] = slot;
        let first = self.set_of((guild, user));
        let set = &mut self.slots[first..first + WAYS];
        let chosen = match set.iter().position(|other| other[..2] == slot[..2]) {
            Some(own) => own,
            None => (0..WAYS)
                .min_by_key(|way| worth(&set[*way]))
                .expect("a set has four ways"),
        };
        self.used += usize::from(is_free(&set[chosen]));
        set[chosen] = slot;
    }

    /// Remove a member.
    pub fn forget(&mut self, key: &MemberKey) {
        if self.slots.is_empty() {
            return;
        }
        let first = self.set_of(parts(key));
        let own = self.slots[first..first + WAYS]
            .iter_mut()
            .find(|slot| is_of(slot, key));
        if let Some(slot) = own {
            *slot = [0; 3];
            self.used -= 1;
        }
    }

    /// Remove all members.
    pub fn clear(&mut self) {
        self.slots = Vec::new();
        self.used = 0;
    }
}

const fn parts(key: &MemberKey) -> (u64, u64) {
    (key.guild_id.get(), key.user_id.get())
}

const fn is_free(slot: &Slot) -> bool {
    slot[0] == 0
}

const fn is_of(slot: &Slot, key: &MemberKey) -> bool {
    slot[0] == key.guild_id.get() && slot[1] == key.user_id.get()
}

/// The slot with the lowest value is replaced: a free one, or else the oldest award.
const fn worth(slot: &Slot) -> i64 {
    if is_free(slot) {
        i64::MIN
    } else {
        slot[2].cast_signed()
    }
}

#[cfg(test)]
mod tests;
