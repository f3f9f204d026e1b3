//! A question before something cannot be taken back.

use std::io::{IsTerminal as _, Write as _, stdin, stdout};

use super::CliError;

/// Tell what would happen, and ask whether it shall. Without a terminal there is nobody to ask.
pub(super) fn whether(what: &str) -> Result<bool, CliError> {
    if !stdin().is_terminal() {
        return Err(CliError::Usage(format!(
            "{what} Give --yes to do it without a question."
        )));
    }
    let mut out = stdout();
    write!(out, "{what} Go on? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
