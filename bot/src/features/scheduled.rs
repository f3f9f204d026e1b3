//! What is to happen later in a server, for its staff.

pub(crate) mod command;

use crate::interactions::feature::Feature;

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[&command::Scheduled],
    ..Feature::NOTHING
};
