//! The commands.

pub(crate) mod nick;
pub(crate) mod role;
