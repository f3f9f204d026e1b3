//! The kinds of cases.

use serde::{Deserialize, Serialize};
use twilight_model::guild::Permissions;

use crate::discord::guilds::authority::Action;

/// What a case records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A warning, with points.
    Warning,
    /// A ban without an end.
    Ban,
    /// A ban that is lifted at its end.
    Tempban,
    /// A ban that is lifted at once: the member is removed with their messages.
    Softban,
    /// A ban was lifted.
    Unban,
    /// The member was removed.
    Kick,
    /// The member cannot send messages for some time.
    Timeout,
    /// A timeout was lifted.
    Untimeout,
    /// A remark of the staff.
    Note,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Warning,
        Self::Ban,
        Self::Tempban,
        Self::Softban,
        Self::Unban,
        Self::Kick,
        Self::Timeout,
        Self::Untimeout,
        Self::Note,
    ];

    /// The punishments that last for some time, which can be changed while they run.
    pub const LASTING: [Self; 3] = [Self::Ban, Self::Tempban, Self::Timeout];

    /// The word in `mod_case.kind`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Ban => "ban",
            Self::Tempban => "tempban",
            Self::Softban => "softban",
            Self::Unban => "unban",
            Self::Kick => "kick",
            Self::Timeout => "timeout",
            Self::Untimeout => "untimeout",
            Self::Note => "note",
        }
    }

    /// What the command does on Discord, or takes back there; `None` for a remark.
    pub const fn action(self) -> Option<Action> {
        match self {
            Self::Ban | Self::Tempban | Self::Softban | Self::Unban => Some(Action::Ban),
            Self::Kick => Some(Action::Kick),
            Self::Timeout | Self::Untimeout => Some(Action::Timeout),
            Self::Warning | Self::Note => None,
        }
    }

    /// Whether it takes a punishment back.
    pub const fn lifts(self) -> bool {
        matches!(self, Self::Unban | Self::Untimeout)
    }

    /// Whether it can be done to members alone.
    pub const fn needs_member(self) -> bool {
        matches!(self, Self::Softban | Self::Kick | Self::Timeout | Self::Untimeout)
    }

    /// The permission that it needs.
    pub const fn permission(self) -> Permissions {
        match self.action() {
            Some(action) => action.permission(),
            None => Permissions::MODERATE_MEMBERS,
        }
    }

    /// The kinds of which a member's newest case decides what holds; none if each stands by itself.
    pub const fn deciding(self) -> &'static [Self] {
        match self.action() {
            Some(Action::Ban) => &[Self::Ban, Self::Tempban, Self::Softban, Self::Unban],
            Some(Action::Timeout) => &[Self::Timeout, Self::Untimeout],
            Some(Action::Kick) | None => &[],
        }
    }

    /// The kinds of punishments that run until they end or a newer case of the same action replaces them.
    pub const fn replaced(self) -> &'static [Self] {
        match self.action() {
            Some(Action::Ban) => &[Self::Ban, Self::Tempban],
            Some(Action::Timeout) => &[Self::Timeout],
            Some(Action::Kick) | None => &[],
        }
    }

    /// Parses a word; `None` for an unknown one.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn each_word_is_of_its_kind() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of(kind.word()), Some(kind));
            let stored = serde_json::to_string(&kind).expect("a word");
            assert_eq!(stored, format!("{:?}", kind.word()));
        }
        assert_eq!(Kind::of("exile"), None);
    }
}
