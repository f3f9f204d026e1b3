//! A cache with a size limit in bytes, which evicts unused entries first.

use std::{collections::HashMap, hash::Hash};

/// Two generations: a lookup moves an entry to the young one; when that is full it becomes the old one, whose remaining entries are
/// dropped.
#[derive(Debug)]
pub(super) struct Kept<K, V> {
    young: HashMap<K, (V, usize)>,
    young_bytes: usize,
    old: HashMap<K, (V, usize)>,
    /// The size of the old generation when it was the young one.
    old_bytes: usize,
    half_bytes: usize,
}

/// The overhead of an entry.
const ENTRY_BYTES: usize = 128;

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    /// Hold at most this many bytes.
    pub(super) fn up_to(bytes: usize) -> Self {
        Self {
            young: HashMap::new(),
            young_bytes: 0,
            old: HashMap::new(),
            old_bytes: 0,
            half_bytes: bytes / 2,
        }
    }

    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, bytes)) = self.old.remove_entry(key)?;
        self.old_bytes -= bytes;
        self.put(key, value.clone(), bytes);
        Some(value)
    }

    /// The cached bytes, for a gauge.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(super) const fn bytes(&self) -> f64 {
        (self.young_bytes + self.old_bytes) as f64
    }

    /// Values larger than half of the limit are not cached.
    pub(super) fn insert(&mut self, key: K, value: V, bytes: usize) {
        let bytes = bytes + ENTRY_BYTES;
        if bytes <= self.half_bytes {
            if let Some((_, replaced)) = self.old.remove(&key) {
                self.old_bytes -= replaced;
            }
            self.put(key, value, bytes);
        }
    }

    fn put(&mut self, key: K, value: V, bytes: usize) {
        if self.young_bytes + bytes > self.half_bytes {
            self.old = std::mem::take(&mut self.young);
            self.old_bytes = std::mem::take(&mut self.young_bytes);
        }
        self.young_bytes += bytes;
        if let Some((_, replaced)) = self.young.insert(key, (value, bytes)) {
            self.young_bytes -= replaced;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ENTRY_BYTES, Kept};

    #[test]
    fn it_is_bounded_and_keeps_what_is_asked_for() {
        let entry = 100 + ENTRY_BYTES;
        let mut kept = Kept::up_to(20 * entry);
        for number in 0..1_000 {
            kept.insert(number, number, 100);
            assert_eq!(kept.get(&0), Some(0), "asked for all the time: {number}");
            assert!(kept.young.len() <= 10 && kept.old.len() <= 10);
            assert_eq!(kept.young_bytes, kept.young.len() * entry);
            assert_eq!(kept.old_bytes, kept.old.len() * entry);
        }
        assert_eq!(kept.get(&500), None);
        assert_eq!(kept.get(&999), Some(999));
    }

    #[test]
    fn a_newer_value_takes_the_place_and_the_huge_are_not_kept() {
        let mut kept = Kept::up_to(1_000);
        kept.insert("a", 1, 10);
        kept.insert("a", 2, 20);
        assert_eq!((kept.get(&"a"), kept.young_bytes), (Some(2), 20 + ENTRY_BYTES));
        kept.insert("b", 3, 500);
        assert_eq!(kept.get(&"b"), None);
    }
}
