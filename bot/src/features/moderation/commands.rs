//! The commands of moderation.

mod act;
pub(crate) mod ban;
pub(crate) mod case;
pub(crate) mod case_list;
mod case_texts;
mod confirmation;
pub(crate) mod removal;
pub(crate) mod warn;
pub(crate) mod warning;
pub(crate) mod warnings;
