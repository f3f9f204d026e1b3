//! The panel for guild-wide settings.

pub(crate) mod command;

use crate::interactions::feature::Feature;

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[&command::Settings],
    ..Feature::NOTHING
};
