//! The tables.

pub(crate) mod lock;
pub(crate) mod slowmode;
