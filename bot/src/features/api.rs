//! Tokens by which programs read a server's data, and the description of what they can read.

mod page;
mod rows;

use crate::{interactions::feature::Feature, postgres::guild_table::guild_tables};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    pages: &[&page::Tokens, &page::Description],
    tables: guild_tables!["api_token"],
    ..Feature::NOTHING
};
