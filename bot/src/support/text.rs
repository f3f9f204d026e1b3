//! Text sent to Discord: length limits, names and templates.

pub(crate) mod limits;
pub mod names;
pub mod template;
