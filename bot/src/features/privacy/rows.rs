//! Statements that export and delete stored data.

pub mod departures;
pub mod member;
pub(crate) mod opt_out;
