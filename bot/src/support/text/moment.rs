//! Times as text.

use std::time::SystemTime;

use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// A time in UTC, for people.
pub(crate) fn written(at: SystemTime) -> String {
    let short = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    OffsetDateTime::from(at).format(short).unwrap_or_default()
}

/// A time for programs.
pub(crate) fn rfc3339(at: SystemTime) -> String {
    OffsetDateTime::from(at).format(&Rfc3339).unwrap_or_default()
}
