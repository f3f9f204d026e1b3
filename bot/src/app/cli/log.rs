//! `eventide log`: shows or temporarily changes the log level of the process on this machine.

use std::io::Write as _;

use clap::Args;
use hyper::Method;

use super::{CliError, health::ask};
use crate::config::Config;

/// Arguments of `eventide log`.
#[derive(Debug, Args)]
pub struct Log {
    /// New log level, in the form of log.level; without it the current one is shown
    #[arg(value_name = "LEVEL")]
    pub level: Option<String>,
}

/// Ask the running process, and print its log level. At its next start the configured level applies again.
///
/// # Errors
///
/// The process is not running, or the level is invalid.
pub async fn log(arguments: Log, config: &Config) -> Result<(), CliError> {
    let (method, body) = match arguments.level {
        Some(level) => (Method::PUT, level),
        None => (Method::GET, String::new()),
    };
    let level = ask(config.http.listen, method, "/log", body).await?;
    writeln!(std::io::stdout(), "{level}")?;
    Ok(())
}
