//! Welcoming members who join. `docs/features.md` goes through this folder.

pub mod arrival;
pub mod effect;
pub mod moves;
pub mod rows;

use crate::{interactions::feature::Feature, postgres::guild_table::guild_tables};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    effects: |settings| vec![Box::new(effect::Welcomes(settings.clone()))],
    tables: guild_tables!["member_arrival"],
    ..Feature::NOTHING
};
