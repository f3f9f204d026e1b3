//! Gateway events, reduced to what the handlers need.
//!
//! twilight's models contain every field. For the event that makes up most of the volume, they cost more than three times the necessary
//! parsing, so it has a reduced form here. The frame around the payload is scanned without parsing it.

pub mod audit_entry;
pub mod frame;
pub mod guild_create;
pub mod guild_news;
pub mod member_news;
pub mod message_create;
#[cfg(test)]
pub(crate) mod payloads;
pub mod ready;
mod scan;
