//! The panel for guild-wide settings.

mod audit_page;
pub(crate) mod command;
mod pages;
mod parts;
mod sections;

use crate::{
    interactions::{feature::Feature, settings_changes::undo},
    settings::{mod_log::LogSettings, section::Choices as _},
};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[&command::Settings],
    pages: pages::PAGES,
    undos: &[undo("settings"), undo("settings_import"), undo("settings_undo")],
    settings: &[&LogSettings::SECTION],
    ..Feature::NOTHING
};
