//! The doctor's findings and their presentation.

use std::fmt;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// No problem.
    Good,
    /// Something is slower or riskier than necessary.
    Warning,
    /// Data is at risk, or the bot cannot work.
    Bad,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The severity.
    pub verdict: Verdict,
    /// The subject.
    pub about: &'static str,
    /// The finding.
    pub found: String,
    /// What to do; empty if nothing has to be done.
    pub advice: String,
}

impl Finding {
    pub(super) fn good(about: &'static str, found: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Good,
            about,
            found: found.into(),
            advice: String::new(),
        }
    }

    pub(super) fn warning(about: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warning,
            about,
            found: found.into(),
            advice: advice.into(),
        }
    }

    pub(super) fn bad(about: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Bad,
            about,
            found: found.into(),
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.verdict {
            Verdict::Good => "ok  ",
            Verdict::Warning => "warn",
            Verdict::Bad => "BAD ",
        };
        write!(formatter, "{mark}  {:<14} {}", self.about, self.found)?;
        if !self.advice.is_empty() {
            write!(formatter, "\n      {:<14} → {}", "", self.advice)?;
        }
        Ok(())
    }
}

/// A size in the units of PostgreSQL's settings.
pub(super) fn size(bytes: i64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut whole, mut rest, mut unit) = (bytes / 1024, bytes % 1024, 0);
    while whole >= 1024 && unit + 1 < UNITS.len() {
        (whole, rest, unit) = (whole / 1024, whole % 1024, unit + 1);
    }
    if whole < 10 && rest > 0 {
        return format!("{whole}.{} {}", rest * 10 / 1024, UNITS[unit]);
    }
    format!("{whole} {}", UNITS[unit])
}
