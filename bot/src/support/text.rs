//! Text from and for Discord: durations, length limits, times, names and templates.

pub mod duration;
pub(crate) mod limits;
pub(crate) mod moment;
pub mod names;
pub mod template;
