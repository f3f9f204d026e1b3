//! The effects of moderation on Discord.

pub mod action;
pub mod action_lift;
pub mod action_message;
mod carry_out;
pub mod case_log;
pub mod punishment;
pub mod warned;
pub mod wording;
