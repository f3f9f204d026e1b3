//! Commands about the bot itself.

pub(crate) mod about;
pub(crate) mod help;
pub(crate) mod ping;
