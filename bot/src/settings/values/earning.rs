//! What a message earns in a guild: the range of XP, the cooldown, and the multipliers of roles, channels and boosts.

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, MessageMarker, RoleMarker},
};

use crate::support::ids::Millis;

/// A percentage of what a message would otherwise earn; 0 is nothing.
pub type Percent = u32;

/// The maximum of a multiplier or a boost: ten times.
pub const MAX_PERCENT: Percent = 1_000;

/// The rules of a guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earning {
    /// The minimum XP of a message.
    pub xp_min: u32,
    /// The maximum XP of a message, before multipliers.
    pub xp_max: u32,
    /// How long after an award, in milliseconds, further messages earn nothing.
    pub cooldown: Millis,
    /// Which of a member's roles counts.
    pub role_mode: RoleMode,
    /// The multipliers of roles, sorted by role.
    roles: Box<[(Id<RoleMarker>, Percent)]>,
    /// The multipliers of channels, categories and threads, sorted.
    channels: Box<[(Id<ChannelMarker>, Percent)]>,
    boosts: Box<[Boost]>,
}

/// Which of a member's roles with a multiplier counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoleMode {
    /// The largest multiplier. A role with a multiplier of 0 nevertheless prevents its members from earning XP.
    #[default]
    Largest,
    /// The multiplier of the role that is highest in the guild's list.
    Highest,
    /// The sum of all deviations from 100 %.
    Sum,
}

/// The target of a multiplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Messages by members with a role.
    Role(Id<RoleMarker>),
    /// Messages in a channel, a category or a thread.
    Channel(Id<ChannelMarker>),
    /// Every message.
    Server,
}

/// A multiplier for a limited time, in addition to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boost {
    /// The target.
    pub target: Target,
    /// The multiplier.
    pub percent: Percent,
    /// The start, inclusive, compared with the times of messages.
    pub from: Millis,
    /// The end, exclusive.
    pub until: Millis,
}

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

impl Earning {
    /// Rules without multipliers.
    pub fn plain(xp_min: u32, xp_max: u32, cooldown: Millis) -> Self {
        Self {
            xp_min,
            xp_max,
            cooldown,
            role_mode: RoleMode::default(),
            roles: Box::default(),
            channels: Box::default(),
            boosts: Box::default(),
        }
    }

    /// The rules with multipliers and boosts.
    #[must_use]
    pub fn with(
        mut self,
        mut roles: Vec<(Id<RoleMarker>, Percent)>,
        mut channels: Vec<(Id<ChannelMarker>, Percent)>,
        boosts: Vec<Boost>,
    ) -> Self {
        roles.sort_unstable();
        channels.sort_unstable();
        self.roles = roles.into();
        self.channels = channels.into();
        self.boosts = boosts.into();
        self
    }

    /// Multipliers of roles, sorted.
    pub fn roles(&self) -> &[(Id<RoleMarker>, Percent)] {
        &self.roles
    }

    /// Multipliers of channels, sorted.
    pub fn channels(&self) -> &[(Id<ChannelMarker>, Percent)] {
        &self.channels
    }

    /// The boosts, including those that have ended.
    pub fn boosts(&self) -> &[Boost] {
        &self.boosts
    }

