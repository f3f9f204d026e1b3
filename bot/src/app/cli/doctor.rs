//! `eventide doctor`: checks PostgreSQL and suggests fixes.

use std::io::Write as _;

use super::CliError;
use crate::{
    config::Config,
    postgres::{
        database::Database,
        doctor::{self, finding::Verdict},
    },
    telemetry::logging,
};

/// Print the findings.
///
/// # Errors
///
/// The database cannot be reached, or a check failed.
pub async fn doctor(config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let findings = doctor::examine(&database, config).await;
    database.close().await?;
    let findings = findings?;
    let mut out = std::io::stdout();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let count = |verdict| {
        findings
            .iter()
            .filter(|finding| finding.verdict == verdict)
            .count()
    };
    let (bad, warnings) = (count(Verdict::Bad), count(Verdict::Warning));
    writeln!(
        out,
        "{bad} bad, {warnings} warnings, {} fine",
        count(Verdict::Good)
    )?;
    if bad > 0 {
        return Err(CliError::Unhealthy(bad));
    }
    Ok(())
}
