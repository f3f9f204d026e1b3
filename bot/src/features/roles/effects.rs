//! The effects on members.

pub(crate) mod nick;
pub(crate) mod role;
