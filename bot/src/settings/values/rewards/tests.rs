use proptest::prelude::*;
use twilight_model::id::Id;

use super::{RewardMode, Rewards};

fn rewards(mode: RewardMode) -> Rewards {
    let roles = [(20, 4), (5, 1), (10, 3), (10, 2)];
    Rewards::new(
        mode,
        false,
        roles.map(|(level, role)| (level, Id::new(role))).to_vec(),
    )
}

fn deserved(rewards: &Rewards, level: u32) -> Vec<u64> {
    rewards.deserved(level).into_iter().map(Id::get).collect()
}

#[test]
fn stacked_roles_add_up() {
    let rewards = rewards(RewardMode::Stack);
    for (level, roles) in [
        (0, &[][..]),
        (4, &[]),
        (5, &[1]),
        (10, &[1, 2, 3]),
        (99, &[1, 2, 3, 4]),
    ] {
        assert_eq!(deserved(&rewards, level), roles, "level {level}");
    }
    assert!(rewards.differ_between(9, 10) && !rewards.differ_between(10, 19));
}

#[test]
fn replaced_roles_are_those_of_the_highest_level() {
    let rewards = rewards(RewardMode::Replace);
    for (level, roles) in [
        (4, &[][..]),
        (5, &[1]),
        (9, &[1]),
        (10, &[2, 3]),
        (19, &[2, 3]),
        (20, &[4]),
    ] {
        assert_eq!(deserved(&rewards, level), roles, "level {level}");
    }
    assert!(rewards.differ_between(20, 19) && !rewards.differ_between(20, 21));
}

#[test]
fn a_role_twice_is_given_at_the_lower_level() {
    let roles = vec![(20, Id::new(1)), (10, Id::new(1))];
    assert_eq!(
        Rewards::new(RewardMode::Stack, false, roles).roles(),
        [(10, Id::new(1))]
    );
}

proptest! {
    #[test]
    fn they_differ_exactly_when_the_deserved_roles_do(
        roles in proptest::collection::vec((1_u32..12, 1_u64..12), 0..12),
        replace: bool,
        before in 0_u32..13,
        after in 0_u32..13,
    ) {
        let mode = if replace { RewardMode::Replace } else { RewardMode::Stack };
        let roles = roles.into_iter().map(|(level, role)| (level, Id::new(role))).collect();
        let rewards = Rewards::new(mode, false, roles);
        prop_assert_eq!(
            rewards.differ_between(before, after),
            rewards.deserved(before) != rewards.deserved(after)
        );
    }
}
