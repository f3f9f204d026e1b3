//! The effects of levels on Discord.

pub mod announcement;
pub mod plan;
pub(crate) mod roles;
