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
mod tests {
    use twilight_model::id::Id;

    use super::{LastAwards, MemberKey};

    fn member(user: u64) -> MemberKey {
        MemberKey {
            guild_id: Id::new(1),
            user_id: Id::new(user),
        }
    }

    #[test]
    fn it_tells_unknown_from_never() {
        let mut awards = LastAwards::new(16);
        assert_eq!(awards.get(&member(1)), None);
        awards.remember(member(1), None);
        assert_eq!(awards.get(&member(1)), Some(None));
        awards.remember(member(1), Some(5));
        assert_eq!(awards.get(&member(1)), Some(Some(5)));
        awards.clear();
        assert_eq!(awards.get(&member(1)), None);
    }

    #[test]
    fn a_full_set_gives_up_the_oldest_award() {
        let mut awards = LastAwards::new(4);
        for user in 1..=5_u64 {
            awards.remember(member(user), Some(100 - user.cast_signed()));
        }
        // User 4 had the oldest award (96) when user 5 was added.
        assert_eq!(awards.get(&member(4)), None);
        for user in [1, 2, 3, 5_u64] {
            assert_eq!(awards.get(&member(user)), Some(Some(100 - user.cast_signed())));
        }
    }

    #[test]
    fn a_member_has_one_slot() {
        let mut awards = LastAwards::new(4);
        for at in 0..10 {
            awards.remember(member(1), Some(at));
        }
        awards.remember(member(2), Some(50));
        assert_eq!(awards.get(&member(1)), Some(Some(9)));
        assert_eq!(awards.get(&member(2)), Some(Some(50)));
    }

    #[test]
    fn it_grows_with_its_members() {
        let mut awards = LastAwards::new(1_000_000);
        let mut most = 0;
        for user in 1..=10_000_u64 {
            awards.remember(member(user), Some(user.cast_signed()));
            most = most.max(awards.slots.len());
        }
        let known = (1..=10_000_u64).filter(|user| awards.get(&member(*user)).is_some());
        let known = known.count();
        assert_eq!(known, awards.used);
        // A few were in sets that were full before they grew.
        assert!(known > 9_500, "{known}");
        assert!(most < 50_000, "{most} slots");
    }

    #[test]
    fn what_it_answers_is_what_was_said_last() {
        let mut awards = LastAwards::new(1_000);
        for user in 1..=4_000_u64 {
            awards.remember(member(user), Some(user.cast_signed()));
        }
        let known = (1..=4_000_u64)
            .filter_map(|user| Some((user, awards.get(&member(user))?)))
            .collect::<Vec<_>>();
        assert!(known.len() > 700, "the table is nearly full: {}", known.len());
        assert!(known.iter().all(|(user, at)| *at == Some(user.cast_signed())));
    }
}
