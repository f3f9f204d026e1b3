//! One panel for the settings of a server.

pub(crate) mod command;
