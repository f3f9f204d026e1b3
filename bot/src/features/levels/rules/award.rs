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
mod tests;
