//! Mistakes in a configuration: one line each, and all of them at once.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The maximum number of characters of a value that an error message repeats.
const SHOWN_CHARS: usize = 60;

/// Where a mistake was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A line of the configuration file, starting at 1.
    Line(Arc<Path>, usize),
    /// The file as a whole.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// Not in any source: the value is a default, or missing.
    Unset,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(path, line) => write!(formatter, "{}:{line}", path.display()),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Variable(name) => formatter.write_str(&escaped(name)),
            Self::Unset => formatter.write_str("configuration"),
        }
    }
}

/// One mistake: its place, the key, what was found and what is allowed. It never contains a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {}: found {found}; allowed: {allowed}", escaped(self.key()))]
pub struct Problem {
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) found: String,
    pub(super) allowed: String,
}

impl Problem {
    /// The key concerned, as `section.key`, or `""` if it is empty. For a line that is not TOML, it is the text in place of the key.
    pub fn key(&self) -> &str {
        if self.key.is_empty() { "\"\"" } else { &self.key }
    }

    /// The file comes first, in the order of its lines, followed by the variables.
    pub(super) const fn order(&self) -> (u8, usize) {
        match self.place {
            Place::File(_) => (0, 0),
            Place::Line(_, line) => (1, line),
            Place::Variable(_) => (2, 0),
            Place::Unset => (3, 0),
        }
    }
}

/// All mistakes of one configuration: those of the file in the order of its lines, then those of the variables. `Display` prints one line
/// each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// The mistakes; there is at least one.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// `text` on one line and shortened, for any input.
pub(super) fn escaped(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS).flat_map(escape_control).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// Escape a character that would break the line or disturb a terminal.
fn escape_control(character: char) -> impl Iterator<Item = char> {
    let control =
        character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}');
    let escape = control.then(|| character.escape_unicode());
    let plain = (!control).then_some(character);
    escape.into_iter().flatten().chain(plain)
}
