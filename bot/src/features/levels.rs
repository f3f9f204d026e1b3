//! Levels: members earn XP by sending messages, reach levels, and receive roles as rewards.

pub mod adjust;
pub mod boosts;
pub mod card;
pub mod commands;
pub mod effects;
pub mod export;
pub mod flush;
pub mod import;
pub mod last_awards;
pub(crate) mod manifest;
pub mod members;
pub mod on_message;
pub mod pending;
pub mod policy;
pub mod rows;
pub mod rules;
