//! The panel for guild-wide settings.

mod audit_page;
pub(crate) mod command;
mod parts;
mod sections;

use crate::{
    interactions::feature::Feature,
    settings::{mod_log::LogSettings, section::Choices as _},
};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[&command::Settings],
    pages: &[&audit_page::AuditLog],
    settings: &[&LogSettings::SECTION],
    ..Feature::NOTHING
};
