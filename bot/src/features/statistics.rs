//! Statistics: what happens in a server by the hour, for servers that want it counted.

mod api;
pub mod counts;
mod keeping;
mod page;
mod reading;
pub(crate) mod rows;

use crate::{
    interactions::feature::Feature,
    postgres::table::guild_table,
    settings::{section::Choices as _, statistics::StatisticsSettings},
};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    pages: &[&page::Statistics, &page::Download, &api::StatisticsApi],
    settings: &[&StatisticsSettings::SECTION],
    timers: |registry, process| registry.with_job(keeping::job(process.store, process.settings)),
    tables: &[guild_table!("statistic")],
    ..Feature::NOTHING
};
