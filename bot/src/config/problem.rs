//! What is wrong with a configuration: one line a mistake, all of them at once.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Longest part of a value that a problem's line repeats, in characters.
const SHOWN_CHARS: usize = 60;

/// Where a value, or its lack, was noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A line of the configuration file, counted from 1.
    Line(Arc<Path>, usize),
    /// A file as a whole.
    File(PathBuf),
    /// An environment variable, by its name.
    Variable(String),
    /// Nobody wrote anything: the value is a default, or missing.
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

/// One mistake: where it is, which key it concerns, what was found and what is allowed. Its line never holds
/// a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {}: found {found}; allowed: {allowed}", escaped(self.key()))]
pub struct Problem {
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) found: String,
    pub(super) allowed: String,
}

impl Problem {
    /// The key that the mistake concerns, as `section.key`, `""` if it is empty; for a line that is not TOML,
    /// what stands where the key should be.
    pub fn key(&self) -> &str {
        if self.key.is_empty() { "\"\"" } else { &self.key }
    }

    /// The file comes first, line by line; then the variables.
    pub(super) const fn order(&self) -> (u8, usize) {
        match self.place {
            Place::File(_) => (0, 0),
            Place::Line(_, line) => (1, line),
            Place::Variable(_) => (2, 0),
            Place::Unset => (3, 0),
        }
    }
}

/// All mistakes of one configuration: the file's line by line, then the variables'. `Display` prints one line
/// each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// The mistakes, one by one; at least one.
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

/// `text` on one line and of a bounded length, whatever it holds.
pub(super) fn escaped(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS).flat_map(escape_control).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// A character as it is, or escaped where it would leave the line or disturb a terminal.
fn escape_control(character: char) -> impl Iterator<Item = char> {
    let control =
        character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}');
    let escape = control.then(|| character.escape_unicode());
    let plain = (!control).then_some(character);
    escape.into_iter().flatten().chain(plain)
}
