//! What moderation does on Discord.

pub mod punishment;
pub mod warned;
