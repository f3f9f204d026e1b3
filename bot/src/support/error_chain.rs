//! Formats an error and its sources on one line, for operators.

use std::error::Error;

/// The text of the error and of its sources, without sources that only repeat text.
pub fn in_one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::in_one_line;

    #[derive(Debug, Error)]
    #[error("cannot open\nthe door")]
    struct Door(#[source] Key);

    #[derive(Debug, Error)]
    #[error("the key is lost")]
    struct Key;

    #[derive(Debug, Error)]
    #[error("no way in: the key is lost")]
    struct Way(#[source] Key);

    #[test]
    fn causes_follow_and_do_not_repeat() {
        assert_eq!(in_one_line(&Door(Key)), "cannot open the door: the key is lost");
        assert_eq!(in_one_line(&Way(Key)), "no way in: the key is lost");
    }
}
