//! A question before something cannot be taken back.

use std::io::{IsTerminal as _, Write as _, stdin, stdout};

use super::CliError;

/// Tell what would happen, and ask whether it shall. Without a terminal there is nobody to ask.
pub(super) fn whether(what: &str) -> Result<bool, CliError> {
    if !stdin().is_terminal() {
        return Err(CliError::Usage(format!(
            "{what} Not a terminal: pass --yes to confirm."
        )));
    }
    let mut out = stdout();
    write!(out, "{what} Continue? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
