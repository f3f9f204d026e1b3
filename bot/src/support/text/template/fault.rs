//! What is wrong with a template, in one line.

use strsim::damerau_levenshtein;
use thiserror::Error;

use super::{MAX_CHARS, Placeholder};
use crate::support::text::limits::excerpt;

/// More slips of the hand than these make another word.
const MAX_SLIPS: usize = 2;

/// Longest part of a name that is repeated, in characters.
const SHOWN_CHARS: usize = 30;

/// What other bots call things.
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

/// What is wrong with a template. Places are characters, the first is 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TemplateFault {
    /// There is no such placeholder.
    #[error("there is no placeholder {{{name}}} (character {at}): {hint}")]
    Unknown {
        /// Where its brace is.
        at: usize,
        /// Its name, shortened.
        name: String,
        /// What was probably meant, or what there is.
        hint: String,
    },
    /// An opening brace without its closing one.
    #[error("the {{ at character {at} has no }} after it: close it, or write {{{{ for a brace")]
    Unclosed {
        /// Where it is.
        at: usize,
    },
    /// A closing brace without its opening one.
    #[error("the }} at character {at} has no {{ before it: open it, or write }}}} for a brace")]
    Stray {
        /// Where it is.
        at: usize,
    },
    /// It is too long.
    #[error("it has {chars} characters, and may have {MAX_CHARS}")]
    TooLong {
        /// How long it is.
        chars: usize,
    },
    /// There could be nothing to see.
    #[error(
        "it could come out empty, which Discord refuses: add some text, or a placeholder other than {{roles}}"
    )]
    Empty,
}

impl TemplateFault {
    pub(super) fn unknown(at: usize, name: &str) -> Self {
        let hint = meant(name).map_or_else(
            || {
                let all = Placeholder::ALL.map(|placeholder| format!("{{{}}}", placeholder.name()));
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

fn meant(name: &str) -> Option<Placeholder> {
    if name.len() > SHOWN_CHARS {
        return None;
    }
    let name = name.trim().to_lowercase().replace(['_', '-', ' '], ".");
    if let Some((_, placeholder)) = ELSEWHERE
        .iter()
        .find(|(other, _)| other.replace('_', ".") == name)
    {
        return Some(*placeholder);
    }
    Placeholder::ALL
        .into_iter()
        .map(|placeholder| (damerau_levenshtein(placeholder.name(), &name), placeholder))
        // Of a short name little is left after two slips.
        .filter(|(slips, placeholder)| *slips <= MAX_SLIPS.min(placeholder.name().len() / 2))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, placeholder)| placeholder)
}
