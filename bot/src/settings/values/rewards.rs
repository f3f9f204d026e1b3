//! The roles that levels give, and which of them a member should have.

use twilight_model::id::{Id, marker::RoleMarker};

/// The roles that levels give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewards {
    /// Whether members keep the roles of lower levels.
    pub mode: RewardMode,
    /// Whether the bot has stopped giving them because Discord refused it.
    pub switched_off: bool,
    /// When members lose the roles of levels that they no longer have.
    pub demotion: Demotion,
    /// Whether members who join get the roles of their level.
    pub on_join: bool,
    /// The roles, each once, sorted by level and then by role.
    pub(in crate::settings) roles: Box<[(u32, Id<RoleMarker>)]>,
}

/// Whether members keep the roles of lower levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RewardMode {
    /// They keep them.
    #[default]
    Stack,
    /// They only have the roles of the highest level that they reached.
    Replace,
}

impl RewardMode {
    /// The value in the table and in settings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stack => "stack",
            Self::Replace => "replace",
        }
    }
}

impl Rewards {
    /// Rewards from roles in any order. A duplicate role is given at the lower level.
    pub fn new(mode: RewardMode, switched_off: bool, mut roles: Vec<(u32, Id<RoleMarker>)>) -> Self {
        roles.sort_unstable_by_key(|(level, role)| (*role, *level));
        roles.dedup_by_key(|(_, role)| *role);
        roles.sort_unstable();
        Self {
            mode,
            switched_off,
            demotion: Demotion::default(),
            on_join: true,
            roles: roles.into(),
        }
    }

    /// Levels and their roles, sorted.
    pub fn roles(&self) -> &[(u32, Id<RoleMarker>)] {
        &self.roles
    }

    /// The roles that a member of this level should have. The other roles in [`Self::roles`] should be removed.
    pub fn deserved(&self, level: u32) -> Vec<Id<RoleMarker>> {
        self.reached(level).iter().map(|(_, role)| *role).collect()
    }

    /// Whether a change from one level to another changes the roles that a member should have.
    pub fn differ_between(&self, before: u32, after: u32) -> bool {
        self.reached(before) != self.reached(after)
    }

    fn reached(&self, level: u32) -> &[(u32, Id<RoleMarker>)] {
        let reached = &self.roles[..self.roles.partition_point(|(at, _)| *at <= level)];
        match (self.mode, reached.last()) {
            (RewardMode::Stack, _) | (_, None) => reached,
            (RewardMode::Replace, Some((highest, _))) => {
                &reached[reached.partition_point(|(at, _)| at < highest)..]
            }
        }
    }
}

/// When members lose the roles of levels that they no longer have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Demotion {
    /// They keep them.
    Never,
    /// When the change of XP that raised their level is undone.
    #[default]
    Undo,
    /// Whenever XP is removed, or levels need more.
    Always,
}

impl Demotion {
    /// All values.
    pub const ALL: [Self; 3] = [Self::Never, Self::Undo, Self::Always];

    /// The value in the table and in Discord's menu.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Undo => "undo",
            Self::Always => "always",
        }
    }

    /// The value with this name.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|demotion| demotion.word() == word)
    }

    /// Whether roles are removed after a change, depending on whether it is an undo.
    pub const fn holds(self, is_undo: bool) -> bool {
        match self {
            Self::Never => false,
            Self::Undo => is_undo,
            Self::Always => true,
        }
    }
}

#[cfg(test)]
mod tests;
