//! The panel for guild-wide settings.

pub(crate) mod command;
