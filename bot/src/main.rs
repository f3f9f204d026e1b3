//! The binary, which is the library's [`main`](eventide::cli::main).

use std::process::ExitCode;

fn main() -> ExitCode {
    eventide::cli::main()
}
