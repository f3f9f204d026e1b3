//! Access to and erasure of stored member and guild data.

pub(crate) mod command;
pub mod guild_sync;
pub mod retention;
pub mod rows;
