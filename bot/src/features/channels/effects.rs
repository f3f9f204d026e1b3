//! The effects on channels.

mod channel;
pub(crate) mod lock;
pub(crate) mod slowmode;
pub(crate) mod unlock;
