//! Commands about the bot itself.

pub(crate) mod about;
pub(crate) mod help;
pub(crate) mod ping;

use crate::interactions::feature::Feature;

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[&about::About, &help::Help, &ping::Ping],
    ..Feature::NOTHING
};
