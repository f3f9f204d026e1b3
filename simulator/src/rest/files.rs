//! The files that came with requests.

use std::collections::VecDeque;

use super::answer::Answer;
use crate::hub::Hub;

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

/// The files of the last requests that were carried out, with the numbers of the requests.
#[derive(Default)]
pub(crate) struct Files {
    kept: VecDeque<(u64, SentFile)>,
    requests: u64,
}

impl Files {
    /// Oldest first.
    pub(crate) fn all(&self) -> Vec<SentFile> {
        self.kept.iter().map(|(_, file)| file.clone()).collect()
    }

    fn keep(&mut self, files: Vec<SentFile>) -> u64 {
        self.requests += 1;
        let number = self.requests;
        self.kept.extend(files.into_iter().map(|file| (number, file)));
        let over = self.kept.len().saturating_sub(MOST);
        self.kept.drain(..over);
        number
    }

    fn forget(&mut self, number: u64) {
        self.kept.retain(|(of, _)| *of != number);
    }
}

/// Carry out a request. Its files are recorded first, so that a test that sees the effect also sees the files. A refused request leaves none.
pub(super) fn known_to_all<T>(
    hub: &Hub,
    files: Vec<SentFile>,
    work: impl FnOnce() -> (Answer, T),
) -> (Answer, T) {
    let number = hub.rest().files.keep(files);
    let (answer, headers) = work();
    if answer.status >= 300 {
        hub.rest().files.forget(number);
    }
    (answer, headers)
}
