//! `soak kills`, and so on; with any other word this is the program under test itself, with hooks.

use std::process::ExitCode;

fn main() -> ExitCode {
    soak::cli::start()
}
