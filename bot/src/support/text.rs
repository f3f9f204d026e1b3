//! Text from and for Discord: durations, length limits, names and templates.

pub mod duration;
pub(crate) mod limits;
pub mod names;
pub mod template;
