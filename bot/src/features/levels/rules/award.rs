//! How much XP a message earns, by the guild's rules. Whether the cooldown is over is decided by [`super::cooldown`].

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, MessageMarker, RoleMarker},
};

use crate::{
    settings::values::earning::{Boost, Earning, Percent, RoleMode, Target},
    support::ids::Millis,
};

/// The relevant properties of a message.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The ID.
    pub id: Id<MessageMarker>,
    /// The time at which it was sent.
    pub at: Millis,
    /// The author's roles.
    pub roles: &'a [Id<RoleMarker>],
    /// The thread, its channel and the category, as far as they exist.
    pub place: &'a [Id<ChannelMarker>],
}

/// What a message earns if the cooldown is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Award {
    /// The XP; `None` if it earns nothing and starts no cooldown.
    pub xp: Option<u32>,
    /// The cooldown that applies to it.
    pub cooldown: Millis,
}

/// What a message earns. If the order of roles matters, `order` returns the position of a role, of which the highest counts.
pub fn award<O: Ord>(earning: &Earning, sent: &Sent<'_>, order: impl Fn(Id<RoleMarker>) -> O) -> Award {
    let xp = u64::from(xp_of_message(sent.id.get(), earning.xp_min, earning.xp_max));
    let award = |xp| Award {
        xp,
        cooldown: earning.cooldown,
    };
    if earning.is_plain() {
        return award(u32::try_from(xp).ok());
    }
    let mut factors = vec![
        of_roles(earning, sent.roles, order),
        of_place(earning, sent.place),
    ];
    let boosts = earning.boosts().iter().filter(|boost| holds(boost, sent));
    factors.extend(boosts.map(|boost| u64::from(boost.percent)));
    if factors.contains(&0) {
        return award(None);
    }
    let product = factors.into_iter().fold(u128::from(xp) * 2, |product, percent| {
        product * u128::from(percent) / 100
    });
    // Half a point is rounded up, whatever the multipliers are.
    let rounded = product.div_ceil(2);
    award(Some(u32::try_from(rounded).unwrap_or(u32::MAX)))
}

fn of_roles<O: Ord>(earning: &Earning, has: &[Id<RoleMarker>], order: impl Fn(Id<RoleMarker>) -> O) -> u64 {
    let mut found = has.iter().filter_map(|role| Some((*role, earning.role(*role)?)));
    let percent = match earning.role_mode {
        RoleMode::Largest => {
            let percents: Vec<Percent> = found.map(|(_, percent)| percent).collect();
            if percents.contains(&0) {
                0
            } else {
                percents.into_iter().max().unwrap_or(100)
            }
        }
        RoleMode::Highest => found
            .max_by_key(|(role, _)| order(*role))
            .map_or(100, |(_, percent)| percent),
        RoleMode::Sum => {
            let sum = found.try_fold(100_i64, |sum, (_, percent)| {
                (percent > 0).then_some(sum + i64::from(percent) - 100)
            });
            u32::try_from(sum.unwrap_or(0).max(0)).unwrap_or(u32::MAX)
        }
    };
    u64::from(percent)
}

/// The nearest multiplier counts: that of the thread, then of its channel, then of the category.
fn of_place(earning: &Earning, place: &[Id<ChannelMarker>]) -> u64 {
    let nearest = place.iter().find_map(|channel_id| earning.channel(*channel_id));
    u64::from(nearest.unwrap_or(100))
}

/// Whether a boost applies to a message.
fn holds(boost: &Boost, sent: &Sent<'_>) -> bool {
    (boost.from..boost.until).contains(&sent.at)
        && match boost.target {
            Target::Role(role_id) => sent.roles.contains(&role_id),
            Target::Channel(channel_id) => sent.place.contains(&channel_id),
            Target::Server => true,
        }
}

/// The XP of a message: an integer from `min` to `max`, both inclusive, uniformly distributed over message IDs.
///
/// The ID is hashed with the finalizer of `SplitMix64` and mapped to the range by multiplication. For the ranges allowed by the
/// configuration, the bias is less than one part in 2^32.
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
}
