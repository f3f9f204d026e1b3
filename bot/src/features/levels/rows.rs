//! The tables of levels.

pub mod audit_xp;
pub mod departed;
pub mod given_role;
pub mod import_job;
pub mod leaderboard;
pub(crate) mod mass_change;
pub mod member_card;
pub mod member_xp;
pub mod rank_buckets;
