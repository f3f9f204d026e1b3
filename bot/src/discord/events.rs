//! Gateway events as far as the handlers need them.
//!
//! twilight's models hold every field; for the one event that makes up the volume that costs more than three times the
//! parsing that is needed, so it has a reduced form here. The frame around the payload is read by scanning, without parsing.

pub mod frame;
pub mod guild_create;
pub mod guild_news;
pub mod member_news;
pub mod message_create;
#[cfg(test)]
pub(crate) mod payloads;
pub mod ready;
mod scan;
