//! What the bot does for servers: one folder for each feature. Features do not import each other.
//! `app/features.rs` lists what they add.

pub mod basics;
pub(crate) mod channels;
pub mod levels;
pub mod moderation;
pub mod privacy;
pub(crate) mod purge;
pub(crate) mod roles;
pub mod scheduled;
pub mod server_settings;
pub mod welcome;
