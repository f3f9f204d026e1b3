//! Parts of texts.

use std::time::SystemTime;

use crate::support::{i18n::Language, ids, text::names::quoted};

/// Until when something lasts.
pub(crate) fn until(ends_at: Option<SystemTime>, language: Language) -> String {
    match ends_at {
        None => language.text("channels-open-end"),
        Some(ends_at) => {
            let time = format!("<t:{}:R>", ids::to_millis(ends_at) / 1_000);
            language.filled("channels-until", &[("until", time.into())])
        }
    }
}

/// A reason on a line of its own, quoted.
pub(crate) fn because(reason: Option<&str>, language: Language) -> String {
    reason.map_or_else(
        || language.text("channels-no-reason"),
        |reason| format!("> {}", quoted(reason)),
    )
}

/// The seconds of a slow mode.
pub(crate) fn slowmode(seconds: i32, language: Language) -> String {
    if seconds <= 0 {
        return language.text("slowmode-off");
    }
    let span = std::time::Duration::from_secs(u64::from(seconds.unsigned_abs()));
    crate::support::text::duration::shown(span)
}
