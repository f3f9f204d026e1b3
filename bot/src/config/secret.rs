//! Text that must never be printed.

use std::{fmt, fs, path::PathBuf};

/// A token, or an address with a password in it. Its text is reached by [`Secret::expose`] alone: `Debug` and
/// `Display` both print `***`, so that a secret cannot slip into a log line by way of a struct that holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    /// Where it was read from.
    file: Option<PathBuf>,
}

impl Secret {
    /// Takes `text` under guard.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            file: None,
        }
    }

    /// The same, which was read from a file.
    pub fn of_file(text: String, file: PathBuf) -> Self {
        Self {
            text,
            file: Some(file),
        }
    }

    /// What its file holds now: secrets are rotated, and some are good for minutes only. `None` if it was not in a file, or the file is
    /// gone or empty.
    pub fn read_again(&self) -> Option<Self> {
        let file = self.file.as_ref()?;
        let text = fs::read_to_string(file).ok()?.trim().to_owned();
        (!text.is_empty()).then(|| Self::of_file(text, file.clone()))
    }

    /// The text itself. Hand it only to what needs it, never to a format macro.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}
