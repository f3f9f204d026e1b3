//! Welcoming members who join. `docs/features.md` goes through this folder.

pub mod arrival;
pub mod effect;
pub mod moves;
pub mod rows;

use crate::{interactions::feature::Feature, postgres::table::member_table};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    effects: |settings| vec![Box::new(effect::Welcomes(settings.clone()))],
    tables: &[member_table!("member_arrival").locked_first()],
    ..Feature::NOTHING
};
