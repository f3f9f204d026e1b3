//! Which messages earn XP, and how much.

use crate::support::ids::Millis;

/// Whether a message sent at `at` earns, when the member's last award was for a message sent at `last_award`.
///
/// With a cooldown of 0 every message earns, also two of the same millisecond. Otherwise at least `cooldown` milliseconds
/// lie between the two messages' own timestamps; a message that arrives late and is older than the last award earns nothing.
pub fn earns(last_award: Option<Millis>, at: Millis, cooldown: Millis) -> bool {
    cooldown == 0 || last_award.is_none_or(|last| at.saturating_sub(last) >= cooldown)
}

/// The XP of a message: a whole number from `min` to `max`, both included, uniform over message ids.
///
/// The id is hashed with `SplitMix64`'s finalizer and mapped to the range by multiplication, which is unbiased to within
/// one part in 2^32 for the ranges that the configuration allows.
pub fn xp_of_message(message_id: u64, min: u32, max: u32) -> u32 {
    let span = u64::from(max.saturating_sub(min)) + 1;
    let scaled = (u128::from(splitmix64(message_id)) * u128::from(span)) >> 64;
    min + u32::try_from(scaled).expect("the product's upper half is below the span, which is a u32 plus one")
}

/// `SplitMix64` of one state: every bit of the result depends on every bit of `id`.
const fn splitmix64(id: u64) -> u64 {
    let mut z = id.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::{earns, splitmix64, xp_of_message};

    #[test]
    fn the_first_message_earns() {
        assert!(earns(None, 0, 60_000));
    }

    #[test]
    fn the_cooldown_is_over_when_it_has_passed_exactly() {
        assert!(!earns(Some(1_000), 60_999, 60_000));
        assert!(earns(Some(1_000), 61_000, 60_000));
    }

    #[test]
    fn a_late_message_earns_nothing_unless_there_is_no_cooldown() {
        assert!(!earns(Some(5_000), 4_000, 1));
        assert!(earns(Some(5_000), 4_000, 0));
        assert!(earns(Some(5_000), 5_000, 0));
    }

    /// The reference sequence of `SplitMix64` seeded with 0 begins so.
    #[test]
    fn the_hash_is_splitmix64() {
        assert_eq!(splitmix64(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(splitmix64(0x9E37_79B9_7F4A_7C15), 0x6E78_9E6A_A1B9_65F4);
    }

    #[test]
    fn xp_covers_the_range_evenly() {
        let mut seen = [0_u32; 11];
        let base = 1_300_000_000_000_000_000_u64;
        for n in 0..110_000_u64 {
            let xp = xp_of_message(base + (n << 22), 15, 25);
            seen[usize::try_from(xp - 15).expect("in range")] += 1;
        }
        for count in seen {
            assert!((9_500..10_500).contains(&count), "{seen:?}");
        }
    }

    #[test]
    fn equal_bounds_and_the_widest_range_are_allowed() {
        assert_eq!(xp_of_message(7, 20, 20), 20);
        assert!(xp_of_message(u64::MAX, 0, 10_000) <= 10_000);
        let _any = xp_of_message(u64::MAX, 0, u32::MAX);
    }
}
