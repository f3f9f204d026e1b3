//! What is to happen later in a server, for its staff.

pub(crate) mod command;
mod page;

use crate::interactions::feature::Feature;

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[&command::Scheduled],
    pages: &[&page::ScheduledPage],
    ..Feature::NOTHING
};
