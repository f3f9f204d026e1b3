//! Mistakes in a template, described on one line.

use strsim::damerau_levenshtein;
use thiserror::Error;

use super::{MAX_CHARS, Placeholder};
use crate::support::text::limits::excerpt;

/// More typos than this make a different word.
const MAX_SLIPS: usize = 2;

/// The maximum number of characters of a name that are quoted.
const SHOWN_CHARS: usize = 30;

/// The names of placeholders in other bots.
const ELSEWHERE: [(&str, Placeholder); 14] = [
    ("player", Placeholder::User),
    ("member", Placeholder::User),
    ("mention", Placeholder::User),
    ("user.mention", Placeholder::User),
    ("user_mention", Placeholder::User),
    ("username", Placeholder::UserName),
    ("name", Placeholder::UserName),
    ("lvl", Placeholder::Level),
    ("newlevel", Placeholder::Level),
    ("oldlevel", Placeholder::LevelBefore),
    ("guild", Placeholder::Server),
    ("server.name", Placeholder::Server),
    ("guild.name", Placeholder::Server),
    ("role", Placeholder::Roles),
];

/// A mistake in a template. Positions count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TemplateFault {
    /// The placeholder does not exist.
    #[error("there is no placeholder {{{name}}} (character {at}): {hint}")]
    Unknown {
        /// The position of its brace.
        at: usize,
        /// Its name, truncated.
        name: String,
        /// The most similar placeholder, or a list of all.
        hint: String,
    },
    /// An opening brace without its closing one.
    #[error("the {{ at character {at} has no }} after it: close it, or write {{{{ for a brace")]
    Unclosed {
        /// The position of the brace.
        at: usize,
    },
    /// A closing brace without its opening one.
    #[error("the }} at character {at} has no {{ before it: open it, or write }}}} for a brace")]
    Stray {
        /// The position of the brace.
        at: usize,
    },
    /// The template is too long.
    #[error("it has {chars} characters, and may have {MAX_CHARS}")]
    TooLong {
        /// Its length.
        chars: usize,
    },
    /// The result could be blank.
    #[error(
        "it could come out empty, which Discord refuses: add some text, or a placeholder that always has a value, such as {{user}}"
    )]
    Empty,
}

impl TemplateFault {
    pub(super) fn unknown(at: usize, name: &str, allowed: &[Placeholder]) -> Self {
        let hint = meant(name, allowed).map_or_else(
            || {
                let all = allowed
                    .iter()
                    .map(|placeholder| format!("{{{}}}", placeholder.name()));
                let all: Vec<String> = all.collect();
                format!("there are {}; write {{{{ for a brace", all.join(", "))
            },
            |meant| format!("did you mean {{{}}}?", meant.name()),
        );
        let shown = excerpt(name, SHOWN_CHARS).escape_debug().to_string();
        Self::Unknown {
            at,
            name: shown,
            hint,
        }
    }
}

fn meant(name: &str, allowed: &[Placeholder]) -> Option<Placeholder> {
    if name.len() > SHOWN_CHARS {
        return None;
    }
    let name = name.trim().to_lowercase().replace(['_', '-', ' '], ".");
    if let Some((_, placeholder)) = ELSEWHERE
        .iter()
        .find(|(other, placeholder)| other.replace('_', ".") == name && allowed.contains(placeholder))
    {
        return Some(*placeholder);
    }
    allowed
        .iter()
        .copied()
        .map(|placeholder| (damerau_levenshtein(placeholder.name(), &name), placeholder))
        // Two typos leave little of a short name.
        .filter(|(slips, placeholder)| *slips <= MAX_SLIPS.min(placeholder.name().len() / 2))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, placeholder)| placeholder)
}
