//! Tokens by which programs read a server's data, and the description of what they can read.

mod page;
mod rows;

use crate::{interactions::feature::Feature, postgres::table::guild_table};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    pages: &[&page::Tokens, &page::Description],
    // A token may have been revoked since a backup.
    tables: &[guild_table!("api_token").reset(49, "DELETE FROM api_token")],
    ..Feature::NOTHING
};
