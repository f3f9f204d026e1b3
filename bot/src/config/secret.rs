//! Text that must never be printed.

use std::{fmt, fs, path::PathBuf};

/// A token, or an address that contains a password. Only [`Secret::expose`] gives access to the text: `Debug` and `Display` print `***`, so
/// a secret cannot get into a log line as part of a struct.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    /// The file from which it was read.
    file: Option<PathBuf>,
}

impl Secret {
    /// Protect `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            file: None,
        }
    }

    /// Protect a text that was read from a file.
    pub fn of_file(text: String, file: PathBuf) -> Self {
        Self {
            text,
            file: Some(file),
        }
    }

    /// Read the file again: secrets are rotated, and some are valid for minutes only. `None` if the secret does not come from a file, or if
    /// the file is missing or empty.
    pub fn read_again(&self) -> Option<Self> {
        let file = self.file.as_ref()?;
        let text = fs::read_to_string(file).ok()?.trim().to_owned();
        (!text.is_empty()).then(|| Self::of_file(text, file.clone()))
    }

    /// The text itself. Pass it only to what needs it, never to a format macro.
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
