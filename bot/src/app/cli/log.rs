//! `eventide log`: what the process on this machine logs, and how to have it log more for a while.

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

/// Ask the running process, and print what it logs now. Its next start takes the level from the configuration again.
///
/// # Errors
///
/// The process is not there, or the level is none.
pub async fn log(arguments: Log, config: &Config) -> Result<(), CliError> {
    let (method, body) = match arguments.level {
        Some(level) => (Method::PUT, level),
        None => (Method::GET, String::new()),
    };
    let level = ask(config.http.listen, method, "/log", body).await?;
    writeln!(std::io::stdout(), "{level}")?;
    Ok(())
}
