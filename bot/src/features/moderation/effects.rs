//! What moderation does on Discord.

pub(crate) mod punishment;
pub(crate) mod warned;
