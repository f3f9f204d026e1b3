//! The tables of moderation.

pub mod member_warnings;
pub mod mod_action;
pub mod mod_case;
pub mod threshold;
pub mod warning;
