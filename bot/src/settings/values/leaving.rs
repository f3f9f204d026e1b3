//! What happens to the XP of members who leave.

/// What happens to the XP of members who leave or are banned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeavePolicy {
    /// They stay on the leaderboard.
    Keep,
    /// They are hidden until they return or write a message.
    #[default]
    Hide,
    /// Their XP is removed.
    Reset,
}

impl LeavePolicy {
    /// All policies.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Hide, Self::Reset];

    /// The value in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Hide => "hide",
            Self::Reset => "reset",
        }
    }

    /// The policy with this value.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|departed| departed.word() == word)
    }
}
