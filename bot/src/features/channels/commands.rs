//! The commands.

pub(crate) mod lock;
pub(crate) mod slowmode;
pub(crate) mod unlock;
