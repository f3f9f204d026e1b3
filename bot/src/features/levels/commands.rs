//! The commands of levels.

pub(crate) mod card;
pub(crate) mod leaderboard;
pub(crate) mod levels;
pub(crate) mod rank;
pub(crate) mod xp;
