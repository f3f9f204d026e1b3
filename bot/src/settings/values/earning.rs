//! A guild's rules for what a message earns: the range of XP, the cooldown, and the multipliers of roles, channels and boosts.
//! `features/levels/rules/award.rs` applies them.

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, RoleMarker},
};

use crate::support::ids::Millis;

/// A percentage of what a message would otherwise earn; 0 is nothing.
pub type Percent = u32;

/// The maximum of a multiplier or a boost: ten times.
pub const MAX_PERCENT: Percent = 1_000;
/// The maximum number of multipliers per guild.
pub const MOST_MULTIPLIERS: usize = 100;
/// The maximum XP per message before multipliers.
pub const MOST_XP: u32 = 10_000;
/// Eight hours, as in other bots; in seconds.
pub const LONGEST_COOLDOWN: u32 = 28_800;

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

    /// The multiplier of a role, if it has one.
    pub fn role(&self, role_id: Id<RoleMarker>) -> Option<Percent> {
        let at = self
            .roles
            .binary_search_by_key(&role_id, |(role, _)| *role)
            .ok()?;
        Some(self.roles[at].1)
    }

    /// The multiplier of a channel, a category or a thread itself, if it has one.
    pub fn channel(&self, channel_id: Id<ChannelMarker>) -> Option<Percent> {
        let found = self
            .channels
            .binary_search_by_key(&channel_id, |(channel, _)| *channel);
        Some(self.channels[found.ok()?].1)
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

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::{Earning, RoleMode};

    #[test]
    fn it_asks_for_what_matters() {
        let roles = vec![(Id::new(1), 200), (Id::new(2), 50)];
        let channels = vec![(Id::new(10), 300)];
        let earning = Earning {
            role_mode: RoleMode::Highest,
            ..Earning::plain(20, 20, 60_000).with(roles, channels, Vec::new())
        };
        assert!(!earning.is_plain() && earning.asks_for_roles());
        assert!(earning.asks_for_place(Id::new(99)) && !earning.asks_for_place(Id::new(10)));
        assert!(
            earning.asks_for_order(&[Id::new(1), Id::new(2)])
                && !earning.asks_for_order(&[Id::new(1), Id::new(9)])
        );
        let plain = Earning::plain(15, 25, 0);
        assert!(plain.is_plain() && !plain.asks_for_roles() && !plain.asks_for_place(Id::new(1)));
    }

    #[test]
    fn the_word_of_a_mode_leads_back_to_it() {
        for mode in RoleMode::ALL {
            assert_eq!(RoleMode::of_word(mode.word()), Some(mode));
        }
    }
}
