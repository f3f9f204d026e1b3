//! What the bot does for servers: one folder for each feature. Features do not import each other.
//! What they add is derived from their manifests (`app/features.rs`).

pub(crate) mod api;
pub mod basics;
pub(crate) mod channels;
pub mod levels;
pub mod moderation;
pub mod privacy;
pub(crate) mod purge;
pub(crate) mod roles;
pub mod scheduled;
pub mod server_settings;
pub mod statistics;
pub mod welcome;

use crate::interactions::feature::Feature;

/// All features. The tables of later ones are emptied later; records of erasures are kept until the end.
pub(crate) static FEATURES: &[&Feature] = &[
    &basics::FEATURE,
    &levels::FEATURE,
    &welcome::FEATURE,
    &moderation::FEATURE,
    &channels::FEATURE,
    &roles::FEATURE,
    &purge::FEATURE,
    &statistics::FEATURE,
    &api::FEATURE,
    &scheduled::FEATURE,
    &server_settings::FEATURE,
    &privacy::FEATURE,
];
