//! The binary, which calls the library's [`main`](eventide::app::cli::main).

use std::process::ExitCode;

fn main() -> ExitCode {
    eventide::app::cli::main()
}
