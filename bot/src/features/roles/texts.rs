//! Parts of texts.

use crate::support::{i18n::Language, text::names::quoted};

/// A reason on a line of its own, quoted.
pub(crate) fn because(reason: Option<&str>, language: Language) -> String {
    reason.map_or_else(
        || language.text("roles-no-reason"),
        |reason| format!("> {}", quoted(reason)),
    )
}
