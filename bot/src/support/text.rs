//! Text on its way to Discord: its length, and the names in it.

pub(crate) mod limits;
pub mod names;
pub mod template;
