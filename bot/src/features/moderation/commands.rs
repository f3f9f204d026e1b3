//! The commands of moderation.

mod act;
pub(crate) mod ban;
mod confirmation;
pub(crate) mod removal;
pub(crate) mod warn;
pub(crate) mod warning;
pub(crate) mod warnings;
