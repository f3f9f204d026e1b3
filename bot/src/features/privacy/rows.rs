//! Statements that show and delete what is stored.

pub mod departures;
pub mod member;
