use proptest::prelude::*;

use super::{Curve, MAX_FACTOR, MAX_LEVEL, level_of, xp_at, xp_to_next};

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

#[test]
fn other_curves() {
    let linear = Curve::linear(1_000);
    assert_eq!(
        (linear.xp_at(7), linear.level_of(6_999), linear.level_of(7_000)),
        (7_000, 6, 7)
    );
    assert_eq!(Curve::ARCANE.xp_at(10), 5_250);
    assert_eq!(Curve::Mee6.xp_at(10), 4_675);
    // Polaris's default: 1·L³ + 50·L² + 100·L.
    let polaris = Curve::cubic([100, 5_000, 10_000]).expect("a curve");
    assert_eq!(polaris.xp_at(3), 27 + 450 + 300);
    assert_eq!(Curve::cubic([0, 0, 99]), None);
    assert_eq!(Curve::cubic([MAX_FACTOR + 1, 0, 0]), None);
    let steepest = Curve::cubic([MAX_FACTOR; 3]).expect("a curve");
    assert_eq!(steepest.level_of(u64::MAX), MAX_LEVEL);
}

proptest! {
    #[test]
    fn every_curve_s_levels_lie_between_their_totals(
        factors in proptest::array::uniform3(0..=MAX_FACTOR),
        level in 0..MAX_LEVEL,
        more in 0_u64..1_000_000,
    ) {
        prop_assume!(Curve::cubic(factors).is_some());
        let curve = Curve::Cubic(factors);
        prop_assert!(curve.xp_at(level) < curve.xp_at(level + 1));
        let xp = curve.xp_at(level) + more;
        let reached = curve.level_of(xp);
        prop_assert!(curve.xp_at(reached) <= xp);
        prop_assert!(reached == MAX_LEVEL || xp < curve.xp_at(reached + 1));
    }
}
