//! Welcoming members who join. `docs/features.md` goes through this folder.

pub mod arrival;
pub mod effect;
pub mod rows;
