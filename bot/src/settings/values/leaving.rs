//! What happens to the XP of members who leave.

/// What happens to the XP of members who leave or are banned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeavePolicy {
    /// They stay on the leaderboard.
    Keep,
    /// They are on it again when they come back, or write.
    #[default]
    Hide,
    /// It is taken.
    Reset,
}

impl LeavePolicy {
    /// Each there is.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Hide, Self::Reset];

    /// What stands in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Hide => "hide",
            Self::Reset => "reset",
        }
    }

    /// The one of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|departed| departed.word() == word)
    }
}
