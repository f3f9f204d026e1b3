use twilight_model::id::Id;

use super::{Award, Boost, Earning, RoleMode, Sent, Target, award, splitmix64, xp_of_message};

/// Every message earns 20, before multipliers.
fn earning(mode: RoleMode) -> Earning {
    let roles = vec![
        (Id::new(1), 200),
        (Id::new(2), 50),
        (Id::new(3), 0),
        (Id::new(4), 150),
    ];
    let channels = vec![(Id::new(10), 300), (Id::new(11), 0), (Id::new(12), 25)];
    let mut earning = Earning::plain(20, 20, 60_000).with(roles, channels, Vec::new());
    earning.role_mode = mode;
    earning
}

fn xp(earning: &Earning, roles: &[u64], place: &[u64]) -> Option<u32> {
    let roles: Vec<_> = roles.iter().map(|id| Id::new(*id)).collect();
    let place: Vec<_> = place.iter().map(|id| Id::new(*id)).collect();
    let sent = Sent {
        id: Id::new(1),
        at: 1_000,
        roles: &roles,
        place: &place,
    };
    // The higher the ID, the higher the role.
    let award = award(earning, &sent, |role| role);
    assert_eq!(award.cooldown, 60_000);
    award.xp
}

#[test]
fn modes_of_roles() {
    let of = |mode, roles: &[u64]| xp(&earning(mode), roles, &[]);
    assert_eq!(of(RoleMode::Largest, &[1, 2, 4]), Some(40));
    assert_eq!(of(RoleMode::Largest, &[2]), Some(10));
    assert_eq!(of(RoleMode::Largest, &[1, 3]), None, "a role without XP");
    assert_eq!(of(RoleMode::Highest, &[1, 2, 4]), Some(30));
    assert_eq!(of(RoleMode::Highest, &[1, 3]), None);
    assert_eq!(of(RoleMode::Sum, &[1, 2, 4]), Some(40), "+100 - 50 + 50 %");
    assert_eq!(of(RoleMode::Sum, &[1, 3]), None);
    for mode in RoleMode::ALL {
        assert_eq!(of(mode, &[9]), Some(20), "no multiplier");
    }
}

#[test]
fn the_nearest_place_counts() {
    let of = |place: &[u64]| xp(&earning(RoleMode::Largest), &[], place);
    assert_eq!(of(&[10, 11]), Some(60), "a channel in a category without XP");
    assert_eq!(of(&[99, 11]), None);
    assert_eq!(of(&[99, 98, 12]), Some(5), "a thread's category");
    assert_eq!(of(&[99]), Some(20));
    assert_eq!(xp(&earning(RoleMode::Largest), &[1], &[10]), Some(120), "both");
}

#[test]
fn boosts_hold_for_their_time() {
    let boost = |target, from, until| Boost {
        target,
        percent: 200,
        from,
        until,
    };
    let of = |boosts: &[Boost], roles: &[u64], place: &[u64]| {
        let earning = Earning::plain(20, 20, 60_000).with(Vec::new(), Vec::new(), boosts.to_vec());
        xp(&earning, roles, place)
    };
    let server = |from, until| boost(Target::Server, from, until);
    assert_eq!(of(&[server(1_000, 1_001)], &[], &[]), Some(40));
    assert_eq!(of(&[server(0, 1_000)], &[], &[]), Some(20), "over");
    assert_eq!(of(&[server(1_001, 2_000)], &[], &[]), Some(20), "not begun");
    assert_eq!(of(&[server(0, 2_000), server(0, 2_000)], &[], &[]), Some(80));
    let role = boost(Target::Role(Id::new(5)), 0, 2_000);
    assert_eq!(
        (of(&[role], &[5], &[]), of(&[role], &[6], &[])),
        (Some(40), Some(20))
    );
    let category = boost(Target::Channel(Id::new(7)), 0, 2_000);
    assert_eq!(
        (of(&[category], &[], &[8, 7]), of(&[category], &[], &[8])),
        (Some(40), Some(20))
    );
}

#[test]
fn halves_are_rounded_up() {
    let earning =
        |percent| Earning::plain(5, 5, 60_000).with(Vec::new(), vec![(Id::new(1), percent)], Vec::new());
    assert_eq!(xp(&earning(50), &[], &[1]), Some(3));
    assert_eq!(
        xp(&earning(1), &[], &[1]),
        Some(0),
        "little, and not nothing: the cooldown begins"
    );
}

#[test]
fn without_multipliers_it_is_drawn_from_the_range() {
    let sent = Sent {
        id: Id::new(7),
        at: 0,
        roles: &[],
        place: &[],
    };
    let Award { xp, cooldown } = award(&Earning::plain(15, 25, 0), &sent, |role| role);
    assert!((15..=25).contains(&xp.expect("XP")) && cooldown == 0);
}

/// The start of the reference sequence of `SplitMix64` with the seed 0.
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
