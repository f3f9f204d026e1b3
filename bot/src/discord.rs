//! Discord: its REST API, its gateway events, and a cache of guilds.

pub mod clock;
pub mod events;
pub mod guilds;
pub(crate) mod mentions;
pub mod rest;
pub mod shards;
