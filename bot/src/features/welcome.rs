//! Welcoming members who join.

pub mod arrival;
pub mod effect;
pub mod rows;
