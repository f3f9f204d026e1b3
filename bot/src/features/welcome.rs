//! Welcoming members who join.

pub mod arrival;
pub mod rows;
