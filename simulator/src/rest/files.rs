//! The files that came with requests.

use std::collections::VecDeque;

/// How many files are remembered.
const MOST: usize = 64;

/// A file that came with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentFile {
    /// Its name.
    pub name: String,
    /// What it said it is.
    pub content_type: String,
    /// What is in it.
    pub content: Vec<u8>,
}

/// The files of the last requests that were carried out.
#[derive(Default)]
pub(crate) struct Files(VecDeque<SentFile>);

impl Files {
    /// Oldest first.
    pub(crate) fn all(&self) -> Vec<SentFile> {
        self.0.iter().cloned().collect()
    }

    pub(super) fn keep(&mut self, files: Vec<SentFile>) {
        self.0.extend(files);
        let over = self.0.len().saturating_sub(MOST);
        self.0.drain(..over);
    }
}
