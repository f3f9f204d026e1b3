//! The commands of moderation.

pub(crate) mod warn;
pub(crate) mod warning;
pub(crate) mod warnings;
