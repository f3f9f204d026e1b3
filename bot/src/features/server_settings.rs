//! The panel for guild-wide settings.

pub(crate) mod command;
mod parts;
mod sections;

use crate::interactions::feature::Feature;

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[&command::Settings],
    ..Feature::NOTHING
};