    /// The memory in addition to its own size, in bytes.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.roles) + size_of_val(&*self.channels) + size_of_val(&*self.boosts)
    }

    /// Whether only the ID and the time of a message matter.
    pub fn is_plain(&self) -> bool {
        self.roles.is_empty() && self.channels.is_empty() && self.boosts.is_empty()
    }

    /// Whether the author's roles matter.
    pub fn asks_for_roles(&self) -> bool {
        !self.roles.is_empty()
            || self
                .boosts
                .iter()
                .any(|boost| matches!(boost.target, Target::Role(_)))
    }

    /// Whether the category or the parent of the channel matters.
    pub fn asks_for_place(&self, channel_id: Id<ChannelMarker>) -> bool {
        let boosted = self
            .boosts
            .iter()
            .any(|boost| matches!(boost.target, Target::Channel(other) if other != channel_id));
        boosted || (!self.channels.is_empty() && self.channel(channel_id).is_none())
    }

    /// Whether the order of the author's roles matters.
    pub fn asks_for_order(&self, roles: &[Id<RoleMarker>]) -> bool {
        self.role_mode == RoleMode::Highest
            && roles.iter().filter(|role| self.role(**role).is_some()).count() > 1
    }

    /// What a message earns. If the order of roles matters, `order` returns the position of a role, of which the highest counts.
    pub fn worth<O: Ord>(&self, sent: &Sent<'_>, order: impl Fn(Id<RoleMarker>) -> O) -> Award {
        let xp = u64::from(xp_of_message(sent.id.get(), self.xp_min, self.xp_max));
        let worth = |xp| Award {
            xp,
            cooldown: self.cooldown,
        };
        if self.is_plain() {
            return worth(u32::try_from(xp).ok());
        }
        let mut factors = vec![self.of_roles(sent.roles, order), self.of_place(sent.place)];
        factors.extend(
            self.boosts
                .iter()
                .filter(|boost| boost.holds(sent))
                .map(|boost| u64::from(boost.percent)),
        );
        if factors.contains(&0) {
            return worth(None);
        }
        let product = factors.into_iter().fold(u128::from(xp) * 2, |product, percent| {
            product * u128::from(percent) / 100
        });
        // Half a point is rounded up, whatever the multipliers are.
        let rounded = product.div_ceil(2);
        worth(Some(u32::try_from(rounded).unwrap_or(u32::MAX)))
    }

    fn of_roles<O: Ord>(&self, has: &[Id<RoleMarker>], order: impl Fn(Id<RoleMarker>) -> O) -> u64 {
        let mut found = has.iter().filter_map(|role| Some((*role, self.role(*role)?)));
        let percent = match self.role_mode {
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
    fn of_place(&self, place: &[Id<ChannelMarker>]) -> u64 {
        let nearest = place.iter().find_map(|channel_id| self.channel(*channel_id));
        u64::from(nearest.unwrap_or(100))
    }

    fn role(&self, role_id: Id<RoleMarker>) -> Option<Percent> {
        let at = self
            .roles
            .binary_search_by_key(&role_id, |(role, _)| *role)
            .ok()?;
        Some(self.roles[at].1)
    }

    fn channel(&self, channel_id: Id<ChannelMarker>) -> Option<Percent> {
        let found = self
            .channels
            .binary_search_by_key(&channel_id, |(channel, _)| *channel);
        Some(self.channels[found.ok()?].1)
    }
}

impl Boost {
    fn holds(&self, sent: &Sent<'_>) -> bool {
        (self.from..self.until).contains(&sent.at)
            && match self.target {
                Target::Role(role_id) => sent.roles.contains(&role_id),
                Target::Channel(channel_id) => sent.place.contains(&channel_id),
                Target::Server => true,
            }
    }
}

impl RoleMode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Largest, Self::Highest, Self::Sum];

    /// The value in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Largest => "largest",
            Self::Highest => "highest",
            Self::Sum => "sum",
        }
    }

    /// The mode with this value.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.word() == word)
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

    use super::{Award, Boost, Earning, RoleMode, Sent, Target, splitmix64, xp_of_message};

    /// Every message earns 20, before multipliers.
    fn earning(mode: RoleMode) -> Earning {
        let roles = vec![
            (Id::new(1), 200),
            (Id::new(2), 50),
            (Id::new(3), 0),
            (Id::new(4), 150),
        ];
        let channels = vec![(Id::new(10), 300), (Id::new(11), 0), (Id::new(12), 25)];
        Earning {
            role_mode: mode,
            ..Earning::plain(20, 20, 60_000).with(roles, channels, Vec::new())
        }
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
        let worth = earning.worth(&sent, |role| role);
        assert_eq!(worth.cooldown, 60_000);
        worth.xp
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
            assert_eq!(RoleMode::of_word(mode.word()), Some(mode));
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
    fn it_asks_for_what_matters() {
        let earning = earning(RoleMode::Highest);
        assert!(!earning.is_plain() && earning.asks_for_roles());
        assert!(earning.asks_for_place(Id::new(99)) && !earning.asks_for_place(Id::new(10)));
        assert!(
            earning.asks_for_order(&[Id::new(1), Id::new(2)])
                && !earning.asks_for_order(&[Id::new(1), Id::new(9)])
        );
        let plain = Earning::plain(15, 25, 0);
        assert!(plain.is_plain() && !plain.asks_for_roles() && !plain.asks_for_place(Id::new(1)));
        let sent = Sent {
            id: Id::new(7),
            at: 0,
            roles: &[],
            place: &[],
        };
        let Award { xp, cooldown } = plain.worth(&sent, |role| role);
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
