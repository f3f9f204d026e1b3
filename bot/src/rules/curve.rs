//! MEE6's level curve, in integers.
//!
//! From level L to L + 1 a member needs 5L² + 50L + 100 XP, so level L is reached at 5L(2L² + 27L + 91) / 6: level 1 at 100,
//! level 10 at 4,675, level 50 at 268,375, level 100 at 1,899,250.

/// The highest level there is. Its XP is far below what a `BIGINT` holds, and no member gets there by writing.
pub const MAX_LEVEL: u32 = 100_000;

/// XP needed to get from `level` to the next.
pub const fn xp_to_next(level: u32) -> u64 {
    let l = level as u64;
    5 * l * l + 50 * l + 100
}

/// Total XP at which `level` is reached.
pub const fn xp_at(level: u32) -> u64 {
    let l = level as u64;
    // The product is divisible by 6 for every l: property-tested against the sum of the steps.
    5 * l * (2 * l * l + 27 * l + 91) / 6
}

/// The level of a member with `xp`.
pub const fn level_of(xp: u64) -> u32 {
    let (mut low, mut high) = (0, MAX_LEVEL);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if xp_at(middle) <= xp {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::{MAX_LEVEL, level_of, xp_at, xp_to_next};
    use proptest::prelude::*;

    #[test]
    fn known_totals() {
        for (level, total) in [
            (0, 0),
            (1, 100),
            (2, 255),
            (3, 475),
            (4, 770),
            (5, 1_150),
            (10, 4_675),
            (20, 23_850),
            (30, 67_525),
            (50, 268_375),
            (100, 1_899_250),
        ] {
            assert_eq!(xp_at(level), total, "level {level}");
        }
    }

    #[test]
    fn the_closed_form_is_the_sum_of_the_steps() {
        let mut total = 0_u64;
        for level in 0..=MAX_LEVEL {
            assert_eq!(xp_at(level), total, "level {level}");
            total += xp_to_next(level);
        }
    }

    proptest! {
        #[test]
        fn a_level_lies_between_its_own_total_and_the_next(xp in 0..=xp_at(MAX_LEVEL)) {
            let level = level_of(xp);
            prop_assert!(xp_at(level) <= xp);
            prop_assert!(level == MAX_LEVEL || xp < xp_at(level + 1));
        }

        #[test]
        fn a_level_begins_exactly_at_its_total(level in 1..=MAX_LEVEL) {
            prop_assert_eq!(level_of(xp_at(level)), level);
            prop_assert_eq!(level_of(xp_at(level) - 1), level - 1);
        }
    }
}
