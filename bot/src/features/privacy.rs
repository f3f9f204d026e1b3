//! What is stored about members and servers, and how it is erased.

pub(crate) mod command;
pub mod guild_sync;
pub mod retention;
pub mod rows;
