//! The process: the command line, the runtime, and the exit code.

use std::{io::Write as _, process::ExitCode, sync::mpsc, thread, time::Duration};

use clap::Parser as _;

use super::Cli;
use crate::telemetry::logging;

/// The time limit for printing the last message.
const PRINTING: Duration = Duration::from_secs(2);

/// Bad usage or configuration: `EX_USAGE` of sysexits.h.
const EX_USAGE: u8 = 64;

/// The whole program: parses the command line, runs the command, and returns the exit code. The binary calls nothing else, so that all
/// futures are compiled once, with this library, and not again with the binary.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Also used for --help and --version, which are not errors. If printing fails, there is no way to report it.
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { EX_USAGE } else { 0 });
        }
    };
    // twilight uses the process's default provider; with none, or with two compiled in, it would panic at the first connection.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return fail("another TLS provider was installed before", 1);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start threads: {error}"), 1),
    };
    let result = runtime.block_on(cli.execute());
    logging::flush();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string(), error.exit_code()),
    }
}

/// Print why the process ends. A blocked standard error does not keep it from ending.
fn fail(message: &str, code: u8) -> ExitCode {
    let mut text = String::new();
    for line in message.lines() {
        text.push_str("eventide: ");
        text.push_str(line);
        text.push('\n');
    }
    // Nothing is sent: the other end is dropped after the text is written.
    let (writing, is_written) = mpsc::channel::<()>();
    let printing = thread::Builder::new().spawn(move || {
        // If standard error is closed, there is no way to report it.
        drop(std::io::stderr().write_all(text.as_bytes()));
        drop(writing);
    });
    if printing.is_ok() {
        let _written_or_late = is_written.recv_timeout(PRINTING);
    }
    ExitCode::from(code)
}
