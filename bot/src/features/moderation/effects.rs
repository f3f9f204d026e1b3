//! The effects of moderation on Discord.

pub mod punishment;
pub mod warned;
