//! The process: the command line, the runtime, and the exit code.

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;

use super::Cli;

/// Bad usage or configuration: `EX_USAGE` of sysexits.h.
const EX_USAGE: u8 = 64;

/// The whole program: parses the command line, runs the command, and returns the exit code. The binary calls nothing else, so that all
/// futures are compiled with this library and not a second time with the binary.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Also the way of --help and --version, which are no errors. Nobody is left to tell if it cannot be printed.
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { EX_USAGE } else { 0 });
        }
    };
    // twilight takes the process's default; with none, or with two compiled in, it would panic at the first connection.
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
    match runtime.block_on(cli.execute()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string(), error.exit_code()),
    }
}

fn fail(message: &str, code: u8) -> ExitCode {
    for line in message.lines() {
        // Nobody is left to tell if standard error is closed.
        drop(writeln!(std::io::stderr(), "eventide: {line}"));
    }
    ExitCode::from(code)
}
