//! The tables of moderation.

pub mod audit_entry;
pub mod case;
pub mod case_change;
pub mod case_note;
pub mod member_warnings;
pub mod mod_case;
pub mod outcome;
pub mod threshold;
pub mod warning;
