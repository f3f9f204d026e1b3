//! What levels lead to on Discord.

pub mod announcement;
pub mod plan;
pub(crate) mod roles;
