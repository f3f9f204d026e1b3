//! A confirmation before an irreversible action.

use std::io::{IsTerminal as _, Write as _, stdin, stdout};

use super::CliError;

/// Print what would happen, and ask for confirmation. Without a terminal this fails.
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
